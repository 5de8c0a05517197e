//! The datagrams that wait to be sent, and the memory for more.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice};
use std::iter;
use std::os::fd::{BorrowedFd, OwnedFd};

use super::pool::Pool;
use crate::bundle::Bundle;
use crate::error::{EncodeError, SendError};
use crate::outbox::MAX_BUNDLED;
use crate::transport::Outgoing;
use crate::wire::{MAX_BUNDLE, read_frame_len};

/// The most datagrams for which an idle queue keeps memory.
const MAX_IDLE_DATAGRAMS: usize = 64;

/// How much room a descriptor takes, in bytes: 16 of them take 64 KiB. They are as scarce as memory.
const DESCRIPTOR_ROOM: usize = 4096;

/// Returns how much room a frame of `len` bytes takes in a queue, with this many descriptors.
#[inline]
pub(crate) fn room(len: usize, descriptors: usize) -> usize {
    len.saturating_add(descriptors.saturating_mul(DESCRIPTOR_ROOM))
}

/// Datagrams in order. Small frames join the last one, if it is a bundle.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    datagrams: VecDeque<Datagram>,
    /// Memory for bundles, and for frames that wait and may be in one.
    bundles: Pool<MAX_BUNDLE>,
    frames: Pool<MAX_BUNDLED>,
}

/// A datagram to send: one frame, or several in a bundle.
#[derive(Debug)]
pub(crate) struct Datagram {
    content: Content,
    /// The room that its frames take.
    room: usize,
}

#[derive(Debug)]
enum Content {
    Bundle(Bundle),
    Alone(HeldFrame),
}

/// A frame that owns its bytes and descriptors.
#[derive(Debug)]
pub(crate) struct HeldFrame {
    bytes: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Backlog {
    /// Adds a frame that may be in a bundle.
    #[inline]
    pub(crate) fn push(&mut self, frame: &[IoSlice<'_>], len: usize) {
        let last = self.datagrams.back_mut();
        if let Some(Datagram { content: Content::Bundle(bundle), room }) = last
            && bundle.has_room(len)
        {
            bundle.push(frame, len);
            *room += len;
            return;
        }
        let mut bundle = Bundle::in_buffer(self.bundles.take());
        bundle.push(frame, len);
        self.datagrams.push_back(Datagram { content: Content::Bundle(bundle), room: len });
    }

    /// Adds a frame. Returns its memory if that is free now.
    pub(crate) fn push_held(&mut self, frame: HeldFrame) -> Vec<u8> {
        let len = frame.bytes.len();
        if !frame.is_alone() {
            self.push(&[IoSlice::new(&frame.bytes)], len);
            return frame.bytes;
        }
        let room = frame.room();
        self.datagrams.push_back(Datagram { content: Content::Alone(frame), room });
        Vec::new()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Removes the first datagram.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        self.datagrams.pop_front()
    }

    /// Returns memory for a frame of `len` bytes, empty if none is kept.
    pub(crate) fn buffer(&mut self, len: usize) -> Vec<u8> {
        if len <= MAX_BUNDLED { self.frames.take() } else { Vec::new() }
    }

    /// Keeps the memory of a frame, to be used again. Returns it if it is too large.
    pub(crate) fn keep(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        self.frames.keep(buffer)
    }

    /// Keeps the memory of a datagram, to be used again. Returns it if it is too large.
    #[inline]
    pub(crate) fn keep_bundle(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        self.bundles.keep(buffer)
    }

    /// Returns whether there is memory that an idle queue does not keep.
    pub(crate) fn is_large(&self) -> bool {
        self.bundles.is_large()
            || self.frames.is_large()
            || self.datagrams.capacity() > MAX_IDLE_DATAGRAMS
    }

    /// Moves the memory that an idle queue does not keep to `unused`.
    pub(crate) fn shrink(&mut self, unused: &mut Vec<Vec<u8>>) {
        self.bundles.shrink(unused);
        self.frames.shrink(unused);
        if self.datagrams.capacity() > MAX_IDLE_DATAGRAMS {
            self.datagrams.shrink_to(0);
        }
    }
}

impl Datagram {
    /// Returns the bytes to send, and the descriptors.
    #[inline]
    pub(crate) fn content(&mut self) -> (&[u8], &[OwnedFd]) {
        match &mut self.content {
            Content::Bundle(bundle) => (bundle.datagram(), &[]),
            Content::Alone(HeldFrame { bytes, descriptors }) => (bytes, descriptors),
        }
    }

    /// Returns its frames, each a slice. The descriptors belong to the only frame of a datagram that has any.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        let (mut alone, mut bundled) = match &self.content {
            Content::Bundle(bundle) => (None, bundle.frames()),
            Content::Alone(frame) => (Some(&*frame.bytes), &[][..]),
        };
        iter::from_fn(move || {
            alone.take().or_else(|| {
                let (len, rest) = read_frame_len(bundled)?;
                let (frame, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
                bundled = rest;
                Some(frame)
            })
        })
    }

    /// Returns the room that its frames take.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Frees its bytes and descriptors, if it is a frame alone.
    pub(crate) fn free(&mut self) {
        if let Content::Alone(frame) = &mut self.content {
            *frame = HeldFrame { bytes: Vec::new(), descriptors: Vec::new() };
        }
    }

    /// Returns the number of its frames, the room that they take, and its memory. Closes its descriptors.
    pub(crate) fn into_parts(self) -> (usize, usize, Vec<u8>) {
        match self.content {
            Content::Bundle(bundle) => (bundle.count(), self.room, bundle.into_buffer()),
            Content::Alone(frame) => (1, self.room, frame.bytes),
        }
    }
}

impl HeldFrame {
    /// Returns its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether it travels in a datagram of its own.
    pub(crate) fn is_alone(&self) -> bool {
        !Bundle::admits(self.bytes.len(), self.descriptors.len())
    }

    /// Returns how much room it takes in a queue.
    pub(crate) fn room(&self) -> usize {
        room(self.bytes.len(), self.descriptors.len())
    }

    /// Copies a frame into `buffer`, and duplicates its descriptors.
    pub(crate) fn copy(frame: Outgoing<'_>, mut buffer: Vec<u8>) -> Result<Self, SendError> {
        let Outgoing { slices, descriptors, len } = frame;
        buffer.clear();
        buffer
            .try_reserve_exact(len)
            .map_err(|_| SendError::Io { len, source: ErrorKind::OutOfMemory.into() })?;
        for slice in slices {
            buffer.extend_from_slice(slice);
        }
        let descriptors = descriptors.iter().map(BorrowedFd::try_clone_to_owned);
        let descriptors = descriptors.collect::<Result<_, _>>().map_err(EncodeError::Fd)?;
        Ok(Self { bytes: buffer, descriptors })
    }
}
