//! A stream: one thread sends, another receives.

use std::process;
use std::sync::Barrier;
use std::thread;

use anyhow::{Result, anyhow};

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Budget, Sample};
use crate::trace::{Side, mark};
use crate::ways::{End, Settings, Way};

/// How many messages a sender has at hand at a time.
const BATCH: u64 = 32;

/// A turn is as many messages as there are `lengths`, so that every turn is the same.
pub(super) fn run(
    way: Way,
    lengths: &Lengths,
    settings: &Settings,
    budget: Budget,
) -> Result<Sample> {
    let turn = lengths.count();
    let mut feed = Feed::new(lengths.clone())?;
    let before = datagrammar_benches::usage::resident_kib()?;
    let (mut left, mut right) = way.pair(settings)?;
    let mut inbox = Inbox::new(lengths.clone());
    let sample = measure::repeat(budget, turn, |count| {
        flow(left.as_mut(), right.as_mut(), &mut feed, &mut inbox, count * turn)
    })?;
    // What the payload takes that is sent is there in every way alike.
    let peak = datagrammar_benches::usage::peak_kib()?.saturating_sub(before);
    Ok(Sample { memory: Some(peak as f64 * 1024.0), ..sample })
}

/// `count` messages go from `left` to `right`.
fn flow(
    left: &mut dyn End,
    right: &mut dyn End,
    feed: &mut Feed,
    inbox: &mut Inbox,
    count: u64,
) -> Result<()> {
    let ready = Barrier::new(2);
    thread::scope(|scope| {
        let sending = scope.spawn(|| {
            ready.wait();
            mark(Side::Sender);
            if let Err(error) = send(left, feed, count) {
                // The receiver would wait for what does not come.
                eprintln!("{error}");
                process::exit(1);
            }
            mark(Side::Nobody);
        });
        ready.wait();
        mark(Side::Receiver);
        let received = right.receive(inbox, count);
        mark(Side::Nobody);
        if let Err(error) = received {
            // The sender would wait for room.
            eprintln!("{error}");
            process::exit(1);
        }
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
