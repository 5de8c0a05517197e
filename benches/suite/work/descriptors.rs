//! Bursts of small messages with one descriptor each, which the receiver closes.

use std::fs::File;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context as _, Result};
use datagrammar::{Connection, Message};
use datagrammar_benches::buffer::Buffer;
use datagrammar_benches::{raw, rights};

use crate::feed::{Feed, Inbox, Lengths};
use crate::measure::{self, Sample};
use crate::message::Note;
use crate::ways::{Way, codec};

const LEN: usize = 16;
const BURST: u64 = 32;

pub(super) fn run(way: Way, target: Duration) -> Result<Sample> {
    if way == Way::Plain { plain(target) } else { typed(target) }
}

#[derive(Message)]
enum Sent<'a> {
    #[message(tag = 1)]
    Sample {
        seq: u64,
        payload: &'a [u8],
        #[message(fd)]
        fd: BorrowedFd<'a>,
    },
}

#[derive(Message)]
enum Received<'a> {
    #[message(tag = 1)]
    Sample {
        seq: u64,
        payload: &'a [u8],
        #[message(fd)]
        fd: OwnedFd,
    },
}

fn typed(target: Duration) -> Result<Sample> {
    let (left, right) = raw::pair()?;
    let mut left = Connection::<Sent<'static>, Received<'static>>::adopt(left)?;
    let mut right = Connection::<Sent<'static>, Received<'static>>::adopt(right)?;
    let send = |Note::Sample { seq, payload }: Note<'static>, fd: BorrowedFd<'_>| -> Result<()> {
        left.send(&Sent::Sample { seq, payload, fd })?;
        Ok(())
    };
    let receive = |inbox: &mut Inbox| -> Result<()> {
        let frame = right.recv()?.context("the sender is gone")?;
        let Received::Sample { seq, payload, fd } = frame.decode()?;
        drop(fd);
        inbox.take(Note::Sample { seq, payload })
    };
    repeat(target, send, receive)
}

/// `sendmsg` and `recvmsg`, with bincode by hand.
fn plain(target: Duration) -> Result<Sample> {
    let (left, right) = raw::pair()?;
    let (mut outgoing, mut incoming) = (Buffer::new(4096)?, Buffer::new(4096)?);
    let send = |note: Note<'static>, fd: BorrowedFd<'_>| -> Result<()> {
        rights::send(left.as_fd(), codec::encode(&note, &mut outgoing)?, fd)?;
        Ok(())
    };
    let receive = |inbox: &mut Inbox| -> Result<()> {
        let (len, fd) = rights::recv(right.as_fd(), &mut incoming)?;
        drop(fd);
        codec::decode(incoming.get(..len).context("more than fits")?, inbox)
    };
    repeat(target, send, receive)
}

fn repeat(
    target: Duration,
    mut send: impl FnMut(Note<'static>, BorrowedFd<'_>) -> Result<()>,
    mut receive: impl FnMut(&mut Inbox) -> Result<()>,
) -> Result<Sample> {
    let carried = File::open("/dev/null")?;
    let mut feed = Feed::new(Lengths::all(LEN))?;
    let mut inbox = Inbox::new(Lengths::all(LEN));
    measure::repeat(target, BURST, |count| {
        for _ in 0..count {
            for _ in 0..BURST {
                send(feed.next()?, carried.as_fd())?;
            }
            for _ in 0..BURST {
                receive(&mut inbox)?;
            }
        }
        Ok(())
    })
}
