//! A call's turn: it waits until there is room, and queues its frame.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::shared::{Phase, Shared};
use super::waiters::Place;
use crate::backlog::HeldFrame;
use crate::error::SendError;
use crate::transport::Outgoing;

/// A waiting call, which leaves the queue when it is dropped.
#[derive(Debug)]
struct Call<'q> {
    shared: &'q Shared,
    key: Option<usize>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.shared.leave(key);
        }
    }
}

/// Waits for room, and queues a frame.
#[derive(Debug)]
pub(super) struct Turn<'q> {
    call: Call<'q>,
    frame: Option<HeldFrame>,
}

impl<'q> Turn<'q> {
    /// Takes over the call `key`, which entered the queue. Copies its frame into `buffer`.
    pub(super) fn new(
        shared: &'q Shared,
        key: usize,
        frame: Outgoing<'_>,
        buffer: Vec<u8>,
    ) -> Result<Self, SendError> {
        let call = Call { shared, key: Some(key) };
        Ok(Self { call, frame: Some(HeldFrame::copy(frame, buffer)?) })
    }

    /// Queues the frame of a call that was admitted when it entered.
    pub(super) fn finish(mut self) -> Result<u64, SendError> {
        match Pin::new(&mut self).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            // A call that was admitted never waits.
            Poll::Pending => Err(SendError::Closed),
        }
    }
}

impl Future for Turn<'_> {
    type Output = Result<u64, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { call: Call { shared, key }, frame } = &mut *self;
        let mut state = shared.lock();
        if state.phase() != Phase::Open {
            return Poll::Ready(Err(SendError::Closed));
        }
        let Some(own) = *key else { return Poll::Pending };
        let (place, replaced) = state.waiters().poll(own, cx);
        let Place::Admitted { .. } = place else {
            drop(state);
            drop(replaced);
            return Poll::Pending;
        };
        // The room that was reserved for the frame is used by it now.
        state.waiters().remove(own);
        *key = None;
        let Some(frame) = frame.take() else { return Poll::Pending };
        let queued = state.push_held(frame);
        drop(state);
        drop(replaced);
        Poll::Ready(Ok(queued.wake()))
    }
}

/// Waits until the queue no longer accepts messages.
#[derive(Debug)]
pub(super) struct Closed<'q>(Call<'q>);

impl<'q> Closed<'q> {
    pub(super) fn new(shared: &'q Shared) -> Self {
        let key = shared.lock().waiters().add(Place::Watching);
        Self(Call { shared, key: Some(key) })
    }
}

impl Future for Closed<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Call { shared, key } = &self.0;
        let mut state = shared.lock();
        if state.phase() != Phase::Open {
            return Poll::Ready(());
        }
        let replaced = key.and_then(|key| state.waiters().poll(key, cx).1);
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}
