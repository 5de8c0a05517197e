//! The memory of idle connections.

use std::hint::black_box;

use anyhow::{Result, bail, ensure};
use datagrammar_benches::usage;
use ipc_channel::ipc::{self, IpcReceiverSet, IpcSelectionResult};

use crate::crowd::{Crowd, Sockets};
use crate::feed::{Feed, Lengths};
use crate::measure::Sample;
use crate::message::{Held, Note};
use crate::ways::Way;

/// Each connection has received one frame of 64 KiB, and then found no other.
pub(super) fn idle(way: Way, connections: usize) -> Result<Sample> {
    let note = Feed::new(Lengths::all(64 * 1024))?.next()?;
    if way == Way::IpcChannel {
        return idle_channels(connections, note);
    }
    measure(way, connections, note, |crowd, number| {
        crowd.send(number)?;
        crowd.serve(1)?;
        ensure!(!crowd.receive(number)?, "more came than was sent");
        Ok(())
    })
}

/// Each connection has received two tiny frames, and six wait in the socket.
pub(super) fn begun(way: Way, connections: usize) -> Result<Sample> {
    let note = Feed::new(Lengths::all(8))?.next()?;
    measure(way, connections, note, |crowd, number| {
        (0..8).try_for_each(|_| crowd.send(number))?;
        ensure!(crowd.receive(number)? && crowd.receive(number)?, "less came than was sent");
        Ok(())
    })
}

/// Measures the memory that `visit` leaves behind on each connection, and that of the connection itself.
fn measure(
    way: Way,
    connections: usize,
    note: Note<'static>,
    visit: impl Fn(&mut Crowd, usize) -> Result<()>,
) -> Result<Sample> {
    // The first connection takes memory that the process needs only once.
    let mut first = Crowd::new(way, Sockets::new(way, 1, &note)?)?;
    visit(&mut first, 0)?;

    let sockets = Sockets::new(way, connections, &note)?;
    let before = usage::anonymous_kib()?;
    let mut crowd = Crowd::new(way, sockets)?;
    // Connections without a client count for the others.
    let visited = crowd.clients();
    for number in 0..visited {
        visit(&mut crowd, number)?;
    }
    sample(before, visited)
}

fn sample(before: u64, connections: usize) -> Result<Sample> {
    let grown = usage::anonymous_kib()?.saturating_sub(before) as f64 * 1024.0;
    Ok(Sample { memory: Some(grown / connections as f64), ..Sample::default() })
}

/// ipc-channel makes both ends together, so both are counted.
fn idle_channels(channels: usize, note: Note<'static>) -> Result<Sample> {
    let (mut receivers, mut senders) = (IpcReceiverSet::new()?, Vec::new());
    let mut visit = || -> Result<()> {
        let (sender, receiver) = ipc::channel::<Held>()?;
        receivers.add(receiver)?;
        sender.send(note.into())?;
        senders.push(sender);
        for event in receivers.select()? {
            let IpcSelectionResult::MessageReceived(_, message) = event else {
                bail!("a channel is closed");
            };
            black_box(message.to::<Held>()?);
        }
        Ok(())
    };
    visit()?;
    let before = usage::anonymous_kib()?;
    (0..channels).try_for_each(|_| visit())?;
    sample(before, channels)
}
