//! The bytes of answers.

use std::fmt::Debug;
use std::fs::File;
use std::io::PipeReader;

use datagrammar::calls::Reply;
use datagrammar::{Message, Protocol, SharedBytes, codec, to_vec};
use serde::{Deserialize, Serialize};

use crate::blobs::{
    Blob, Blobs, BlobsExportAnswer, BlobsGetAnswer, BlobsPutAnswer, Change, Refused,
};

/// Checks that a handler's result travels as `frame`, and that the client gets the same result from it.
#[track_caller]
fn is_sent_as<'f, R, T, E>(result: impl Fn() -> Result<T, E>, frame: &'f [u8])
where
    R: Reply<Value<'f> = T, Error<'f> = E>,
    T: PartialEq + Debug,
    E: PartialEq + Debug,
{
    assert_eq!(to_vec(&R::from_result(result())).unwrap(), frame);
    assert_eq!(R::into_result(R::decode(frame).unwrap()), result());
}

#[test]
fn values_and_errors() {
    is_sent_as::<BlobsPutAnswer, _, _>(|| Ok(300), &[1, 251, 44, 1]);
    is_sent_as::<BlobsPutAnswer, _, _>(|| Err(Refused::NotFound), &[2, 1]);
    let error = BlobsPutAnswer::decode(&[1]).unwrap_err();
    assert!(error.to_string().contains("`BlobsPutAnswer.Ok`"), "{error}");
    assert!(BlobsPutAnswer::decode(&[3]).is_err());
    assert_eq!(format!("{:?}", BlobsPutAnswer::Err(Refused::Full)), "Err(..)");
}

#[test]
fn a_message_is_the_rest_of_the_answer() {
    is_sent_as::<BlobsGetAnswer<'_>, _, _>(
        || Ok(Blob { name: "a", content: b"xyz" }),
        &[1, 5, 1, b'a', b'x', b'y', b'z'],
    );
}

/// A message as an error, and a message that cannot be nested by serde.
#[derive(Message, Debug, PartialEq)]
#[message(tag = 7)]
struct Failure<'a>(&'a str);

/// A type that is a message and also serialises: it travels as a message.
#[derive(Message, Serialize, Deserialize, Debug, PartialEq)]
#[message(tag = 8)]
struct Both(u16);

/// An alias that hides the type.
type Alias = Both;
type Bytes = Vec<u8>;

#[derive(Message, Protocol)]
enum Values {
    #[message(tag = 1, reply = ())]
    Unit,
    #[message(tag = 2, reply = Result<(), Failure<'_>>)]
    Error,
    #[message(tag = 3, reply = &str)]
    Text,
    #[message(tag = 4, reply = Option<Blob<'_>>)]
    Optional,
    #[message(tag = 5, reply = Vec<Blob<'_>>)]
    Several,
    #[message(tag = 6, reply = Alias)]
    Both,
    #[message(tag = 7, reply = (u8, Bytes))]
    Tuple,
    #[message(tag = 8, reply = ::core::result::Result<Box<Both>, Bytes>)]
    Boxed,
    #[message(tag = 9, reply = [u8; 2])]
    Array,
    #[message(tag = 10, reply = Result<Vec<Refused>, Option<Self>>)]
    Own,
    #[message(tag = 11, reply = ([&str; FEW & MORE], Few<{ FEW & MORE }>))]
    Counted,
}

const FEW: usize = 2;
const MORE: usize = 3;

type Few<const N: usize> = [u8; N];

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[test]
fn every_kind_of_value() {
    is_sent_as::<ValuesUnitAnswer, _, _>(|| Ok(()), &[1]);
    is_sent_as::<ValuesErrorAnswer<'_>, _, _>(|| Ok(()), &[1]);
    is_sent_as::<ValuesErrorAnswer<'_>, _, _>(|| Err(Failure("no")), &[2, 7, 2, b'n', b'o']);
    is_sent_as::<ValuesTextAnswer<'_>, _, _>(|| Ok("no"), &[1, 2, b'n', b'o']);
    is_sent_as::<ValuesOptionalAnswer<'_>, _, _>(|| Ok(None), &[1, 0]);
    is_sent_as::<ValuesOptionalAnswer<'_>, _, _>(
        || Ok(Some(Blob { name: "a", content: b"x" })),
        &[1, 1, 4, 5, 1, b'a', b'x'],
    );
    let (one, other) = (|| Blob { name: "a", content: b"x" }, || Blob { name: "", content: b"" });
    is_sent_as::<ValuesSeveralAnswer<'_>, _, _>(
        || Ok(vec![one(), other()]),
        &[1, 2, 4, 5, 1, b'a', b'x', 2, 5, 0],
    );
    is_sent_as::<ValuesBothAnswer, _, _>(|| Ok(Both(3)), &[1, 8, 3]);
    is_sent_as::<ValuesTupleAnswer, _, _>(|| Ok((9, vec![1, 2])), &[1, 9, 2, 1, 2]);
    is_sent_as::<ValuesBoxedAnswer, _, _>(|| Ok(Box::new(Both(3))), &[1, 8, 3]);
    is_sent_as::<ValuesBoxedAnswer, _, _>(|| Err(vec![4]), &[2, 1, 4]);
    is_sent_as::<ValuesArrayAnswer, _, _>(|| Ok([1, 2]), &[1, 1, 2]);
    is_sent_as::<ValuesCountedAnswer<'_>, _, _>(
        || Ok((["a", "b"], [1, 2])),
        &[1, 1, b'a', 1, b'b', 1, 2],
    );
    is_sent_as::<ValuesOwnAnswer, _, _>(|| Ok(vec![Refused::NotFound]), &[1, 1, 1]);
    is_sent_as::<ValuesOwnAnswer, _, _>(|| Err(Some(Values::Unit)), &[2, 1, 1, 1]);
}

#[derive(Message, Protocol)]
#[message(codec = codec::Postcard)]
enum Small {
    #[message(tag = 1, reply = u32)]
    Number,
}

#[test]
fn the_codec_of_the_protocol() {
    is_sent_as::<SmallNumberAnswer, _, _>(|| Ok(300), &[1, 0xac, 2]);
}

#[derive(Message, Protocol)]
enum Files {
    #[message(tag = 1, reply = Option<File>)]
    One,
    #[message(tag = 2, reply = Vec<std::os::fd::OwnedFd>)]
    Many,
    #[message(tag = 3, reply = Result<SharedBytes, u8>)]
    Shared,
    #[message(tag = 4, reply = Option<PipeReader>)]
    Pipe,
}

#[derive(Message)]
#[message(tag = 1)]
struct Held(#[message(fd)] File);

#[derive(Message, Protocol)]
enum Nested {
    #[message(tag = 1, reply = Result<u64, Held>)]
    One,
}

#[derive(Message, Protocol)]
enum Streamed {
    #[message(tag = 1, items = Held)]
    Files,
    #[message(tag = 2, items = Change<'_>)]
    Changes,
    #[message(tag = 3)]
    Nothing,
}

#[test]
fn descriptors_are_announced() {
    const _: () = {
        assert!(Blobs::ANSWER_DESCRIPTORS && BlobsExportAnswer::DESCRIPTORS);
        assert!(!BlobsPutAnswer::DESCRIPTORS && !BlobsGetAnswer::DESCRIPTORS);
        assert!(!Values::ANSWER_DESCRIPTORS || ValuesSeveralAnswer::DESCRIPTORS);
        assert!(!ValuesTupleAnswer::DESCRIPTORS && !ValuesOptionalAnswer::DESCRIPTORS);
        assert!(FilesOneAnswer::DESCRIPTORS && FilesManyAnswer::DESCRIPTORS);
        assert!(FilesSharedAnswer::DESCRIPTORS && FilesPipeAnswer::DESCRIPTORS);
        assert!(Files::ANSWER_DESCRIPTORS && Nested::ANSWER_DESCRIPTORS);
        assert!(NestedOneAnswer::DESCRIPTORS && Streamed::ANSWER_DESCRIPTORS);
        assert!(!Small::ANSWER_DESCRIPTORS);
    };
    let answer = FilesOneAnswer::from_result(Ok(None));
    assert_eq!(to_vec(&answer).unwrap(), [1, 0]);
    let answer = FilesManyAnswer::from_result(Ok(Vec::new()));
    assert_eq!(to_vec(&answer).unwrap(), [1, 0]);
    let answer = FilesSharedAnswer::from_result(Ok(SharedBytes::new(b"abc").unwrap()));
    assert_eq!(to_vec(&answer).unwrap(), [1]);
    let answer = FilesPipeAnswer::from_result(Ok(None));
    assert_eq!(to_vec(&answer).unwrap(), [1, 0]);
}

#[test]
fn items_are_told_by_their_tags() {
    let streamed = [1, 2, 3, 4].map(|tag| Streamed::returns(tag).has_items());
    assert_eq!(streamed, [true, true, false, false]);
    assert!((0..10).all(|tag| Blobs::returns(tag).has_items() == (tag == 3)));
    assert!((0..10).all(|tag| !Values::returns(tag).has_items()));
}

/// A type of ours that has the name of a descriptor.
#[expect(unused_qualifications, reason = "as the error says")]
mod own {
    use datagrammar::{Message, Protocol, to_vec};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct File {
        name: String,
    }

    #[derive(Message, Protocol, Debug, PartialEq)]
    enum Store {
        #[message(tag = 1, reply = self::File)]
        Get(self::File),
    }

    #[test]
    fn a_path_tells_it_from_a_descriptor() {
        let file = || File { name: "a".into() };
        assert_eq!(to_vec(&Store::Get(file())).unwrap(), [1, 1, b'a']);
        assert_eq!(Store::decode(&[1, 1, b'a']).unwrap(), Store::Get(file()));
        super::is_sent_as::<StoreGetAnswer, _, _>(|| Ok(file()), &[1, 1, b'a']);
    }
}

/// Answers with messages of the protocol, which borrow.
mod itself {
    use datagrammar::{Message, Protocol};

    #[derive(Message, Protocol, Debug, PartialEq)]
    enum Tree<'a> {
        #[message(tag = 1, reply = Result<Vec<Self>, Self>)]
        Leaves { of: &'a str },
    }

    #[test]
    fn an_answer_of_the_protocols_own_type_borrows_with_it() {
        let leaf = || Tree::Leaves { of: "a" };
        let answer = [1, 2, 3, 1, 1, b'a', 3, 1, 1, b'a'];
        super::is_sent_as::<TreeLeavesAnswer<'_>, _, _>(|| Ok(vec![leaf(), leaf()]), &answer);
        super::is_sent_as::<TreeLeavesAnswer<'_>, _, _>(|| Err(leaf()), &[2, 1, 1, b'a']);
    }
}
