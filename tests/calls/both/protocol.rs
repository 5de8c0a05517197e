//! A protocol written by hand like the derive's.

use std::convert::Infallible;
use std::fs::File;

use datagrammar::Message;
use datagrammar::calls::{Protocol, Reply, Returns};

#[derive(Message)]
pub(crate) enum Sums<'a> {
    #[message(tag = 1)]
    Add { left: u64, right: u64 },
    #[message(tag = 2)]
    Echo { text: &'a [u8] },
    #[message(tag = 3)]
    Count { to: u64 },
    #[message(tag = 4)]
    Note(u64),
    #[message(tag = 5)]
    Panic,
    #[message(tag = 6)]
    Slow { millis: u64 },
    #[message(tag = 7)]
    Measure {
        #[message(fd)]
        file: File,
    },
    #[message(tag = 8)]
    Open { path: &'a str },
}

impl Protocol for Sums<'_> {
    const ANSWER_DESCRIPTORS: bool = true;

    fn returns(tag: u32) -> Returns {
        match tag {
            1 => Returns::answer::<Sum>(),
            2 => Returns::answer::<Echoed<'static>>(),
            3 => Returns::items::<Counted>(),
            4 => Returns::nothing(),
            5 | 6 => Returns::answer::<Sum>(),
            7 => Returns::answer::<Length>(),
            8 => Returns::answer::<Opened>(),
            _ => Returns::unknown(),
        }
    }
}

#[derive(Message)]
pub(crate) enum Sum {
    #[message(tag = 1)]
    Ok(u64),
    #[message(tag = 2)]
    Err(String),
}

impl Reply for Sum {
    type Value<'f> = u64;
    type Error<'f> = String;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        match reply {
            Self::Ok(value) => Ok(value),
            Self::Err(error) => Err(error),
        }
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        match result {
            Ok(value) => Self::Ok(value),
            Err(error) => Self::Err(error),
        }
    }
}

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Echoed<'a>(#[message(rest)] pub(crate) &'a [u8]);

impl Reply for Echoed<'_> {
    type Value<'f> = &'f [u8];
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(value) = result;
        Echoed(value)
    }
}

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Counted(pub(crate) u64);

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Length(pub(crate) u64);

impl Reply for Length {
    type Value<'f> = u64;
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(value) = result;
        Self(value)
    }
}

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Opened(#[message(fd)] File);

impl Reply for Opened {
    type Value<'f> = File;
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(file) = result;
        Self(file)
    }
}
