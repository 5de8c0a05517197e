//! The messages that an end has sent and its peer has not received.

use std::collections::VecDeque;

use datagrammar::{FragmentFault, RecvError};

use super::Received;
use crate::note::{Made, number_of};

/// How much of a message was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    /// The whole message.
    Sent,
    /// Some pieces, and the rest is pending. Or a whole message that may share a bundle with such a message.
    Begun,
    /// Some pieces, and the rest was dropped.
    Torn,
    /// Any of these.
    Doubtful,
}

/// A message that was sent, or may have been sent.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) made: Made,
    frame_len: usize,
    pub(super) state: State,
    /// Whether the receiver has refused it, and discards its further pieces.
    is_refused: bool,
    /// Whether the receiver was replaced after that, so the new one does not expect those pieces.
    pub(super) is_orphaned: bool,
}

/// The messages of one direction, in order.
#[derive(Debug, Default)]
pub(super) struct Expected(pub(super) VecDeque<Entry>);

/// The result of a receive.
#[derive(Debug, PartialEq)]
pub(super) enum Came {
    Nothing,
    /// A message, or the error for one.
    Something,
    /// The error for an incomplete message: another datagram arrived instead of its next piece.
    Incomplete,
}

/// The length of the head of a bundle, in bytes.
const HEAD_LEN: usize = 14;

impl Entry {
    pub(super) fn new(made: Made) -> Self {
        let frame_len = made.frame_len();
        Self { made, frame_len, state: State::Sent, is_refused: false, is_orphaned: false }
    }

    /// Returns how many bytes the message takes in a bundle.
    fn room(&self) -> usize {
        self.frame_len + if self.frame_len <= 250 { 1 } else { 3 }
    }

    /// Returns whether the message can be received now.
    fn is_there(&self) -> bool {
        self.state == State::Sent && !self.is_refused
    }
}

impl Expected {
    /// Adds messages in this state.
    pub(super) fn add(&mut self, state: State, entries: impl IntoIterator<Item = Entry>) {
        self.0.extend(entries.into_iter().map(|entry| Entry { state, ..entry }));
    }

    /// Notes that everything pending was sent.
    pub(super) fn all_sent(&mut self) {
        let begun = self.0.iter_mut().filter(|entry| entry.state == State::Begun);
        begun.for_each(|entry| entry.state = State::Sent);
    }

    /// Notes that everything pending was dropped.
    pub(super) fn tear(&mut self) {
        let begun = self.0.iter_mut().filter(|entry| entry.state == State::Begun);
        let mut begun: Vec<_> = begun.collect();
        let state = if begun.len() == 1 { State::Torn } else { State::Doubtful };
        begun.iter_mut().for_each(|entry| entry.state = state);
    }

    /// Notes that the receiver was replaced.
    pub(super) fn orphan(&mut self) {
        let refused = self.0.front_mut().filter(|entry| entry.is_refused);
        refused.into_iter().for_each(|entry| entry.is_orphaned = true);
    }

    /// Returns whether a whole message was sent.
    pub(super) fn has_sent(&self) -> bool {
        self.0.iter().any(|entry| entry.state == State::Sent)
    }

    /// Returns whether a receive must find a message.
    pub(super) fn is_there(&self) -> bool {
        self.0.iter().any(Entry::is_there)
    }

    /// Checks the result of a receive by a receiver with this limit.
    pub(super) fn check(&mut self, received: Received, limit: usize, has_budget: bool) -> Came {
        let is_nothing = matches!(received, Err(RecvError::WouldBlock | RecvError::TimedOut));
        loop {
            let Some(first) = self.0.front_mut() else {
                assert!(is_nothing, "nothing was sent, but {:?} came", received.map(|_| ()));
                return Came::Nothing;
            };
            match (first.state, &received) {
                (_, Err(RecvError::BadFragment(_))) if first.is_orphaned => {
                    first.is_orphaned = false;
                    return Came::Something;
                }
                // One call discards no more than 1,024 pieces.
                (_, Err(RecvError::BadFragment(FragmentFault::Orphan { .. })))
                    if first.is_refused && first.frame_len > 1_000_000 =>
                {
                    return Came::Something;
                }
                (State::Begun, _) if is_nothing => return Came::Nothing,
                // All of its pieces were discarded, or it shares a bundle with the next message.
                _ if first.is_refused => {}
                (_, Err(RecvError::Unfinished { .. })) => return Came::Nothing,
                (State::Doubtful, Err(RecvError::TooLarge { len, .. }))
                    if first.frame_len != *len => {}
                (_, Err(RecvError::TooLarge { len, limit })) => {
                    assert!(len > limit && first.frame_len == *len, "{first:?}, {len}");
                    first.is_refused = true;
                    return Came::Something;
                }
                (_, Err(RecvError::OverBudget { len, .. })) if has_budget => {
                    let count = self.find(*len);
                    self.0.iter_mut().take(count).for_each(|entry| entry.is_refused = true);
                    return Came::Something;
                }
                (State::Torn | State::Doubtful, Err(RecvError::Incomplete { total, .. })) => {
                    let count = self.find(*total);
                    self.0.drain(..count);
                    return Came::Incomplete;
                }
                (State::Torn | State::Doubtful, _) if is_nothing => {
                    assert!(!self.is_there(), "a message did not come");
                    return Came::Nothing;
                }
                (State::Doubtful, Ok(Some(frame))) if number_of(frame) != first.made.number => {}
                (State::Doubtful, Err(_)) => {}
                (State::Sent | State::Begun | State::Doubtful, Ok(Some(_))) => {
                    let frame = received.unwrap().unwrap();
                    assert!(frame.len() <= limit);
                    first.made.check(frame);
                    self.0.pop_front();
                    return Came::Something;
                }
                (state, _) => panic!("{state:?}: {first:?} came as {:?}", received.map(|_| ())),
            }
            self.0.pop_front();
        }
    }

    /// Removes the messages before the next frame or bundle of `len` bytes: they did not arrive. Returns how many messages
    /// the frame or bundle has.
    fn find(&mut self, len: usize) -> usize {
        let Self(entries) = self;
        for at in 0..entries.len() {
            if at > 0 && !entries[at - 1].is_refused && entries[at - 1].state != State::Doubtful {
                break;
            }
            let mut end = HEAD_LEN;
            let bundled = entries.iter().skip(at).position(|entry| {
                end += entry.room();
                end >= len
            });
            let count = match bundled {
                _ if entries[at].frame_len == len && !entries[at].is_refused => 1,
                Some(last) if end == len => last + 1,
                _ => continue,
            };
            entries.drain(..at);
            return count;
        }
        // A bundle with unknown messages.
        let first = &entries[0];
        assert_eq!(first.state, State::Doubtful, "{len} bytes of {first:?}");
        1
    }

    /// Notes that a message has lost its descriptors: the first one that certainly arrived, or a doubtful one before it.
    /// Incomplete messages before it are dropped, too.
    pub(super) fn lose_descriptors(&mut self) {
        let mut is_known = false;
        for entry in self.0.iter_mut().filter(|entry| !entry.is_refused) {
            let has_file = entry.made.has_file;
            is_known |= has_file && entry.state != State::Torn;
            let is_sure = matches!(entry.state, State::Sent | State::Begun);
            if !is_sure || has_file {
                entry.state = State::Doubtful;
            }
            if is_sure {
                break;
            }
        }
        assert!(is_known, "no descriptor was sent");
    }
}
