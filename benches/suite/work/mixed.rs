//! A stream of many small and some large messages. Their lengths are log-normal, with a median of 300 bytes
//! and a tail to 4 MiB. Fixed buffers need room for the longest, in memory and in the socket.

use std::time::Duration;

use anyhow::Result;

use super::stream;
use crate::feed::Lengths;
use crate::measure::Sample;
use crate::random::Random;
use crate::ways::{Settings, Way};

const MEDIAN: f64 = 300.0;

/// One message of some ten thousand would be longer than 4 MiB.
const DEVIATION: f64 = 2.6;

const LONGEST: usize = 4 * 1024 * 1024;

/// How many lengths there are before they repeat.
const COUNT: usize = 20_000;

/// The longest message, and what its encoding adds.
const ROOM: usize = LONGEST + 1024;

pub(super) fn run(way: Way, target: Duration) -> Result<Sample> {
    let raised = (!way.is_ours()).then_some(2 * ROOM);
    let settings = Settings { send_buffer: raised, buffer: ROOM };
    stream::run(way, &Lengths::these(lengths()), &settings, target)
}

fn lengths() -> Vec<usize> {
    let mut random = Random(0xDA7A_64A3);
    let mut length = || (MEDIAN * (DEVIATION * random.normal()).exp()) as usize;
    (0..COUNT).map(|_| length().clamp(1, LONGEST)).collect()
}
