//! The table of received frames that both processes print.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datagrammar::calls::{CallFrame, CallFrameKind, Context};

/// Prints a row for each received frame, and counts the frames. Threads share it.
#[derive(Default)]
pub(crate) struct Log {
    quiet: bool,
    frames: Mutex<Frames>,
}

/// The frames of a client.
#[derive(Default)]
struct Frames {
    sent: Tally,
    received: Tally,
    /// What the current call is about.
    subject: String,
}

/// Counts frames and their lengths.
#[derive(Default, Clone, Copy)]
pub(crate) struct Tally {
    count: u64,
    bytes: u64,
    smallest: Option<usize>,
    largest: usize,
}

impl Log {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, frames: Mutex::default() }
    }

    pub(crate) fn header(&self) {
        if !self.quiet {
            println!("direction        message    tag  frame bytes  subject");
        }
    }

    /// Prints a request that a server received.
    pub(crate) fn request(&self, cx: &Context, subject: &str) {
        self.row("client -> server", cx.name(), cx.tag(), cx.frame_len(), subject);
    }

    /// Notes what the next call of a client is about.
    pub(crate) fn set_subject(&self, subject: &str) {
        subject.clone_into(&mut self.frames().subject);
    }

    /// Counts a request that a client sent, or prints an answer that it received.
    pub(crate) fn observe(&self, frame: CallFrame) {
        let mut frames = self.frames();
        let call = frame.call.unwrap_or("unknown");
        let message = match frame.kind {
            CallFrameKind::Request => return frames.sent.add(frame.len),
            CallFrameKind::Item => format!("{call} item"),
            CallFrameKind::End => format!("{call} end"),
            _ => format!("{call} reply"),
        };
        frames.received.add(frame.len);
        let tag = frame.tag.unwrap_or(0);
        self.row("server -> client", &message, tag, frame.len, &frames.subject);
    }

    /// Returns the counts of the frames that a client sent and received.
    pub(crate) fn tallies(&self) -> [Tally; 2] {
        let frames = self.frames();
        [frames.sent, frames.received]
    }

    fn row(&self, direction: &str, message: &str, tag: u32, len: usize, subject: &str) {
        if !self.quiet {
            let subject = subject.escape_debug();
            println!("{direction} {message:<10} {tag:>3}  {len:>11}  {subject}");
        }
    }

    fn frames(&self) -> MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn add(&mut self, len: usize) {
        self.count += 1;
        self.bytes += len as u64;
        self.smallest = Some(self.smallest.map_or(len, |smallest| smallest.min(len)));
        self.largest = self.largest.max(len);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, bytes, largest, .. } = self;
        let smallest = self.smallest.unwrap_or(0);
        write!(f, "{count} frames, {bytes} bytes, smallest {smallest}, largest {largest}")
    }
}
