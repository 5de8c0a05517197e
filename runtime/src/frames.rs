//! Frames that have come together.

use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;

use crate::frame::Frame;
use crate::message::Message;
use crate::transport::Batch;

/// Frames that have come together: see [`Receiver::recv_batch`](crate::Receiver::recv_batch), with an
/// example there.
///
/// They can all be held at once. Those that are not taken from here are not lost: they are what is
/// received next.
pub struct Frames<'r, M> {
    batch: Batch<'r>,
    message: PhantomData<fn() -> M>,
}

impl<'r, M: Message> Frames<'r, M> {
    pub(crate) fn new(batch: Batch<'r>) -> Self {
        Self { batch, message: PhantomData }
    }
}

impl<'r, M: Message> Iterator for Frames<'r, M> {
    type Item = Frame<'r, M>;

    #[inline]
    fn next(&mut self) -> Option<Frame<'r, M>> {
        let ((bytes, capacity), descriptors) = self.batch.next()?;
        Some(Frame::new(bytes, capacity, descriptors))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.batch.len(), Some(self.batch.len()))
    }
}

impl<M: Message> ExactSizeIterator for Frames<'_, M> {}

impl<M: Message> FusedIterator for Frames<'_, M> {}

impl<M> fmt::Debug for Frames<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("len", &self.batch.len()).finish_non_exhaustive()
    }
}
