//! Bundles: small frames collected one by one into one datagram.

use std::io::IoSlice;
use std::mem;

use crate::outbox::MAX_BUNDLED;
use crate::wire::{HEAD_LEN, Head, MAX_BUNDLE, frame_len_bytes, read_frame_len};

/// A bundle that grows: room for its head, then each length and frame. It has no bytes before the first frame.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    bytes: Vec<u8>,
    count: usize,
}

impl Bundle {
    /// Creates an empty bundle in the memory of `buffer`.
    pub(crate) fn in_buffer(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { bytes: buffer, count: 0 }
    }

    /// Returns whether a frame of `len` bytes, with this many descriptors, may be in any bundle.
    #[inline]
    pub(crate) fn admits(len: usize, descriptors: usize) -> bool {
        len <= MAX_BUNDLED && descriptors == 0
    }

    /// Returns whether a frame of `len` bytes still fits.
    #[inline]
    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.bytes.len().max(HEAD_LEN) + frame_len_bytes(len).1 + len <= MAX_BUNDLE
    }

    /// Adds a frame of `len` bytes, for which there must be room.
    #[inline]
    pub(crate) fn push(&mut self, frame: &[IoSlice<'_>], len: usize) {
        if self.bytes.is_empty() {
            self.bytes.extend_from_slice(&[0; HEAD_LEN]);
        }
        let (bytes, count) = frame_len_bytes(len);
        self.bytes.extend_from_slice(bytes.get(..count).unwrap_or_default());
        for slice in frame {
            self.bytes.extend_from_slice(slice);
        }
        self.count += 1;
    }

    /// Returns the number of frames.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the frames, each after its length.
    pub(crate) fn frames(&self) -> &[u8] {
        self.bytes.get(HEAD_LEN..).unwrap_or_default()
    }

    /// Returns the datagram to send: the bundle, or the frame itself if it is the only one.
    pub(crate) fn datagram(&mut self) -> &[u8] {
        if self.count == 1 {
            return read_frame_len(self.frames()).map(|(_, frame)| frame).unwrap_or_default();
        }
        if let Some(head) = self.bytes.first_chunk_mut() {
            *head = Head::Bundle { count: self.count as u64 }.to_bytes();
        }
        &self.bytes
    }

    /// Removes the frames, and returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        self.bytes.clear();
        mem::take(&mut self.count)
    }

    /// Returns the memory, to be used again.
    pub(crate) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}
