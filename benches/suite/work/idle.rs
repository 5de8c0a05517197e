//! The memory of connections that wait, after each has received one frame.

use anyhow::Result;
use datagrammar_benches::usage;

use crate::crowd::{self, Buffers, Sockets, Tally};
use crate::feed::{Feed, Lengths};
use crate::measure::Sample;
use crate::ways::Way;

const LEN: usize = 64 * 1024;

pub(super) fn run(way: Way, connections: usize) -> Result<Sample> {
    let mut feed = Feed::new(Lengths::all(LEN))?;
    // What is needed once, however many connections there are, is made before: by one connection.
    let mut tally = Tally::default();
    let mut first = crowd::gather(way, 1, Sockets::new(way, 1)?, Buffers::Each)?;
    visit(&mut *first, 0, &mut feed, &mut tally)?;

    let sockets = Sockets::new(way, connections)?;
    let before = usage::anonymous_kib()?;
    let mut crowd = crowd::gather(way, connections, sockets, Buffers::Each)?;
    let visited = crowd.clients();
    for number in 0..visited {
        visit(&mut *crowd, number, &mut feed, &mut tally)?;
    }
    let after = usage::anonymous_kib()?;
    // Those that nobody could send to are counted as if they were more of the others.
    let each = after.saturating_sub(before) as f64 * 1024.0 / visited as f64;
    Ok(Sample { memory: Some(each), ..Sample::default() })
}

fn visit(
    crowd: &mut dyn crowd::Crowd,
    number: usize,
    feed: &mut Feed,
    tally: &mut Tally,
) -> Result<()> {
    let note = feed.next()?;
    tally.sent(note);
    crowd.send(number, note)?;
    crowd.serve(tally)?;
    tally.check()
}
