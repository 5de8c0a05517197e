//! Bursts on one thread: all messages are sent, then all received, with room for all of them.

use std::time::Duration;

use anyhow::Result;

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Sample};
use crate::ways::datagrams::{self, Family};
use crate::ways::{Ends, Settings, Way};

/// A bound UNIX datagram socket takes about ten datagrams: `net.unix.max_dgram_qlen`.
const DATAGRAMS: u64 = 8;

/// Bursts over a connection.
pub(super) fn run(way: Way, len: usize, target: Duration) -> Result<Sample> {
    let settings = Settings { send_buffer: Some(4 * 1024 * 1024), ..Settings::default() };
    repeat(way.pair(&settings)?, len, burst_len(len), target)
}

/// Bursts over datagram sockets.
pub(super) fn datagrams(way: Way, family: Family, len: usize, target: Duration) -> Result<Sample> {
    repeat(datagrams::pair(way, family)?, len, DATAGRAMS, target)
}

/// The number of messages of `len` bytes in a burst. They fit in a default send buffer, because that of some ways
/// cannot be raised.
fn burst_len(len: usize) -> u64 {
    match len {
        ..16_000 => 32,
        16_000..60_000 => 8,
        _ => 2,
    }
}

fn repeat((mut left, mut right): Ends, len: usize, burst: u64, target: Duration) -> Result<Sample> {
    let mut feed = Feed::new(Lengths::all(len))?;
    let mut inbox = Inbox::new(Lengths::all(len));
    let mut notes = Vec::new();
    measure::repeat_and_count(target, burst, |count| {
        for _ in 0..count {
            feed.fill(&mut notes, burst)?;
            left.send(&notes)?;
            right.receive(&mut inbox, burst)?;
        }
        Ok(())
    })
}
