//! Sends in every way.

use datagrammar::{Batch, OwnedFrame, SendAllError, SendError, Wait};

use super::expected::{Entry, State};
use super::{Model, Ours};
use crate::note::Made;

impl Model {
    fn made(&mut self) -> Made {
        self.number += 1;
        let base = match self.random.below(20) {
            0..10 => 0,
            10..14 => 5000,
            14 => 16_000,
            15..17 => 70_000,
            17 => 250_000,
            18 => 1_000_000,
            _ => 5_000_000,
        };
        // No other message has this length, so an error shows its message.
        let len = base + self.number as usize;
        assert!(self.number < 5000);
        Made { number: self.number, len, has_file: self.random.below(5) == 0 }
    }

    /// Notes the result of a call that sends `made`: `sent` of them were sent. `before` bytes were pending.
    fn note(&mut self, at: usize, before: usize, made: Vec<Made>, sent: usize, failed: bool) {
        let pending = self.tx(at).pending();
        let expected = &mut self.ends[at].sent;
        if pending == 0 || sent > 0 {
            // Pending bytes are sent first.
            expected.all_sent();
        }
        let mut entries = made.into_iter().map(Entry::new);
        // The last messages may share a bundle in pieces.
        let state = if pending > 0 { State::Begun } else { State::Sent };
        expected.add(state, entries.by_ref().take(sent));
        // The deadline passed, perhaps in the middle of the next message or of its bundle.
        if failed && (before == 0 || pending == 0 || sent > 0) {
            expected.add(State::Doubtful, entries.next());
        }
    }

    pub(super) fn send(&mut self, at: usize) {
        let made = self.made();
        let wait = match self.ends[at].sent.0.is_empty() && made.len < 1000 {
            true => Wait::Block,
            false => self.wait(),
        };
        let is_frame = self.random.below(4) == 0;
        let tx = self.tx(at);
        let before = tx.pending();
        let sent = made.with(|note| match (is_frame, wait) {
            (true, wait) => tx.send_frame(&OwnedFrame::encode(note).unwrap(), wait),
            (_, Wait::Block) => tx.send(note),
            (_, Wait::Try) => tx.try_send(note),
            (_, Wait::Until(deadline)) => tx.send_deadline(note, deadline),
        });
        match sent {
            Ok(len) => {
                assert_eq!(len, made.frame_len());
                self.note(at, before, vec![made], 1, false);
            }
            Err(error) => {
                let failed = check_error(wait, &error);
                self.note(at, before, vec![made], 0, failed);
            }
        }
    }

    pub(super) fn send_all(&mut self, at: usize) {
        let made: Vec<_> = (0..=self.random.below(40)).map(|_| self.made()).collect();
        let bodies: Vec<_> = made.iter().map(Made::body).collect();
        let notes: Vec<_> = made.iter().zip(&bodies).map(|(made, body)| made.note(body)).collect();
        let wait = self.wait();
        let tx = self.tx(at);
        let before = tx.pending();
        let (sent, failed) = match tx.send_all(&notes, wait) {
            Ok(sent) => (sent, false),
            Err(SendAllError { sent, error, .. }) => (sent, check_error(wait, &error)),
        };
        drop(notes);
        self.note(at, before, made, sent, failed);
    }

    /// Sends messages in a batch.
    pub(super) fn batch(&mut self, at: usize) {
        let (tx, rx) = self.ends[at].ours.take().unwrap().split();
        let mut batch = Batch::new(tx);
        let (mut waiting, mut gone) = (Vec::new(), Vec::new());
        for _ in 0..self.random.below(60) {
            let made = self.made();
            let before = batch.len();
            match made.with(|note| batch.push(note, Wait::Try)) {
                Ok(()) => {
                    if batch.len() <= before {
                        gone.append(&mut waiting);
                    }
                    if batch.buffer().is_empty() { gone.push(made) } else { waiting.push(made) }
                }
                Err(SendAllError { sent, error, .. }) => {
                    check_error(Wait::Try, &error);
                    assert!(sent == 0 || sent == waiting.len());
                    if sent > 0 {
                        gone.append(&mut waiting);
                    }
                }
            }
            assert_eq!(batch.len(), waiting.len());
        }
        gone.append(&mut waiting);
        self.ends[at].sent.add(State::Begun, gone.into_iter().map(Entry::new));
        let tx = loop {
            match batch.into_inner(Wait::Try) {
                Ok(tx) => break tx,
                Err((back, error)) => {
                    batch = back;
                    check_error(Wait::Try, &error.error);
                    let ours = self.ends[1 - at].ours.as_mut().unwrap();
                    let received = ours.rx.recv_owned(Wait::Try);
                    self.check(1 - at, received);
                }
            }
        };
        let (mut ours, _) = Ours::pair().unwrap();
        (ours.tx, ours.rx) = (tx, rx);
        self.ends[at].ours = Some(ours);
        if self.tx(at).pending() == 0 {
            self.ends[at].sent.all_sent();
        }
    }

    pub(super) fn flush(&mut self, at: usize) {
        let wait = self.wait();
        match self.tx(at).flush(wait) {
            Ok(()) => assert_eq!(self.tx(at).pending(), 0),
            Err(error) => _ = check_error(wait, &error),
        }
        if self.tx(at).pending() == 0 {
            self.ends[at].sent.all_sent();
        }
    }
}

/// Checks the error of a send. Returns whether a part may have been sent.
fn check_error(wait: Wait, error: &SendError) -> bool {
    match (wait, error) {
        (Wait::Try, SendError::WouldBlock { .. }) => false,
        (Wait::Until(_), SendError::TimedOut { .. }) => true,
        _ => panic!("{error:?}"),
    }
}
