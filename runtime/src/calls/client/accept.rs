//! Hands each part from the server to its call.

use std::ops::Range;
use std::sync::Arc;

use super::core::Core;
use super::wakers::Wakers;
use crate::calls::wake::wake_all;
use crate::error::RecvError;
use crate::message::Message;
use crate::receiver::Receiver;
use crate::wait::Wait;

/// The most parts that are handed over while the calls are locked.
const MAX_AT_ONCE: usize = 64;

/// Whether more parts may follow a received datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    More,
    /// No more parts come before the next request is sent, if the server keeps the rules.
    Last,
    End,
}

impl Core {
    /// Hands the part that `receiver` has just received to its call, and also further parts of the same datagram. Adds
    /// the wakers of those calls to `wakers`.
    pub(crate) fn accept<Rx: Message>(
        &self,
        receiver: &mut Receiver<Rx>,
        received: Result<Option<Range<usize>>, RecvError>,
        wakers: &mut Wakers,
    ) -> Accepted {
        match received {
            Ok(Some(range)) if self.observer.is_there() => self.show(receiver, range, wakers),
            Ok(Some(range)) => self.deliver(receiver, range, wakers),
            Ok(None) => {
                self.end(None);
                Accepted::End
            }
            Err(RecvError::WouldBlock | RecvError::TimedOut | RecvError::Unfinished { .. }) => {
                Accepted::More
            }
            Err(error) if error.is_fatal() => {
                self.end(Some(Arc::new(error)));
                Accepted::End
            }
            Err(error) => {
                let error = Arc::new(error);
                // In a variable, so that the table is unlocked before the wakers are called.
                let failed = match receiver.take_refused() {
                    Some(head) => self.table().fail(head.id, &error).into_iter().collect(),
                    None => self.table().fail_all(&error),
                };
                wake_all(failed);
                Accepted::More
            }
        }
    }

    /// Hands over the part at `range`, and further parts of the same datagram, with one lock: a lock for each part
    /// would cost more than all other work.
    fn deliver<Rx: Message>(
        &self,
        receiver: &mut Receiver<Rx>,
        range: Range<usize>,
        wakers: &mut Wakers,
    ) -> Accepted {
        // Dropped after the table is unlocked, if no call wants it: it may be long, or have descriptors.
        let mut part = receiver.take_part(range);
        let mut table = self.table();
        wakers.add(table.deliver(&mut part));
        for _ in 1..MAX_AT_ONCE {
            if !receiver.has_unread() {
                break;
            }
            match receiver.receive_range(Wait::Try) {
                Ok(Some(range)) => wakers.add(table.deliver(&mut receiver.take_part(range))),
                other => {
                    drop(table);
                    return self.accept(receiver, other, wakers);
                }
            }
        }
        if table.is_idle() { Accepted::Last } else { Accepted::More }
    }

    /// Shows the part at `range` to the observer, and hands it over.
    fn show<Rx: Message>(
        &self,
        receiver: &mut Receiver<Rx>,
        range: Range<usize>,
        wakers: &mut Wakers,
    ) -> Accepted {
        // Dropped after the table is unlocked, as above.
        let mut part = receiver.take_part(range);
        self.observer.received::<Rx>(&part, |id| self.table().name(id));
        wakers.add(self.table().deliver(&mut part));
        if self.table().is_idle() { Accepted::Last } else { Accepted::More }
    }
}
