//! The protocol of both ways: a call returns its bytes.

use datagrammar::{Message, Protocol};

/// The bytes that each call sends and gets back.
pub(crate) const TEXT: &[u8; 64] = &[b'x'; 64];

#[derive(Message, Protocol)]
pub(crate) enum Echo<'a> {
    #[message(tag = 1, reply = &[u8])]
    Echo { text: &'a [u8] },
}
