//! Tasks that send over one connection, as users of each library would.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use datagrammar::tokio::{Queue, Sender};
use datagrammar_benches::buffer::Buffer;
use tokio::runtime::Runtime;
use tokio_seqpacket::UnixSeqpacket;

use super::{runtime, seqpacket, typed};
use crate::feed::Feed;
use crate::message::Note;
use crate::ways::{End, Settings, Way, codec, plain};

/// The number of tasks.
pub(crate) const TASKS: u64 = 4;

/// The most bytes that are queued.
const CAPACITY: usize = 64 * 1024;

/// The tasks, on one thread.
pub(crate) struct Crew {
    runtime: Runtime,
    sender: Shared,
}

enum Shared {
    /// Put behind a queue for each turn; none after an error.
    Typed(Option<Sender<Note<'static>>>),
    /// Its `send` borrows, so the tasks share it without a lock.
    Seqpacket(Arc<UnixSeqpacket>, usize),
}

/// Connects a crew and an end that receives.
pub(crate) fn crew(way: Way, settings: &Settings) -> Result<(Crew, Box<dyn End>)> {
    let runtime = runtime()?;
    let context = runtime.enter();
    let (sender, end): (_, Box<dyn End>) = match way {
        Way::Queue => {
            let (left, right) = typed::Awaiting::pair()?;
            let right = right.into_blocking();
            (Shared::Typed(Some(left.tx)), typed::end(right, settings)?)
        }
        Way::TokioSeqpacket => {
            let (left, right): (OwnedFd, OwnedFd) = plain::connect(settings)?;
            let left = Arc::new(seqpacket::register(left)?);
            (Shared::Seqpacket(left, settings.buffer), seqpacket::end(right, settings)?)
        }
        _ => bail!("{} is not for this workload", way.title()),
    };
    drop(context);
    Ok((Crew { runtime, sender }, end))
}

impl Crew {
    /// Each task sends `count` messages, waiting for room.
    pub(crate) fn send(&mut self, feed: &Feed, count: u64) -> Result<()> {
        let Self { runtime, sender } = self;
        runtime.block_on(async {
            match sender {
                Shared::Typed(sender) => {
                    let (queue, driver) = sender.take().context("it failed")?.into_queue(CAPACITY);
                    let driver = runtime.spawn(driver);
                    let task = || runtime.spawn(queued(queue.clone(), feed.clone(), count));
                    let tasks: Vec<_> = (0..TASKS).map(|_| task()).collect();
                    drop(queue);
                    for task in tasks {
                        task.await??;
                    }
                    *sender = Some(driver.await??);
                }
                Shared::Seqpacket(socket, buffer) => {
                    let task = || {
                        let buffer = Buffer::new(*buffer)?;
                        let task = direct(Arc::clone(socket), buffer, feed.clone(), count);
                        Ok(runtime.spawn(task))
                    };
                    let tasks = (0..TASKS).map(|_| task()).collect::<Result<Vec<_>>>()?;
                    for task in tasks {
                        task.await??;
                    }
                }
            }
            Ok(())
        })
    }
}

async fn queued(queue: Queue<Note<'static>>, mut feed: Feed, count: u64) -> Result<()> {
    for _ in 0..count {
        queue.send(&feed.next()?).await?;
    }
    Ok(())
}

async fn direct(
    socket: Arc<UnixSeqpacket>,
    mut buffer: Buffer,
    mut feed: Feed,
    count: u64,
) -> Result<()> {
    for _ in 0..count {
        socket.send(codec::encode(&feed.next()?, &mut buffer)?).await?;
    }
    Ok(())
}
