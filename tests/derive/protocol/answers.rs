//! Answers.

use std::fs::File;

use datagrammar::{Message, to_vec};
use datagrammar::Protocol;

use datagrammar::calls::{Context, Responder, ItemSender, Reply};

#[derive(Message, Debug, PartialEq)]
#[message(tag = 5)]
pub struct Blob<'a> {
    name: &'a str,
    #[message(rest)]
    content: &'a [u8],
}

#[derive(Message, Debug, PartialEq)]
pub enum Change<'a> {
    #[message(tag = 1)]
    Added(&'a str),
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Refused { Full, Gone }

/// A store of blobs.
#[derive(Message, Protocol)]
#[message(crate = crate::standin)]
pub enum Blobs<'a> {
    /// Stores `content` under `name`; answers with the bytes stored so far.
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put { name: &'a str, #[message(rest)] content: &'a [u8] },
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    /// Everything that changes under `prefix`, until the caller goes.
    #[message(tag = 3, items = Change<'_>)]
    Watch { prefix: &'a str },
    #[message(tag = 4, reply = Result<u64, Refused>)]
    Import { name: &'a str, #[message(fd)] file: File },
    /// No answer.
    #[message(tag = 5)]
    Touch { name: &'a str },
    #[message(tag = 6, reply = File)]
    Open(&'a str, Option<String>),
    #[message(tag = 7, reply = ())]
    Sync,
    #[message(tag = 8, reply = Result<(), Refused>)]
    Remove(&'a str),
    #[message(tag = 9, reply = &str)]
    Motto,
    #[message(tag = 10, reply = Vec<Blob<'_>>)]
    All,
    #[message(other)]
    Unknown(datagrammar::Unknown<'a>),
}

struct Handler;

impl BlobsHandler for Handler {
    fn put(&self, _: &Context, _: &str, _: &[u8]) -> Result<u64, Refused> { Err(Refused::Full) }
    fn get(&self, _: &Context, _: &str, _: Responder<BlobsGetAnswer<'static>>) {}
    fn watch(&self, _: &Context, _: &str, _: ItemSender<Change<'static>>) {}
    fn import(&self, _: &Context, _: &str, _: File) -> Result<u64, Refused> { Ok(1) }
    fn touch(&self, _: &Context, _: &str) {}
    fn open(&self, _: &Context, _: &str, _: Option<String>) -> File { File::open("/").unwrap() }
    fn sync(&self, _: &Context) {}
    fn remove(&self, _: &Context, _: &str) -> Result<(), Refused> { Ok(()) }
    fn motto(&self, _: &Context, _: Responder<BlobsMottoAnswer<'static>>) {}
    fn all(&self, _: &Context, _: Responder<BlobsAllAnswer<'static>>) {}
}

impl BlobsTokioHandler for Handler {
    async fn put(&self, _: &Context, _: &str, _: &[u8]) -> Result<u64, Refused> { Err(Refused::Full) }
    async fn get(&self, _: &Context, _: &str, _: Responder<BlobsGetAnswer<'static>>) {}
    async fn watch(&self, _: &Context, _: &str, _: ItemSender<Change<'static>>) {}
    async fn import(&self, _: &Context, _: &str, _: File) -> Result<u64, Refused> { Ok(1) }
    async fn touch(&self, _: &Context, _: &str) {}
    async fn open(&self, _: &Context, _: &str, _: Option<String>) -> File { File::open("/").unwrap() }
    async fn sync(&self, _: &Context) {}
    async fn remove(&self, _: &Context, _: &str) -> Result<(), Refused> { Ok(()) }
    async fn motto(&self, _: &Context, _: Responder<BlobsMottoAnswer<'static>>) {}
    async fn all(&self, _: &Context, _: Responder<BlobsAllAnswer<'static>>) {}
}

/// Checks the bytes of an answer both ways.
#[track_caller]
fn is_sent_as<'f, R>(answer: R, frame: &'f [u8], expected: Result<R::Value<'f>, R::Error<'f>>)
where
    R: Reply,
    R::Value<'f>: PartialEq + std::fmt::Debug,
    R::Error<'f>: PartialEq + std::fmt::Debug,
{
    assert_eq!(to_vec(&answer).unwrap(), frame);
    assert_eq!(R::into_result(R::decode(frame).unwrap()), expected);
}

#[test]
fn a_value_or_an_error() {
    is_sent_as(BlobsPutAnswer::Ok(300), &[1, 251, 44, 1], Ok(300));
    is_sent_as(BlobsPutAnswer::Err(Refused::Gone), &[2, 1], Err(Refused::Gone));
    is_sent_as(BlobsSyncAnswer::Ok(()), &[1], Ok(()));
    is_sent_as(BlobsRemoveAnswer::Ok(()), &[1], Ok(()));
    is_sent_as(BlobsMottoAnswer::Ok("ab"), &[1, 2, b'a', b'b'], Ok("ab"));
}

#[test]
fn a_message_is_nested_without_its_length() {
    let blob = || Blob { name: "a", content: b"xyz" };
    is_sent_as(BlobsGetAnswer::Ok(blob()), &[1, 5, 1, b'a', b'x', b'y', b'z'], Ok(blob()));
    is_sent_as(
        BlobsAllAnswer::Ok(vec![blob(), blob()]),
        &[1, 2, 6, 5, 1, b'a', b'x', b'y', b'z', 6, 5, 1, b'a', b'x', b'y', b'z'],
        Ok(vec![blob(), blob()]),
    );
}
