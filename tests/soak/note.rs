//! The message of connections and sockets, which shows any damage.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use datagrammar::{Message, OwnedFrame};
use rustix::fs::MemfdFlags;

/// A numbered message. Each byte of its body is the lowest byte of the number.
#[derive(Message, Debug)]
pub(crate) enum Note<'a> {
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    /// The content of the file is the number.
    #[message(tag = 2)]
    File {
        number: u64,
        #[message(fd)]
        file: OwnedFd,
        #[message(rest)]
        body: &'a [u8],
    },
}

/// The properties of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) number: u64,
    /// The length of the body in bytes.
    pub(crate) len: usize,
    pub(crate) has_file: bool,
}

impl Made {
    pub(crate) fn body(&self) -> Vec<u8> {
        vec![self.number as u8; self.len]
    }

    pub(crate) fn note<'b>(&self, body: &'b [u8]) -> Note<'b> {
        let number = self.number;
        if !self.has_file {
            return Note::Plain { number, body };
        }
        let memfd = rustix::fs::memfd_create("number", MemfdFlags::CLOEXEC).unwrap();
        let mut file = File::from(memfd);
        file.write_all(&number.to_ne_bytes()).unwrap();
        Note::File { number, file: file.into(), body }
    }

    /// Creates the message, and lends it to `act`.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&Note<'_>) -> T) -> T {
        act(&self.note(&self.body()))
    }

    /// Returns the length of the frame in bytes.
    pub(crate) fn frame_len(&self) -> usize {
        let head = Note::Plain { number: self.number, body: &[] };
        OwnedFrame::<Note<'static>>::encode(&head).unwrap().len() + self.len
    }

    /// Checks that `frame` is the frame of this message.
    pub(crate) fn check(&self, mut frame: OwnedFrame<Note<'static>>) {
        let &Self { number, len, has_file } = self;
        assert_eq!(frame.len(), self.frame_len());
        let (found, body, file) = match frame.decode().unwrap() {
            Note::Plain { number, body } => (number, body, None),
            Note::File { number, file, body } => (number, body, Some(file)),
        };
        assert_eq!((found, body.len(), file.is_some()), (number, len, has_file));
        assert!(body.iter().all(|&byte| byte == number as u8), "the body of {number} is damaged");
        if let Some(file) = file {
            let mut text = [0; 8];
            File::from(file).read_exact_at(&mut text, 0).unwrap();
            assert_eq!(u64::from_ne_bytes(text), number, "the descriptor of another message");
        }
    }
}

/// Returns the number of a message: the varint after the tag.
pub(crate) fn number_of(frame: &OwnedFrame<Note<'static>>) -> u64 {
    match *frame.bytes() {
        [_, number @ ..=250, ..] => number.into(),
        [_, 251, low, high, ..] => u16::from_le_bytes([low, high]).into(),
        [_, 252, a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]).into(),
        _ => panic!("no number: {frame:?}"),
    }
}
