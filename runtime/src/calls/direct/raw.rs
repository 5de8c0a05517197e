//! Datagrams in, datagrams out.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
#[cfg(feature = "tokio")]
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::local::session;
use crate::calls::deadline::from_millis;
use crate::calls::memory::Outputs;
use crate::calls::protocol::Protocol;
use crate::calls::server::{Call, Running, Session};
use crate::message::Descriptors;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::wire::{CallHead, CallKind, HEAD_LEN, is_reserved};

/// How often to check whether a handler waits for credit.
pub(crate) const RECHECK: Duration = Duration::from_millis(1);

/// A connection in memory.
pub(crate) struct Raw {
    session: Arc<Session>,
    outputs: Outputs,
}

/// A call that may send more.
pub(crate) struct Open {
    id: u64,
    running: Arc<Running>,
}

impl Raw {
    pub(crate) fn new(peer: Option<&Arc<Peer>>) -> Self {
        let (session, outputs) = session(peer);
        Self { session, outputs }
    }

    /// Takes a datagram. If it begins a call, `handle` gets the call. Returns the call that may send parts now.
    pub(crate) fn accept<P: Protocol>(
        &self,
        datagram: &[u8],
        handle: impl FnOnce(Call<P>),
    ) -> Option<Open> {
        let Some((CallHead { kind, number, id }, _frame)) = CallHead::split(datagram) else {
            if datagram.first().is_some_and(|first| !is_reserved(*first)) {
                let frame = OwnedFrame::new(datagram.to_vec(), Descriptors::default(), None);
                let running = self.session.begin_unanswered(false);
                handle(Call::new(frame, Arc::clone(&self.session), running, None));
            }
            return None;
        };
        match kind {
            CallKind::Request => {
                let frame =
                    OwnedFrame::with_start(datagram.to_vec(), HEAD_LEN, Descriptors::default());
                let is_stream = frame.tag().is_ok_and(|tag| P::returns(tag).has_items());
                match self.session.begin(id, from_millis(number), is_stream) {
                    Ok(running) => {
                        let (session, shared) = (Arc::clone(&self.session), Arc::clone(&running));
                        handle(Call::new(frame, session, shared, Some(id)));
                        return Some(Open { id, running });
                    }
                    Err(status) => self.session.refuse(id, status),
                }
            }
            CallKind::Cancel => self.session.cancel(id),
            CallKind::Credit => {
                if let Some(running) = self.session.running(id) {
                    running.add_credit(number);
                    return Some(Open { id, running });
                }
            }
            CallKind::Reply | CallKind::Item | CallKind::End => {}
        }
        None
    }

    /// Returns the datagrams that are sent until the call ends or waits for credit.
    pub(super) fn until_quiet(&self, open: &Open) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match self.outputs.recv_timeout(RECHECK) {
                Ok(sent) => {
                    let is_last = sent.ends(open.id);
                    all.push(sent.bytes);
                    if is_last {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) if !open.is_quiet() => {}
                Err(_) => break,
            }
        }
        all.extend(self.queued());
        all
    }

    /// Polls for the next part. Also returns whether the part ends the call. `None` if no more can come.
    #[cfg(feature = "tokio")]
    pub(crate) fn poll_part(
        &mut self,
        open: &Open,
        cx: &Context<'_>,
    ) -> Poll<Option<(Vec<u8>, bool)>> {
        let Some(sent) = ready!(self.outputs.poll_recv(cx)) else { return Poll::Ready(None) };
        let is_last = sent.ends(open.id);
        Poll::Ready(Some((sent.bytes, is_last)))
    }

    /// Returns the datagrams that were sent so far.
    pub(crate) fn queued(&self) -> Vec<Vec<u8>> {
        self.outputs.queued().map(|sent| sent.bytes).collect()
    }
}

impl Open {
    /// Returns whether the call sends nothing more until the client acts.
    pub(crate) fn is_quiet(&self) -> bool {
        self.running.is_waiting() || self.running.is_cancelled()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.session.end();
    }
}
