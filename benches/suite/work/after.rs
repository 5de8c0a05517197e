//! What a process goes back to after one very long message: both ends are in it, and go on.

use std::thread;

use anyhow::{Result, anyhow};
use datagrammar_benches::usage;

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::Sample;
use crate::ways::{Settings, Way};

const LEN: usize = 256 * 1024 * 1024;
const SMALL: usize = 256;

pub(super) fn run(way: Way) -> Result<Sample> {
    let settings = Settings { limit: Some(usize::MAX), ..Settings::default() };
    let (mut left, mut right) = way.pair(&settings)?;
    // Small ones before and after it, as a connection has them.
    let lengths = Lengths::these(vec![SMALL, SMALL, LEN, SMALL, SMALL]);
    let (mut feed, mut inbox) = (Feed::new(lengths.clone())?, Inbox::new(lengths));
    let mut pass = |count: u64| -> Result<()> {
        thread::scope(|scope| {
            let sending = scope.spawn(|| -> Result<()> {
                for _ in 0..count {
                    left.send(&[feed.next()?])?;
                }
                Ok(())
            });
            right.receive(&mut inbox, count)?;
            sending.join().map_err(|_| anyhow!("the sender has panicked"))?
        })
    };
    pass(2)?;
    let before = usage::anonymous_kib()?;
    pass(3)?;
    let after = usage::anonymous_kib()?;
    let more = after.saturating_sub(before) as f64 * 1024.0;
    Ok(Sample { memory: Some(more), ..Sample::default() })
}
