//! The messages to send, and the check of the received ones.

use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::buffer::Buffer;

use crate::message::{Held, Note};

/// The lengths of the payloads, in a cycle.
#[derive(Debug, Clone)]
pub(crate) struct Lengths {
    lengths: Vec<usize>,
    next: usize,
}

impl Lengths {
    pub(crate) fn all(len: usize) -> Self {
        Self { lengths: vec![len], next: 0 }
    }

    pub(crate) fn these(lengths: Vec<usize>) -> Self {
        Self { lengths, next: 0 }
    }

    pub(crate) fn count(&self) -> u64 {
        self.lengths.len() as u64
    }

    pub(crate) fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    fn next(&mut self) -> usize {
        let len = self.lengths.get(self.next).copied().unwrap_or(0);
        self.next = if self.next + 1 == self.lengths.len() { 0 } else { self.next + 1 };
        len
    }
}

/// The offset of the payload in its buffer. It begins three quarters into a page, far from the offsets
/// that it is copied to. See [`Buffer`].
const PLACE: usize = 3072;

/// Makes the messages.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    seq: u64,
    lengths: Lengths,
    /// All payloads are prefixes of this.
    payload: &'static [u8],
}

impl Feed {
    /// Makes memory for the longest payload resident, and leaks it.
    pub(crate) fn new(lengths: Lengths) -> Result<Self> {
        let memory = Box::leak(Box::new(Buffer::new(PLACE + lengths.longest())?));
        let payload = memory.get_mut(PLACE..).context("the payload has a place")?;
        payload.fill(59);
        Ok(Self { seq: 0, lengths, payload })
    }

    pub(crate) fn next(&mut self) -> Result<Note<'static>> {
        let seq = self.seq;
        self.seq += 1;
        let payload = self.payload.get(..self.lengths.next()).context("too short a payload")?;
        Ok(Note::Sample { seq, payload })
    }

    /// Replaces `notes` by the next `count` messages.
    pub(crate) fn fill(&mut self, notes: &mut Vec<Note<'static>>, count: u64) -> Result<()> {
        notes.clear();
        for _ in 0..count {
            notes.push(self.next()?);
        }
        Ok(())
    }
}

/// Checks that all messages come, in order, each with its length.
#[derive(Debug)]
pub(crate) struct Inbox {
    /// The next number; none if many senders count.
    seq: Option<u64>,
    lengths: Lengths,
}

impl Inbox {
    pub(crate) fn new(lengths: Lengths) -> Self {
        Self { seq: Some(0), lengths }
    }

    /// For the messages of many senders, whose order is not known.
    pub(crate) fn of_many(lengths: Lengths) -> Self {
        Self { seq: None, lengths }
    }

    pub(crate) fn take(&mut self, Note::Sample { seq, payload }: Note<'_>) -> Result<()> {
        self.check(black_box(seq), black_box(payload.len()))
    }

    pub(crate) fn take_held(&mut self, Held::Sample { seq, payload }: &Held) -> Result<()> {
        self.check(black_box(*seq), black_box(payload.len()))
    }

    fn check(&mut self, seq: u64, len: usize) -> Result<()> {
        let (expected, expected_len) = (self.seq.unwrap_or(seq), self.lengths.next());
        ensure!(
            seq == expected && len == expected_len,
            "number {seq} of {len} bytes came for number {expected} of {expected_len}"
        );
        self.seq = self.seq.map(|seq| seq + 1);
        Ok(())
    }
}
