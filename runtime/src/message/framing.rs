//! Frames in an encoder: appends them, finds them, and returns them as slices for sending.

use std::io::IoSlice;
use std::ops::Deref;
use std::os::fd::BorrowedFd;

use super::contract::Message;
use super::encoder::Encoder;
use super::extent::{Borrowed, Extent, MAX_BORROWED, MAX_SLICES, Mark};
use crate::error::EncodeError;
use crate::wire::{HEAD_LEN, frame_len_bytes};

/// Encodes a message as a frame, for tests, files and other transports.
///
/// The endpoints do not need this function: they encode into a buffer that they reuse. The frame does not contain the
/// descriptors of `fd` fields.
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
/// Those of [`Message::encode`], and [`EncodeError::Empty`] if it writes nothing.
pub fn to_vec<M: Message>(message: &M) -> Result<Vec<u8>, EncodeError> {
    let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
    // Small frames fit without a reallocation.
    let mut encoder = Encoder::new(Vec::with_capacity(32), &mut borrowed);
    let (extent, len) = encoder.append(message)?;
    Ok(encoder.into_frame(extent, len))
}

/// The bytes of one frame, in slices.
pub(crate) enum Slices<'p> {
    /// No bytes are borrowed. This needs no room for more slices, which takes time to prepare.
    One([IoSlice<'p>; 1]),
    Many {
        places: [IoSlice<'p>; MAX_SLICES],
        used: usize,
    },
}

impl<'p> Deref for Slices<'p> {
    type Target = [IoSlice<'p>];

    #[inline]
    fn deref(&self) -> &[IoSlice<'p>] {
        match self {
            Self::One(slice) => slice,
            Self::Many { places, used } => places.get(..*used).unwrap_or_default(),
        }
    }
}

impl<'m> Encoder<'m> {
    /// Removes all frames.
    pub(crate) fn clear(&mut self) {
        self.truncate(Mark::START);
    }

    /// Returns the end of the last frame, which is the start of the next one.
    #[inline]
    pub(crate) fn end(&self) -> Mark {
        let descriptors = self.descriptors.len();
        Mark { bytes: self.buffer.len(), borrowed: self.count, descriptors }
    }

    /// Removes everything after `mark`.
    pub(crate) fn truncate(&mut self, mark: Mark) {
        self.buffer.truncate(mark.bytes);
        self.count = mark.borrowed;
        self.descriptors.truncate(mark.descriptors);
    }

    /// Returns whether there is room for all references of one more frame.
    #[inline]
    pub(crate) fn has_places(&self) -> bool {
        self.borrowed.len() - self.count >= MAX_BORROWED
    }

    /// Appends a message as a frame. Returns its position, and its length in bytes. After an error, nothing is
    /// appended.
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

    /// Appends the length of a frame, then the message as that frame, for a bundle. Returns the position and the
    /// length of the frame without that prefix. After an error, nothing is appended.
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
        // The length takes more than one byte: move the frame.
        self.buffer.splice(place, bytes);
        let moved = count - 1;
        for borrowed in self.borrowed.get_mut(mark.borrowed..self.count).unwrap_or_default() {
            borrowed.at += moved;
        }
        extent.from.bytes += moved;
        extent.to.bytes += moved;
        Ok((extent, len))
    }

    /// Leaves room for the head of a bundle. [`set_head`](Self::set_head) writes it.
    pub(crate) fn skip_head(&mut self) {
        self.buffer.extend_from_slice(&[0; HEAD_LEN]);
    }

    /// Writes the head of a bundle at the start of the buffer.
    pub(crate) fn set_head(&mut self, head: [u8; HEAD_LEN]) {
        if let Some(place) = self.buffer.first_chunk_mut() {
            *place = head;
        }
    }

    /// Returns the bytes of one frame, at `extent`, as slices in the order of sending.
    #[inline]
    pub(crate) fn slices(&self, extent: Extent) -> Slices<'_> {
        let Extent { from, to } = extent;
        if from.borrowed == to.borrowed {
            let bytes = self.buffer.get(from.bytes..to.bytes).unwrap_or_default();
            return Slices::One([IoSlice::new(bytes)]);
        }
        let mut places = [IoSlice::new(&[]); MAX_SLICES];
        let used = self.fill(extent, &mut places);
        Slices::Many { places, used }
    }

    /// Returns the bytes of `extent`, which may have many frames, as slices in `places`.
    pub(crate) fn slices_in<'p>(
        &'p self,
        extent: Extent,
        places: &'p mut [IoSlice<'p>],
    ) -> &'p [IoSlice<'p>] {
        let used = self.fill(extent, places);
        places.get(..used).unwrap_or_default()
    }

    /// Writes the slices of `extent` to `places`, and returns how many they are.
    fn fill<'p>(&'p self, Extent { from, to }: Extent, places: &mut [IoSlice<'p>]) -> usize {
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
        used
    }

    /// Returns the descriptors of the frame at `extent`.
    #[inline]
    pub(crate) fn descriptors_of(&self, Extent { from, to }: Extent) -> &[BorrowedFd<'m>] {
        self.descriptors.get(from.descriptors..to.descriptors).unwrap_or_default()
    }

    /// Returns the bytes of the only frame, which is at `extent` and has `len` bytes.
    pub(crate) fn into_frame(self, extent: Extent, len: usize) -> Vec<u8> {
        if self.count == 0 {
            return self.buffer;
        }
        let mut frame = Vec::with_capacity(len);
        self.slices(extent).iter().for_each(|slice| frame.extend_from_slice(slice));
        frame
    }

    /// Uses the memory of `kept` for descriptors.
    #[inline]
    pub(crate) fn with_descriptors_in(self, kept: Vec<BorrowedFd<'static>>) -> Self {
        Self { descriptors: kept, ..self }
    }

    /// Returns the buffer and the empty memory for descriptors, to be used again.
    #[inline]
    pub(crate) fn into_memory(self) -> (Vec<u8>, Vec<BorrowedFd<'static>>) {
        // Collects nothing into the same memory.
        let descriptors = self.descriptors.into_iter().map_while(|_| None).collect();
        (self.buffer, descriptors)
    }
}
