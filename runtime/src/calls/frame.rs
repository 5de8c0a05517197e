//! Frames as an observer of a client sees them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::message::Message;
use crate::receiver::Part;
use crate::wire::CallKind;

/// A frame of a call that a client sent or received, for logs and metrics: see
/// [`Client::observed`](super::Client::observed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFrame {
    /// The kind of the frame. Requests are sent, all others are received.
    pub kind: CallFrameKind,
    /// The name of the call's variant. `None` for an answer that belongs to no call, and is dropped.
    pub call: Option<&'static str>,
    /// The call's number on its connection. `None` for a call that has no answer.
    pub id: Option<u64>,
    /// The tag of the message: the call's in a request; 1 for a value and 2 for an error in a reply. `None` where the
    /// server answers without a message.
    pub tag: Option<u32>,
    /// The length in bytes as it travels: the message, and the 14 bytes of the call's head, except for calls without an
    /// answer.
    pub len: usize,
}

/// The kind of a [`CallFrame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallFrameKind {
    /// A request.
    Request,
    /// The answer, or the error of a call that failed.
    Reply,
    /// One of several items.
    Item,
    /// The end of the items.
    End,
}

/// The function that sees the frames of a client, if there is one.
#[derive(Default)]
pub(crate) struct Observer(Option<Box<dyn Fn(CallFrame) + Send + Sync>>);

impl Observer {
    pub(crate) fn new(see: impl Fn(CallFrame) + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(see)))
    }

    /// Returns whether there is an observer.
    #[inline]
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Shows a request that was encoded, and is sent next.
    #[inline]
    pub(crate) fn sent<M: Message>(&self, id: Option<u64>, request: &M, len: usize) {
        if let Some(see) = &self.0 {
            let (call, tag) = (Some(request.name()), Some(request.tag()));
            see(CallFrame { kind: CallFrameKind::Request, call, id, tag, len });
        }
    }

    /// Shows a received part. `name` finds the name of a call. If the observer panics, continues: the thread or task
    /// that receives for all calls is not the one that made this call. The panic hook has reported the panic.
    #[inline]
    pub(crate) fn received<M: Message>(
        &self,
        part: &Part,
        name: impl FnOnce(u64) -> Option<&'static str>,
    ) {
        let Some(see) = &self.0 else { return };
        // Only a server that breaks the rules sends a frame without a head. It is dropped.
        let Some(head) = part.head else { return };
        let kind = match head.kind {
            CallKind::Reply => CallFrameKind::Reply,
            CallKind::Item => CallFrameKind::Item,
            CallKind::End => CallFrameKind::End,
            CallKind::Request | CallKind::Cancel | CallKind::Credit => return,
        };
        let (call, tag) = (name(head.id), M::tag_of(part.frame()).ok());
        let frame = CallFrame { kind, call, id: Some(head.id), tag, len: part.len() };
        _ = catch_unwind(AssertUnwindSafe(|| see(frame)));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}
