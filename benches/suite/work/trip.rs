//! Round trips: one thread asks and waits, another answers as much.

use std::thread;

use anyhow::{Result, anyhow};

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Budget, Sample};
use crate::trace::{Side, mark};
use crate::ways::{Settings, Way};

pub(super) fn run(way: Way, len: usize, budget: Budget) -> Result<Sample> {
    let (mut left, mut right) = way.pair(&Settings::default())?;
    let lengths = Lengths::all(len);
    let (mut feed, mut inbox) = (Feed::new(lengths.clone())?, Inbox::new(lengths.clone()));
    let (mut answers, mut asked) = (Feed::new(lengths.clone())?, Inbox::new(lengths));
    measure::repeat(budget, 1, |count| {
        thread::scope(|scope| {
            let answering = scope.spawn(|| {
                mark(Side::Receiver);
                let result = right.answer(&mut answers, &mut asked, count);
                mark(Side::Nobody);
                result
            });
            mark(Side::Sender);
            let result = left.ask(&mut feed, &mut inbox, count);
            mark(Side::Nobody);
            result?;
            answering.join().map_err(|_| anyhow!("who answers has panicked"))?
        })
    })
}
