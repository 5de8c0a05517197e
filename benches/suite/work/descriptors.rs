//! Bursts of small messages with one descriptor each, which the receiver closes.

use std::fs::File;
use std::os::fd::AsFd as _;

use anyhow::Result;

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Budget, Sample};
use crate::ways::{Way, carriers};

const LEN: usize = 16;
const BURST: u64 = 32;

pub(super) fn run(way: Way, budget: Budget) -> Result<Sample> {
    let mut carrier = carriers::connect(way)?;
    let carried = File::open("/dev/null")?;
    let mut feed = Feed::new(Lengths::all(LEN))?;
    let mut inbox = Inbox::new(Lengths::all(LEN));
    let mut turns = |count: u64| -> Result<()> {
        for _ in 0..count {
            for _ in 0..BURST {
                carrier.send(feed.next()?, carried.as_fd())?;
            }
            for _ in 0..BURST {
                carrier.receive(&mut inbox)?;
            }
        }
        Ok(())
    };
    measure::repeat(budget, BURST, &mut turns)?.with_allocations(budget, BURST, turns)
}
