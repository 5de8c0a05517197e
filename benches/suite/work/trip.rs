//! Round trips: one thread asks and waits, another answers as much.

use std::process;
use std::thread;

use anyhow::{Error, Result, anyhow};

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
                if let Err(error) = right.answer(&mut answers, &mut asked, count) {
                    fail(&error);
                }
                mark(Side::Nobody);
            });
            mark(Side::Sender);
            if let Err(error) = left.ask(&mut feed, &mut inbox, count) {
                fail(&error);
            }
            mark(Side::Nobody);
            answering.join().map_err(|_| anyhow!("who answers has panicked"))
        })
    })
}

/// The other side would wait for what does not come.
fn fail(error: &Error) -> ! {
    eprintln!("{error}");
    process::exit(1)
}
