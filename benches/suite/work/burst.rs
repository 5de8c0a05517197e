//! Bursts on one thread: all sent, then all received, with room for all of them.

use anyhow::Result;

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Budget, Sample};
use crate::trace::{Side, mark};
use crate::ways::{Settings, Way};

/// How many messages of `len` bytes are a burst: no more than fit a default send buffer, as that of some
/// ways' sockets cannot be raised.
pub(crate) fn burst_len(len: usize) -> u64 {
    match len {
        ..16_000 => 32,
        16_000..60_000 => 8,
        _ => 2,
    }
}

pub(super) fn run(way: Way, len: usize, budget: Budget) -> Result<Sample> {
    let settings = Settings { send_buffer: Some(4 * 1024 * 1024), ..Settings::default() };
    let (mut left, mut right) = way.pair(&settings)?;
    let mut feed = Feed::new(Lengths::all(len))?;
    let mut inbox = Inbox::new(Lengths::all(len));
    let (burst, mut notes) = (burst_len(len), Vec::new());
    let mut turns = |count: u64| -> Result<()> {
        for _ in 0..count {
            mark(Side::Sender);
            feed.fill(&mut notes, burst)?;
            left.send(&notes)?;
            mark(Side::Receiver);
            right.receive(&mut inbox, burst)?;
        }
        mark(Side::Nobody);
        Ok(())
    };
    measure::repeat(budget, burst, &mut turns)?.with_allocations(budget, burst, turns)
}
