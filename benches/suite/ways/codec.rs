//! bincode by hand, into and out of reused buffers.

use anyhow::{Context as _, Result};
use bincode::config;

use crate::feed::Inbox;
use crate::message::Note;

/// Encodes into the beginning of `buffer`.
pub(crate) fn encode<'b>(note: &Note<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
    let len = bincode::serde::encode_into_slice(note, buffer, config::standard())?;
    buffer.get(..len).context("bincode wrote past its buffer")
}

/// Decodes one message, which borrows from `bytes`.
pub(crate) fn note(bytes: &[u8]) -> Result<Note<'_>> {
    let (note, _len) = bincode::serde::borrow_decode_from_slice(bytes, config::standard())?;
    Ok(note)
}

/// Decodes and checks one message.
pub(crate) fn decode(bytes: &[u8], inbox: &mut Inbox) -> Result<()> {
    inbox.take(note(bytes)?)
}
