//! Frames that come on any of many connections: a burst is one frame, or some, on each of ten that are drawn
//! at random, so that how many frames there are at a time does not depend on how many connections there are.

use std::collections::HashSet;
use std::iter;

use anyhow::Result;

use crate::crowd::{self, Buffers, Sockets, Tally};
use crate::feed::{Feed, Lengths};
use crate::measure::{self, Budget, Sample};
use crate::random::Random;
use crate::ways::Way;

const LEN: usize = 256;
const BURST: usize = 10;

/// How many bursts are drawn before they repeat: so many that every connection gets its frames.
const DRAWN: usize = 10_000;

pub(super) fn run(way: Way, connections: usize, each: usize, budget: Budget) -> Result<Sample> {
    let sockets = Sockets::new(way, connections)?;
    let mut crowd = crowd::gather(way, connections, sockets, Buffers::Shared)?;
    let mut feed = Feed::new(Lengths::all(LEN))?;
    let mut tally = Tally::default();
    // Drawn before, so that drawing is not measured.
    let burst = BURST.min(connections);
    let drawn = draw(crowd.clients(), burst);
    let mut next = drawn.chunks_exact(burst).cycle();
    measure::repeat(budget, (burst * each) as u64, |count| {
        for numbers in next.by_ref().take(usize::try_from(count)?) {
            for &number in numbers.iter().flat_map(|number| iter::repeat_n(number, each)) {
                let note = feed.next()?;
                tally.sent(note);
                crowd.send(number as usize, note)?;
            }
            crowd.serve(&mut tally)?;
            tally.check()?;
        }
        Ok(())
    })
}

/// Bursts, one after the other, none of which has a connection twice.
fn draw(connections: usize, burst: usize) -> Vec<u32> {
    let mut random = Random(connections as u64);
    let mut drawn = Vec::with_capacity(DRAWN * burst);
    for _ in 0..DRAWN {
        let mut seen = HashSet::new();
        while seen.len() < burst {
            let number = random.below(connections) as u32;
            if seen.insert(number) {
                drawn.push(number);
            }
        }
    }
    drawn
}
