//! One frame on each of many connections, in one epoll.

use std::time::Duration;

use anyhow::Result;

use crate::crowd::{Crowd, Sockets};
use crate::feed::{Feed, Lengths};
use crate::measure::{self, Sample};
use crate::ways::Way;

const LEN: usize = 256;

pub(super) fn run(way: Way, connections: usize, target: Duration) -> Result<Sample> {
    let note = Feed::new(Lengths::all(LEN))?.next()?;
    let mut crowd = Crowd::new(way, Sockets::new(way, connections, &note)?)?;
    let clients = crowd.clients();
    measure::repeat(target, clients as u64, |count| {
        for _ in 0..count {
            for number in 0..clients {
                crowd.send(number)?;
            }
            crowd.serve(clients)?;
        }
        Ok(())
    })
}
