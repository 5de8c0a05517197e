//! Describes a datagram that an outlet could not send.

use crate::backlog::Datagram;
use crate::error::SendError;
use crate::wire::CallHead;

/// A datagram that was not sent.
#[derive(Debug)]
pub(crate) struct Unsent {
    /// The head of each part of a call. `None` is a frame without a head: a call that has no answer.
    pub(crate) parts: Vec<Option<CallHead>>,
    pub(crate) error: SendError,
    /// Whether nothing more can be sent.
    pub(crate) is_last: bool,
    /// The counts of sent bytes before and after this datagram: see `Queued::end`.
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Unsent {
    pub(super) fn new(datagram: &Datagram, error: SendError, start: u64) -> Self {
        let mut is_bare = false;
        let parts: Vec<_> = datagram
            .frames()
            .map(|frame| {
                let (head, message) = CallHead::split(frame)?;
                is_bare = message.is_empty();
                Some(head)
            })
            .collect();
        // A bundle has parts of many calls. If the kernel refuses even a part without a message, it would also refuse a
        // part that reports the failure.
        let is_last = error.is_fatal() || parts.len() > 1 || is_bare;
        Self { parts, error, is_last, start, end: start + datagram.room() as u64 }
    }
}
