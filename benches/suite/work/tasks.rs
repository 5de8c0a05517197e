//! Four tasks on one thread send, another thread receives.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};

use super::stream::or_exit;
use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Sample};
use crate::ways::awaited::{TASKS, crew};
use crate::ways::{Settings, Way};

/// How many messages each task sends in a turn.
const EACH: u64 = 32;

pub(super) fn run(way: Way, len: usize, target: Duration) -> Result<Sample> {
    let lengths = Lengths::all(len);
    let (feed, mut inbox) = (Feed::new(lengths.clone())?, Inbox::of_many(lengths));
    let (mut crew, mut end) = crew(way, &Settings::default())?;
    measure::repeat(target, TASKS * EACH, |count| {
        thread::scope(|scope| {
            let sending = scope.spawn(|| or_exit(crew.send(&feed, count * EACH)));
            or_exit(end.receive(&mut inbox, count * EACH * TASKS));
            sending.join().map_err(|_| anyhow!("the sender has panicked"))
        })
    })
}
