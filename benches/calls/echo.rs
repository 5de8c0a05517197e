//! The protocol of both ways: a call returns its bytes.

use std::convert::Infallible;

use datagrammar::Message;
use datagrammar::calls::{Protocol, Reply, Returns};

/// What each call sends and gets back.
pub(crate) const TEXT: &[u8; 64] = &[b'x'; 64];

#[derive(Message)]
pub(crate) enum Echo<'a> {
    #[message(tag = 1)]
    Echo { text: &'a [u8] },
}

impl Protocol for Echo<'_> {
    const ANSWER_DESCRIPTORS: bool = false;

    fn returns(_tag: u32) -> Returns {
        Returns::answer::<Echoed<'static>>()
    }
}

#[derive(Message)]
#[message(tag = 1)]
pub(crate) struct Echoed<'a>(&'a [u8]);

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
