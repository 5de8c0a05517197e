//! Reuses the memory of the futures of handlers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::calls::Trace;

/// A future of a handler, or the room for one.
pub(super) type Room<F> = Pin<Box<Option<F>>>;

/// The most bytes of rooms that are kept.
const MAX_KEPT: usize = 256 * 1024;

/// Rooms without a future.
#[derive(Debug)]
pub(super) struct Spares<F>(Mutex<Vec<Room<F>>>);

impl<F> Spares<F> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Returns a room for a future.
    pub(super) fn take(&self) -> Room<F> {
        let spare = self.lock().pop();
        spare.unwrap_or_else(|| Box::pin(None))
    }

    /// Drops the future, and keeps its room unless there are enough.
    pub(super) fn keep(&self, mut room: Room<F>) {
        room.set(None);
        let mut spares = self.lock();
        if spares.len() < (MAX_KEPT / size_of::<Option<F>>().max(1)).clamp(1, 1024) {
            spares.push(room);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Room<F>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task of a call. When it ends, it gives back the room and the `permit`.
pub(super) struct Task<F, T> {
    room: Option<Room<F>>,
    spares: Arc<Spares<F>>,
    trace: Trace,
    _permit: T,
}

impl<F, T> Task<F, T> {
    pub(super) fn new(room: Room<F>, spares: Arc<Spares<F>>, trace: Trace, permit: T) -> Self {
        Self { room: Some(room), spares, trace, _permit: permit }
    }
}

impl<F: Future<Output = ()>, T: Unpin> Future for Task<F, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let future = this.room.as_mut().and_then(|room| room.as_mut().as_pin_mut());
        if future.is_some_and(|future| this.trace.enter(|| future.poll(cx)).is_pending()) {
            return Poll::Pending;
        }
        if let Some(room) = this.room.take() {
            this.spares.keep(room);
        }
        Poll::Ready(())
    }
}
