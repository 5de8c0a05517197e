//! The memory of connections on which nothing happens at the moment.

use anyhow::{Result, bail, ensure};
use datagrammar_benches::usage;
use ipc_channel::ipc::{self, IpcReceiverSet, IpcSelectionResult};

use crate::crowd::{Crowd, Sockets};
use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::Sample;
use crate::message::{Held, Note};
use crate::ways::Way;

/// Each connection has received one frame of 64 KiB, and was told that there is no other.
pub(super) fn idle(way: Way, connections: usize) -> Result<Sample> {
    let note = Feed::new(Lengths::all(64 * 1024))?.next()?;
    if way == Way::IpcChannel {
        return idle_channels(connections, note);
    }
    measure(way, connections, note, |crowd, number| {
        crowd.send(number)?;
        crowd.serve(1)?;
        crowd.find_nothing(number)
    })
}

/// Each connection has received two tiny frames, and six wait in the socket.
pub(super) fn begun(way: Way, connections: usize) -> Result<Sample> {
    let note = Feed::new(Lengths::all(8))?.next()?;
    measure(way, connections, note, |crowd, number| {
        (0..8).try_for_each(|_| crowd.send(number))?;
        (0..2).try_for_each(|_| crowd.receive(number))
    })
}

/// Measures what `visit` leaves behind on each connection, and what the connection takes itself.
fn measure(
    way: Way,
    connections: usize,
    note: Note<'static>,
    visit: impl Fn(&mut Crowd, usize) -> Result<()>,
) -> Result<Sample> {
    // One connection takes what the process needs only once.
    let mut first = Crowd::new(way, Sockets::new(1)?, &note)?;
    visit(&mut first, 0)?;

    let sockets = Sockets::new(connections)?;
    let before = usage::anonymous_kib()?;
    let mut crowd = Crowd::new(way, sockets, &note)?;
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
    let mut receivers = IpcReceiverSet::new()?;
    let mut senders = Vec::new();
    let (mut before, mut lengths) = (0, Inbox::new(Lengths::all(64 * 1024)));
    for number in 0..=channels {
        let (sender, receiver) = ipc::channel::<Held>()?;
        receivers.add(receiver)?;
        let Note::Sample { payload, .. } = note;
        sender.send(Note::Sample { seq: number as u64, payload }.into())?;
        for result in receivers.select()? {
            match result {
                IpcSelectionResult::MessageReceived(_, message) => {
                    lengths.take_held(&message.to()?)?;
                }
                IpcSelectionResult::ChannelClosed(_) => bail!("a channel is closed"),
            }
        }
        senders.push(sender);
        if number == 0 {
            before = usage::anonymous_kib()?;
        }
    }
    ensure!(senders.len() == channels + 1, "every channel is open");
    sample(before, channels)
}
