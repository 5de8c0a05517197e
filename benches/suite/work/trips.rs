//! Round trips: one thread asks and waits, another answers with as many bytes.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use datagrammar_benches::cpus;

use super::stream::or_exit;
use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Sample};
use crate::ways::{Settings, Way};

/// Pins both threads to one processor, or each to its own.
pub(super) fn run(way: Way, len: usize, across: bool, target: Duration) -> Result<Sample> {
    let allowed = cpus::allowed()?;
    let asks = *allowed.first().context("there is a processor")?;
    let answers = *allowed.get(usize::from(across)).context("there is one processor only")?;
    cpus::pin(asks)?;
    let (mut left, mut right) = way.pair(&Settings::default())?;
    let lengths = Lengths::all(len);
    let (mut feed, mut inbox) = (Feed::new(lengths.clone())?, Inbox::new(lengths.clone()));
    let (mut reply, mut asked) = (Feed::new(lengths.clone())?, Inbox::new(lengths));
    measure::repeat(target, 1, |count| {
        thread::scope(|scope| {
            let answering = scope.spawn(|| {
                or_exit(cpus::pin(answers).map_err(Into::into));
                or_exit(right.converse(false, &mut reply, &mut asked, count));
            });
            or_exit(left.converse(true, &mut feed, &mut inbox, count));
            answering.join().map_err(|_| anyhow!("the answering thread has panicked"))
        })
    })
}
