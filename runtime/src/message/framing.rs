//! Frames in an encoder: how a message becomes one, where it is, and the slices that it is sent in.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

use super::contract::Message;
use super::encoder::Encoder;
use super::extent::{Borrowed, Extent, MAX_BORROWED, MAX_SLICES, Mark};
use crate::error::EncodeError;
use crate::wire::{HEAD_LEN, frame_len_bytes};

/// Encodes a message into a frame of its own.
///
/// Endpoints do this into a buffer that they keep; here for tests, files and other transports. The
/// descriptors of `fd` fields are not in the frame, but beside it, and are left out.
///
/// ```
/// # #[derive(datagrammar::Message)]
/// # enum Request { #[message(tag = 1)] Ping }
/// assert_eq!(datagrammar::to_vec(&Request::Ping)?, [1]);
/// # Ok::<(), datagrammar::EncodeError>(())
/// ```
///
/// # Errors
///
/// As [`Message::encode`].
pub fn to_vec<M: Message>(message: &M) -> Result<Vec<u8>, EncodeError> {
    let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
    // Small frames fit without growing.
    let mut encoder = Encoder::new(Vec::with_capacity(32), &mut borrowed);
    let (extent, len) = encoder.append(message)?;
    Ok(encoder.into_frame(extent, len))
}

impl<'m> Encoder<'m> {
    /// Empties the encoder, for other frames.
    pub(crate) fn clear(&mut self) {
        self.truncate(Mark::START);
    }

    /// Where a frame ends that is written next to those that there are, and where the next one begins.
    #[inline]
    pub(crate) fn end(&self) -> Mark {
        let descriptors = self.descriptors.len();
        Mark { bytes: self.buffer.len(), borrowed: self.count, descriptors }
    }

    /// Forgets what was written after `mark`.
    pub(crate) fn truncate(&mut self, mark: Mark) {
        self.buffer.truncate(mark.bytes);
        self.count = mark.borrowed;
        self.descriptors.truncate(mark.descriptors);
    }

    /// Whether there are places for all that a further frame may borrow.
    #[inline]
    pub(crate) fn has_places(&self) -> bool {
        self.borrowed.len() - self.count >= MAX_BORROWED
    }

    /// Writes a message as a frame after those that there are. Where it is, and its length in bytes. After
    /// an error, nothing is written.
    #[inline]
    pub(crate) fn append<M: Message>(
        &mut self,
        message: &'m M,
    ) -> Result<(Extent, usize), EncodeError> {
        let from = self.end();
        self.start = from;
        let result = message.encode(self).and_then(|()| match self.len() {
            0 => Err(EncodeError::Empty),
            len => Ok((Extent { from, to: self.end() }, len)),
        });
        if result.is_err() {
            self.truncate(from);
        }
        result
    }

    /// Writes a message as a frame of a bundle: behind its length. Where it is, and its length, without
    /// what is before it. After an error, nothing is written.
    #[inline]
    pub(crate) fn append_behind_len<M: Message>(
        &mut self,
        message: &'m M,
    ) -> Result<(Extent, usize), EncodeError> {
        let mark = self.end();
        self.buffer.push(0);
        let appended = self.append(message);
        let Ok((mut extent, len)) = appended else {
            self.truncate(mark);
            return appended;
        };
        let (bytes, count) = frame_len_bytes(len);
        let place = mark.bytes..mark.bytes + 1;
        if let ([byte, ..], 1) = (bytes, count) {
            if let Some(place) = self.buffer.get_mut(mark.bytes) {
                *place = byte;
            }
            return Ok((extent, len));
        }
        // Longer than expected: what follows moves.
        self.buffer.splice(place, bytes);
        let moved = count - 1;
        for borrowed in self.borrowed.get_mut(mark.borrowed..self.count).unwrap_or_default() {
            borrowed.at += moved;
        }
        extent.from.bytes += moved;
        extent.to.bytes += moved;
        Ok((extent, len))
    }

    /// Leaves room for the head of a bundle, which [`set_head`](Self::set_head) fills.
    pub(crate) fn skip_head(&mut self) {
        self.buffer.extend_from_slice(&[0; HEAD_LEN]);
    }

    /// Writes the head of a bundle to the front.
    pub(crate) fn set_head(&mut self, head: [u8; HEAD_LEN]) {
        if let Some(place) = self.buffer.first_chunk_mut() {
            *place = head;
        }
    }

    /// The bytes of `extent`, in slices to be sent one after the other.
    #[inline]
    pub(crate) fn slices<'p>(
        &'p self,
        Extent { from, to }: Extent,
        places: &'p mut [IoSlice<'p>],
    ) -> &'p [IoSlice<'p>] {
        let mut used = 0;
        let mut push = |bytes: &'p [u8]| {
            if !bytes.is_empty()
                && let Some(place) = places.get_mut(used)
            {
                *place = IoSlice::new(bytes);
                used += 1;
            }
        };
        let mut start = from.bytes;
        for borrowed in self.borrowed.get(from.borrowed..to.borrowed).unwrap_or_default() {
            push(self.buffer.get(start..borrowed.at).unwrap_or_default());
            push(borrowed.bytes);
            start = borrowed.at;
        }
        push(self.buffer.get(start..to.bytes).unwrap_or_default());
        places.get(..used).unwrap_or_default()
    }

    /// The descriptors beside the frame at `extent`.
    #[inline]
    pub(crate) fn descriptors_of(&self, Extent { from, to }: Extent) -> &[BorrowedFd<'m>] {
        self.descriptors.get(from.descriptors..to.descriptors).unwrap_or_default()
    }

    /// The frame at `extent`, the only one, of `len` bytes.
    pub(crate) fn into_frame(self, extent: Extent, len: usize) -> Vec<u8> {
        if self.count == 0 {
            return self.buffer;
        }
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut frame = Vec::with_capacity(len);
        for slice in self.slices(extent, &mut slices) {
            frame.extend_from_slice(slice);
        }
        frame
    }

    /// The buffer, for the next messages.
    #[inline]
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
