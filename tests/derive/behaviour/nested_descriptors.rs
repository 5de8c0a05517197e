//! Descriptors of nested messages: they are taken depth first, and their numbers add up.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::OwnedFd;

use datagrammar::{Connection, DecodeError, Descriptors, Message, to_vec};

#[derive(Message, Debug)]
enum Part {
    #[message(tag = 1)]
    File(#[message(fd)] File),
    #[message(tag = 2)]
    Files {
        #[message(fd)]
        first: Option<OwnedFd>,
        #[message(fd)]
        more: Vec<OwnedFd>,
    },
    #[message(tag = 3)]
    Nothing,
    #[message(tag = 4, extensible)]
    Grown(u8),
    #[message(tag = 5)]
    Deep(#[message(nested)] Box<Self>),
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Plain(#[message(nested)] Option<Envelope<Nothing>>);

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Nothing;

type Parts = Vec<Part>;
type MaybePart = Option<Part>;
type MaybeNothing = Option<Nothing>;

/// Messages in fields with type aliases.
#[derive(Message, Debug)]
#[message(tag = 1)]
struct Aliases(#[message(nested)] Parts);

#[derive(Message, Debug)]
#[message(tag = 1)]
struct MaybeAlias(#[message(nested)] MaybePart, #[message(nested)] MaybeNothing);

#[derive(Message, Debug)]
#[message(tag = 1)]
struct NoneByAlias(#[message(nested)] MaybeNothing);

mod other {
    use super::*;

    /// A type that holds another type of the same name.
    #[derive(Message, Debug)]
    #[message(tag = 1)]
    pub(super) struct Part(#[message(nested)] super::Part);
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Envelope<M>(#[message(nested)] M);

#[derive(Message, Debug)]
enum Parcel {
    #[message(tag = 1)]
    All {
        #[message(fd)]
        before: File,
        #[message(nested)]
        part: Part,
        #[message(nested)]
        parts: Vec<Part>,
        #[message(fd)]
        after: Option<OwnedFd>,
    },
    #[message(tag = 2, extensible)]
    Lenient(#[message(nested)] Part, #[message(fd)] Vec<OwnedFd>),
}

/// The same in a newer version: `Grown` has one more descriptor.
#[derive(Message, Debug)]
enum NewerPart {
    #[message(tag = 4, extensible)]
    Grown(u8, #[message(fd, default)] Option<OwnedFd>),
}

#[derive(Message, Debug)]
enum NewerParcel {
    #[message(tag = 1)]
    All {
        #[message(fd)]
        before: File,
        #[message(nested)]
        part: NewerPart,
        #[message(nested)]
        parts: Vec<NewerPart>,
        #[message(fd)]
        after: Option<OwnedFd>,
    },
}

/// A message around a message that may have descriptors.
#[derive(Message, Debug)]
#[message(tag = 1)]
struct Around(#[message(nested)] Parcel);

fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn text(fd: impl Into<OwnedFd>) -> String {
    let (mut file, mut text) = (File::from(fd.into()), String::new());
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn descriptors_are_taken_depth_first() {
    const { assert!(Part::DESCRIPTORS && Parcel::DESCRIPTORS && Around::DESCRIPTORS) }
    const { assert!(!Plain::DESCRIPTORS && !Envelope::<Plain>::DESCRIPTORS) }
    const { assert!(Envelope::<Parcel>::DESCRIPTORS) }
    const { assert!(Aliases::DESCRIPTORS && MaybeAlias::DESCRIPTORS && !NoneByAlias::DESCRIPTORS) }
    const { assert!(other::Part::DESCRIPTORS) }

    let (mut left, mut right) = Connection::<Around, Around>::pair().unwrap();
    let part = Part::Files { first: Some(file("1").into()), more: vec![file("2").into()] };
    let parts = vec![
        Part::Nothing,
        Part::File(file("3")),
        Part::Deep(Box::new(Part::Deep(Box::new(Part::File(file("4")))))),
        Part::Files { first: None, more: vec![file("5").into(), file("6").into()] },
    ];
    let after = Some(file("7").into());
    left.send(&Around(Parcel::All { before: file("0"), part, parts, after })).unwrap();

    let frame = right.recv().unwrap().unwrap();
    assert_eq!(frame.descriptor_count(), 8);
    let Around(Parcel::All { before, part, parts, after }) = frame.decode().unwrap() else {
        panic!()
    };
    let Part::Files { first: Some(first), more } = part else { panic!() };
    let Ok(
        [
            Part::Nothing,
            Part::File(third),
            Part::Deep(deep),
            Part::Files { first: None, more: last },
        ],
    ) = <[Part; 4]>::try_from(parts)
    else {
        panic!()
    };
    let Part::Deep(deep) = *deep else { panic!() };
    let Part::File(fourth) = *deep else { panic!() };
    let mut all = vec![text(before), text(first)];
    all.extend(more.into_iter().map(text));
    all.extend([text(third), text(fourth)]);
    all.extend(last.into_iter().map(text));
    all.push(text(after.unwrap()));
    assert_eq!(all, ["0", "1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn as_many_descriptors_come_as_are_declared_inside() {
    let received = |frame: &[u8], count: usize| {
        let files: Vec<OwnedFd> = (0..count).map(|at| file(&at.to_string()).into()).collect();
        Parcel::decode_with(frame, &mut Descriptors::from(files))
    };
    // A file before, a file inside, none after.
    let frame = [1, 1, 1, 0, 0];
    assert!(received(&frame, 2).is_ok());
    for count in [0, 1, 3] {
        let error = received(&frame, count).unwrap_err();
        assert!(matches!(error, DecodeError::FdCount { received, .. } if received == count));
    }
    assert!(matches!(Parcel::decode(&frame), Err(DecodeError::FdCount { received: 0, .. })));
}

#[test]
fn descriptors_of_what_is_newer_are_not_taken_for_others() {
    let sent = |part: NewerPart, after: Option<&str>| {
        let after = after.map(|after| file(after).into());
        let message = NewerParcel::All { before: file("before"), part, parts: vec![], after };
        let frame = to_vec(&message).unwrap();
        let NewerParcel::All { before, part: NewerPart::Grown(_, inside), after, .. } = message;
        let all: Vec<OwnedFd> =
            [Some(before.into()), inside, after].into_iter().flatten().collect();
        Parcel::decode_with(&frame, &mut Descriptors::from(all))
    };
    // The unknown part has no descriptor: the later fields get theirs.
    let Parcel::All { after, .. } = sent(NewerPart::Grown(1, None), Some("after")).unwrap() else {
        panic!()
    };
    assert_eq!(text(after.unwrap()), "after");
    // The unknown part has a descriptor, and no later field declares one.
    let inside = Some(file("inside").into());
    assert!(matches!(sent(NewerPart::Grown(1, inside), None), Ok(Parcel::All { after: None, .. })));
    // The unknown part has a descriptor, and a later field declares one: it is unclear which is which.
    let inside = Some(file("inside").into());
    let error = sent(NewerPart::Grown(1, inside), Some("after")).unwrap_err();
    assert!(matches!(error, DecodeError::FdUnclear), "{error}");
}

#[test]
fn more_descriptors_come_only_with_more_bytes() {
    let received = |frame: &[u8]| {
        let more = vec![file("more").into()];
        Parcel::decode_with(frame, &mut Descriptors::from(more))
    };
    // A message without descriptors, and no files after it.
    let frame = [2, 1, 3, 0];
    let error = received(&frame).unwrap_err();
    assert!(matches!(error, DecodeError::FdCount { declared: 0, received: 1 }), "{error}");
    let newer = [&frame[..], &[9]].concat();
    assert!(
        matches!(received(&newer), Ok(Parcel::Lenient(Part::Nothing, files)) if files.is_empty())
    );
}
