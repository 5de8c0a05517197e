//! The ways under tokio. Each end has a runtime of one thread, so that both can be on one thread or on two.

mod crew;
mod seqpacket;
mod typed;

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

pub(crate) use self::crew::{TASKS, crew};
pub(super) use self::seqpacket::pair as seqpacket_pair;
pub(crate) use self::typed::Awaiting;
pub(super) use self::typed::pair as typed_pair;
use super::End;
use crate::feed::{Feed, Inbox};
use crate::message::Note;

/// One end of an async connection.
trait Awaited: Send {
    /// Sends a message, waiting for room.
    async fn send(&mut self, note: &Note<'static>) -> Result<()>;

    /// Receives a message, waiting for it.
    async fn receive(&mut self, inbox: &mut Inbox) -> Result<()>;
}

struct Asynchronous<A> {
    runtime: Runtime,
    inner: A,
}

/// A runtime of the thread that blocks on it.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

impl<A: Awaited> Asynchronous<A> {
    /// Makes an end in the context of its runtime.
    fn new(end: impl FnOnce() -> Result<A>) -> Result<Box<Self>> {
        let runtime = runtime()?;
        let context = runtime.enter();
        let inner = end()?;
        drop(context);
        Ok(Box::new(Self { runtime, inner }))
    }
}

impl<A: Awaited> End for Asynchronous<A> {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for note in notes {
                inner.send(note).await?;
            }
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                inner.receive(inbox).await?;
            }
            Ok(())
        })
    }

    fn converse(
        &mut self,
        asks: bool,
        feed: &mut Feed,
        inbox: &mut Inbox,
        count: u64,
    ) -> Result<()> {
        let Self { runtime, inner } = self;
        runtime.block_on(async {
            for _ in 0..count {
                if asks {
                    inner.send(&feed.next()?).await?;
                }
                inner.receive(inbox).await?;
                if !asks {
                    inner.send(&feed.next()?).await?;
                }
            }
            Ok(())
        })
    }
}
