//! Awaited calls, written as the derive would, and those of tarpc.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use datagrammar::calls::Call;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use datagrammar_benches::usage::cpu_time;
use futures_util::future::try_join_all;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::echo::{Echo, Echoed, TEXT};
use crate::{Case, tarpc};

/// How many calls are in flight, and the most that the CPU time may be of tarpc's.
const REQUIRED: [(usize, f64); 3] = [(1, 0.6), (16, 0.35), (256, 0.25)];

/// Compares both ways, on one thread and on two.
pub(crate) fn compare(calls: usize, rounds: u32) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (sides, apart) in [("one thread", false), ("two threads", true)] {
        let (ours, theirs) = (pair(apart)?, tarpc::pair(apart)?);
        for (in_flight, required) in REQUIRED {
            let of = (sides, in_flight);
            cases.push(Case::measure(of, ("tarpc 0.38", Some(required)), rounds, || {
                thread::sleep(Duration::from_millis(1));
                Ok([ours.measure(calls, in_flight)?, theirs.measure(calls, in_flight)?])
            })?);
        }
    }
    Ok(cases)
}

/// Runs our calls alone, on one thread.
pub(crate) fn profile(calls: usize, in_flight: usize, rounds: u32) -> Result<()> {
    let pair = pair(false)?;
    for _ in 0..rounds {
        println!("{:.0} ns", pair.measure(calls, in_flight)?);
    }
    Ok(())
}

/// Makes so many calls on each of so many tasks.
type Run = dyn Fn(&Runtime, usize, usize) -> Result<()>;

/// A client and its server.
pub(crate) struct Pair {
    pub(crate) client: Runtime,
    pub(crate) run: Box<Run>,
    /// Ends the thread of the server, if it has one.
    pub(crate) _end: Option<oneshot::Sender<()>>,
}

impl Pair {
    /// Returns the CPU time of a call of both sides.
    fn measure(&self, calls: usize, in_flight: usize) -> Result<f64> {
        let before = cpu_time()?;
        (self.run)(&self.client, calls / in_flight, in_flight)?;
        let used = cpu_time()? - before;
        Ok(used.as_nanos() as f64 / calls as f64)
    }
}

pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// Runs `serve` on the runtime of the client, or on a thread of its own.
pub(crate) fn spawn_server<F: Future<Output = ()> + Send + 'static>(
    client: &Runtime,
    apart: bool,
    serve: impl FnOnce() -> Result<F> + Send + 'static,
) -> Result<Option<oneshot::Sender<()>>> {
    if !apart {
        let _guard = client.enter();
        client.spawn(serve()?);
        return Ok(None);
    }
    let (end, ended) = oneshot::channel();
    thread::spawn(move || -> Result<()> {
        let runtime = runtime()?;
        let _guard = runtime.enter();
        runtime.spawn(serve()?);
        _ = runtime.block_on(ended);
        Ok(())
    });
    Ok(Some(end))
}

struct Handler;

impl Service for Handler {
    type Protocol = Echo<'static>;

    async fn handle(self: Arc<Self>, mut call: Call<Echo<'static>>) {
        let Some((_, Echo::Echo { text }, answer)) = call.open() else { return };
        answer.reply::<Echoed<'static>>(Ok(text));
    }
}

fn pair(apart: bool) -> Result<Pair> {
    let runtime = runtime()?;
    let (ours, server) = datagrammar::Connection::pair()?;
    let end = spawn_server(&runtime, apart, move || {
        let server = Connection::from_blocking(server).map_err(|(_, error)| error)?;
        Ok(async move { _ = Server::new(Handler).serve(server).await })
    })?;
    let client = {
        let _guard = runtime.enter();
        Client::new(Connection::from_blocking(ours).map_err(|(_, error)| error)?)
    };
    let run = Box::new(move |runtime: &Runtime, calls, in_flight| {
        let loops = (0..in_flight).map(|_| {
            let client = client.clone();
            runtime.spawn(async move {
                for _ in 0..calls {
                    let answer = client.call::<Echoed<'static>>(&Echo::Echo { text: TEXT });
                    let mut answer = answer.await.map_err(|error| anyhow!(error))?;
                    anyhow::ensure!(answer.decode()? == TEXT);
                }
                anyhow::Ok(())
            })
        });
        let loops = loops.collect::<Vec<_>>();
        runtime.block_on(async { try_join_all(loops).await?.into_iter().collect() })
    });
    Ok(Pair { client: runtime, run, _end: end })
}
