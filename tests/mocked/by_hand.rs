//! Frames and peers made by hand.

use std::fs::File;
use std::io::{PipeReader, Read as _};
use std::os::fd::OwnedFd;

use datagrammar::{
    Connection, DecodeError, EncodeError, Frame, Message, OwnedFrame, SendError, Wait,
};

use crate::store::file;

#[derive(Message, Debug, PartialEq)]
enum Text<'a> {
    #[message(tag = 1)]
    Line(&'a str),
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Import {
    #[message(fd)]
    file: File,
}

#[test]
fn they_are_checked_as_received_ones() {
    let frame = Frame::<Text<'_>>::from_parts(b"\x01\x02ab", Vec::new());
    assert_eq!((frame.len(), frame.tag().unwrap(), frame.descriptor_count()), (4, 1, 0));
    assert!(frame.sender().is_none());
    let mut kept = frame.into_owned();
    assert_eq!(kept.decode().unwrap(), Text::Line("ab"));
    let mut frame = OwnedFrame::<Text<'_>>::from_parts(b"\x01\x02a".to_vec(), Vec::new());
    assert!(matches!(frame.decode(), Err(DecodeError::Field { .. })));
    let frame = Frame::<Text<'_>>::from_parts(b"", Vec::new());
    assert!(matches!(frame.decode(), Err(DecodeError::Empty)));
}

#[test]
fn descriptors_are_for_fields_that_take_them() {
    let frame = Frame::<Import>::from_parts(b"\x01", vec![file(b"content").into()]);
    assert_eq!(frame.descriptor_count(), 1);
    let mut content = String::new();
    frame.decode().unwrap().file.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content");
    let two = vec![file(b"").into(), file(b"").into()];
    let frame = Frame::<Import>::from_parts(b"\x01", two);
    assert!(matches!(frame.decode(), Err(DecodeError::FdCount { declared: 1, received: 2 })));

    // A type without such fields gets no descriptors, as from a receiver: they are closed.
    let pipe = || -> (PipeReader, OwnedFd) {
        let (reader, writer) = std::io::pipe().unwrap();
        (reader, writer.into())
    };
    let (mut reader, writer) = pipe();
    let frame = Frame::<Text<'_>>::from_parts(b"\x01\x00", vec![writer]);
    assert_eq!(frame.descriptor_count(), 0);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    let (mut reader, writer) = pipe();
    let frame = OwnedFrame::<Text<'_>>::from_parts(b"\x01\x00".to_vec(), vec![writer]);
    assert_eq!(frame.descriptor_count(), 0);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_no_frame_is_not_sent() {
    let (mut ours, mut theirs) = Connection::<Text<'_>, Text<'_>>::pair().unwrap();
    // A receiver would mistake it for a bundle.
    let bundle = b"\0\x04\0\0\0\0\x01\0\0\0\0\0\0\0\x03\x01\x01a".to_vec();
    let sent = ours.tx.send_frame(&OwnedFrame::from_parts(bundle, Vec::new()), Wait::Block);
    assert!(matches!(sent, Err(SendError::Encode(EncodeError::ReservedTag))), "{sent:?}");
    let sent = ours.tx.send_frame(&OwnedFrame::from_parts(Vec::new(), Vec::new()), Wait::Block);
    assert!(matches!(sent, Err(SendError::Encode(EncodeError::Empty))), "{sent:?}");
    let frame = OwnedFrame::from_parts(b"\x01\x01b".to_vec(), Vec::new());
    assert_eq!(ours.tx.send_frame(&frame, Wait::Block).unwrap(), 3);
    assert_eq!(theirs.recv().unwrap().unwrap().decode().unwrap(), Text::Line("b"));
}
