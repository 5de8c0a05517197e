//! Connections in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

use crate::calls::memory::{Memory, Sent};
use crate::calls::outlet::Outlet;
use crate::calls::server::{Call, Service, Session};
use crate::message::{Descriptors, Message};
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::wire::HEAD_LEN;

/// Returns a connection in memory, and what the service sends over it.
pub(super) fn session(peer: Option<Arc<Peer>>) -> (Arc<Session>, mpsc::Receiver<Sent>) {
    let (memory, sent) = Memory::new();
    (Arc::new(Session::new(None, Outlet::in_memory(memory), peer)), sent)
}

/// Calls the handler. If it panics, its caller learns of it.
pub(super) fn handle<S: Service>(service: &S, call: Call<S::Protocol>) {
    // The panic hook has reported it, and dropping the call has answered it.
    _ = catch_unwind(AssertUnwindSafe(|| service.handle(call)));
}

/// Returns the frame after the head.
pub(super) fn frame<M: Message>(sent: Sent) -> OwnedFrame<M> {
    OwnedFrame::with_start(sent.bytes, HEAD_LEN, Descriptors::from(sent.descriptors))
}
