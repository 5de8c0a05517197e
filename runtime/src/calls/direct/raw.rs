//! Datagrams in, datagrams out.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::local::{handle, session};
use crate::calls::memory::Sent;
use crate::calls::protocol::Protocol;
use crate::calls::server::{Call, Running, Service, Session};
use crate::calls::status::Status;
use crate::message::Descriptors;
use crate::owned_frame::OwnedFrame;
use crate::peer::Peer;
use crate::wire::{CallHead, CallKind, HEAD_LEN, is_reserved};

/// How often it is looked whether a handler waits for credit.
const RECHECK: Duration = Duration::from_millis(1);

/// A connection in memory.
pub(super) struct Raw {
    session: Arc<Session>,
    sent: mpsc::Receiver<Sent>,
}

impl Raw {
    pub(super) fn new(peer: Option<Arc<Peer>>) -> Self {
        let (session, sent) = session(peer);
        Self { session, sent }
    }

    /// Handles a datagram. Returns what the service sends until the call ends or waits for credit.
    pub(super) fn exchange<S: Service + 'static>(
        &self,
        service: &Arc<S>,
        datagram: &[u8],
    ) -> Vec<Vec<u8>> {
        let Some((CallHead { kind, number, id }, _frame)) = CallHead::split(datagram) else {
            if datagram.first().is_some_and(|first| !is_reserved(*first)) {
                self.notify(&**service, datagram);
            }
            return self.queued();
        };
        match kind {
            CallKind::Request => {
                let frame =
                    OwnedFrame::with_start(datagram.to_vec(), HEAD_LEN, Descriptors::default());
                let is_stream = frame.tag().is_ok_and(<S::Protocol as Protocol>::has_items);
                match self.session.begin(id, deadline(number), is_stream) {
                    Some(running) => {
                        self.handle(service, frame, id, &running);
                        return self.until_quiet(id, &running);
                    }
                    None => self.session.refuse(id, Status::Malformed),
                }
            }
            CallKind::Cancel => self.session.cancel(id),
            CallKind::Credit => {
                if let Some(running) = self.session.running(id) {
                    running.add_credit(number);
                    return self.until_quiet(id, &running);
                }
            }
            CallKind::Reply | CallKind::Item | CallKind::End => {}
        }
        self.queued()
    }

    fn notify<S: Service>(&self, service: &S, datagram: &[u8]) {
        let frame = OwnedFrame::new(datagram.to_vec(), Descriptors::default(), None);
        let running = Arc::new(Running::new(None, false));
        handle(service, Call::new(frame, Arc::clone(&self.session), running, None));
    }

    fn handle<S: Service + 'static>(
        &self,
        service: &Arc<S>,
        frame: OwnedFrame<S::Protocol>,
        id: u64,
        running: &Arc<Running>,
    ) {
        let (session, running) = (Arc::clone(&self.session), Arc::clone(running));
        let call = Call::new(frame, session, running, Some(id));
        if call.has_items() {
            let service = Arc::clone(service);
            thread::spawn(move || handle(&*service, call));
        } else {
            handle(&**service, call);
        }
    }

    /// Returns what is sent until the call ends or waits for credit.
    fn until_quiet(&self, id: u64, running: &Running) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match self.sent.recv_timeout(RECHECK) {
                Ok(sent) => {
                    let is_last = sent.is_last_of(id);
                    all.push(sent.bytes);
                    if is_last {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout)
                    if !running.is_waiting() && !running.is_cancelled() => {}
                Err(_) => break,
            }
        }
        all.extend(self.queued());
        all
    }

    fn queued(&self) -> Vec<Vec<u8>> {
        self.sent.try_iter().map(|sent| sent.bytes).collect()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.session.end();
    }
}

fn deadline(millis: u32) -> Option<Instant> {
    (millis > 0).then(|| Instant::now() + Duration::from_millis(millis.into()))
}
