//! `other` without a field: the descriptors of messages that are dropped.

use std::fs::File;
use std::io::{PipeReader, Read as _};
use std::os::fd::OwnedFd;

use datagrammar::{Connection, DecodeError, Descriptors, Message, OwnedFrame, Wait};

#[derive(Message, Debug)]
enum Parcel {
    #[message(tag = 1)]
    File(#[message(fd)] File),
    #[message(tag = 2)]
    Nested(#[message(fd)] File, #[message(nested)] Inner),
    #[message(tag = 3)]
    After(#[message(nested)] Inner, #[message(fd)] File),
    #[message(other)]
    Newer,
}

#[derive(Message, Debug)]
enum Inner {
    #[message(tag = 1)]
    File(#[message(fd)] File),
    #[message(other)]
    Newer,
}

fn pipe() -> (PipeReader, OwnedFd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (reader, writer.into())
}

/// Checks that the other end of a pipe is closed.
#[track_caller]
fn is_closed(mut reader: PipeReader) {
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

#[test]
fn descriptors_are_closed() {
    let ((outer, first), (inner, second)) = (pipe(), pipe());
    let mut descriptors = Descriptors::from(vec![first, second]);
    assert!(matches!(Parcel::decode_with(&[9, 1], &mut descriptors).unwrap(), Parcel::Newer));
    drop(descriptors);
    is_closed(outer);
    is_closed(inner);

    // A nested message of a newer sender may have any number of descriptors.
    let ((_outer, first), (inner, second)) = (pipe(), pipe());
    let mut descriptors = Descriptors::from(vec![first, second]);
    let parcel = Parcel::decode_with(&[2, 1, 9], &mut descriptors).unwrap();
    assert!(matches!(parcel, Parcel::Nested(_, Inner::Newer)));
    drop(descriptors);
    is_closed(inner);

    // It is unknown which fields the descriptors belong to.
    let descriptors = vec![pipe().1, pipe().1];
    let parcel = Parcel::decode_with(&[3, 1, 9], &mut Descriptors::from(descriptors));
    assert!(matches!(parcel, Err(DecodeError::FdUnclear)), "{parcel:?}");
    let one = Parcel::decode_with(&[3, 1, 9], &mut Descriptors::from(vec![pipe().1])).unwrap();
    assert!(matches!(one, Parcel::After(Inner::Newer, _)));
}

#[test]
fn a_kept_frame_can_be_sent_again() {
    let (reader, writer) = pipe();
    let mut frame = OwnedFrame::<Parcel>::from_parts(vec![9, 1], vec![writer]);
    for _ in 0..2 {
        assert!(matches!(frame.decode().unwrap(), Parcel::Newer));
    }
    let (mut ours, mut theirs) = Connection::<Parcel, Parcel>::pair().unwrap();
    ours.tx.send_frame(&frame, Wait::Block).unwrap();
    drop(frame);
    let mut received = theirs.rx.recv_owned(Wait::Block).unwrap().unwrap();
    assert_eq!((received.bytes(), received.descriptor_count()), (&[9, 1][..], 1));
    assert!(matches!(received.decode().unwrap(), Parcel::Newer));
    drop(received);
    is_closed(reader);
}
