//! Async calls, with hand-written code like the derive's, and those of tarpc.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use datagrammar::calls::Call;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;

use crate::echo::{Echo, EchoEchoAnswer, TEXT};
use crate::pair::{Pair, Sides, spawn_server};
use crate::{Case, tarpc};

/// The number of calls in flight, and the highest ratio of our CPU time to tarpc's.
const REQUIRED: [(usize, f64); 3] = [(1, 0.6), (16, 0.35), (256, 0.25)];

/// Compares both ways, for every placement of the sides.
pub(crate) fn compare(calls: usize, rounds: u32) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for sides in Sides::ALL {
        let (ours, theirs) = (pair(sides)?, tarpc::pair(sides)?);
        for (in_flight, required) in REQUIRED {
            let of = (sides.title(), in_flight);
            cases.push(Case::measure(of, ("tarpc 0.38", Some(required)), rounds, || {
                // Lets both servers become idle, because their remaining work would count.
                thread::sleep(Duration::from_millis(1));
                Ok([ours.measure(calls, in_flight)?, theirs.measure(calls, in_flight)?])
            })?);
        }
    }
    Ok(cases)
}

/// Runs our calls alone, and prints the CPU time of a call.
pub(crate) fn profile(calls: usize, (sides, in_flight): (Sides, usize), rounds: u32) -> Result<()> {
    let pair = pair(sides)?;
    for _ in 0..rounds {
        println!("{:.0} ns", pair.measure(calls, in_flight)?);
    }
    Ok(())
}

struct Handler;

impl Service for Handler {
    type Protocol = Echo<'static>;

    async fn handle(self: Arc<Self>, mut call: Call<Echo<'static>>) {
        let Some((_, Echo::Echo { text }, answer)) = call.open() else { return };
        answer.reply::<EchoEchoAnswer<'static>>(Ok(text));
    }
}

fn pair(sides: Sides) -> Result<Pair> {
    let runtime = sides.runtime()?;
    let (ours, server) = datagrammar::Connection::pair()?;
    let end = spawn_server(&runtime, sides, move || {
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
                    let answer = client.call::<EchoEchoAnswer<'static>>(&Echo::Echo { text: TEXT });
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
