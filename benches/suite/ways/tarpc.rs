//! tarpc, over its serde transport with bincode, on a UNIX stream. It pays for what it is: request ids,
//! deadlines, tracing contexts, tasks and channels. The server answers requests in its own loop, without a
//! task for each, which is the cheaper form.

use std::hint::black_box;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Result, bail};
use futures::{Stream, StreamExt as _};
use tarpc::server::{BaseChannel, Channel as _};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::{End, Ends, runtime};
use crate::feed::{Feed, Inbox};
use crate::message::{Held, Note};

#[tarpc::service]
trait Echo {
    async fn echo(held: Held) -> Held;
}

#[derive(Clone)]
struct Server;

impl Echo for Server {
    async fn echo(self, _: context::Context, held: Held) -> Held {
        // That all requests come, in order, is checked by the client: they are what it gets back.
        black_box(held)
    }
}

/// The end that asks.
struct Asking {
    runtime: Runtime,
    client: EchoClient,
    done: Arc<Notify>,
}

/// The end that answers.
struct Answering {
    runtime: Runtime,
    requests: Requests,
    done: Arc<Notify>,
}

/// Each is answered once it is awaited.
type Requests = Pin<Box<dyn Stream<Item = Answer> + Send>>;
type Answer = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) fn pair() -> Result<Ends> {
    let (left, right) = UnixStream::pair()?;
    left.set_nonblocking(true)?;
    right.set_nonblocking(true)?;
    let done = Arc::new(Notify::new());

    let asking = runtime::new()?;
    let context = asking.enter();
    let left = tokio::net::UnixStream::from_std(left)?;
    let transport = serde_transport::Transport::from((left, Bincode::default()));
    let client = EchoClient::new(client::Config::default(), transport).spawn();
    drop(context);

    let answering = runtime::new()?;
    let context = answering.enter();
    let right = tokio::net::UnixStream::from_std(right)?;
    let transport = serde_transport::Transport::from((right, Bincode::default()));
    let requests = BaseChannel::with_defaults(transport)
        .execute(Server.serve())
        .map(|answer| Box::pin(answer) as Answer);
    drop(context);

    let left = Asking { runtime: asking, client, done: Arc::clone(&done) };
    let right = Answering { runtime: answering, requests: Box::pin(requests), done };
    Ok((Box::new(left), Box::new(right)))
}

impl End for Asking {
    fn send(&mut self, _: &[Note<'static>]) -> Result<()> {
        bail!("tarpc asks and answers, and has no other messages")
    }

    fn receive(&mut self, _: &mut Inbox, _: u64) -> Result<()> {
        bail!("tarpc asks and answers, and has no other messages")
    }

    fn ask(&mut self, feed: &mut Feed, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, client, done } = self;
        let result = runtime.block_on(async {
            for _ in 0..count {
                let held = client.echo(context::current(), feed.next()?.into()).await?;
                inbox.take_held(&held)?;
            }
            Ok(())
        });
        done.notify_one();
        result
    }
}

impl End for Answering {
    fn send(&mut self, _: &[Note<'static>]) -> Result<()> {
        bail!("tarpc asks and answers, and has no other messages")
    }

    fn receive(&mut self, _: &mut Inbox, _: u64) -> Result<()> {
        bail!("tarpc asks and answers, and has no other messages")
    }

    /// Until the other end has all that it asked for: an answer is on its way only once the next request is
    /// waited for.
    fn answer(&mut self, _: &mut Feed, _: &mut Inbox, _: u64) -> Result<()> {
        let Self { runtime, requests, done } = self;
        runtime.block_on(async {
            tokio::select! {
                () = requests.by_ref().for_each(|answer| answer) => bail!("the client is gone"),
                () = done.notified() => Ok(()),
            }
        })
    }
}
