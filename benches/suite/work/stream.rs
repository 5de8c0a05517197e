//! A stream: one thread sends, another receives.

use std::process;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use datagrammar_benches::usage;

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Sample};
use crate::ways::{End, Settings, Way};

/// How many messages a sender has prepared at a time.
const BATCH: u64 = 32;

/// A turn has as many messages as there are `lengths`, so that all turns are alike.
pub(super) fn run(
    way: Way,
    lengths: &Lengths,
    settings: &Settings,
    target: Duration,
) -> Result<Sample> {
    let turn = lengths.count();
    let mut feed = Feed::new(lengths.clone())?;
    let before = usage::peak_kib()?;
    let (mut left, mut right) = way.pair(settings)?;
    let mut inbox = Inbox::new(lengths.clone());
    let sample = measure::repeat(target, turn, |count| {
        flow(left.as_mut(), right.as_mut(), &mut feed, &mut inbox, count * turn)
    })?;
    // The sender's payload is not counted: it is the same in all ways.
    let peak = usage::peak_kib()?.saturating_sub(before);
    Ok(Sample { memory: Some(peak as f64 * 1024.0), ..sample })
}

/// Moves `count` messages from `left` to `right`.
fn flow(
    left: &mut dyn End,
    right: &mut dyn End,
    feed: &mut Feed,
    inbox: &mut Inbox,
    count: u64,
) -> Result<()> {
    thread::scope(|scope| {
        let sending = scope.spawn(|| or_exit(send(left, feed, count)));
        or_exit(right.receive(inbox, count));
        sending.join().map_err(|_| anyhow!("the sender has panicked"))
    })
}

fn send(end: &mut dyn End, feed: &mut Feed, count: u64) -> Result<()> {
    let (mut notes, mut rest) = (Vec::new(), count);
    while rest > 0 {
        feed.fill(&mut notes, rest.min(BATCH))?;
        end.send(&notes)?;
        rest -= rest.min(BATCH);
    }
    Ok(())
}

/// Ends the process on an error, because the other thread would wait forever.
pub(super) fn or_exit(result: Result<()>) {
    if let Err(error) = result {
        eprintln!("{error}");
        process::exit(1);
    }
}
