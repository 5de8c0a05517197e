//! Our calls, written as the derive would.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use datagrammar::Message;
use datagrammar::calls::{Call, Protocol, Reply};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, Server, Service};
use futures_util::future::try_join_all;

use crate::{Pair, TEXT, runtime, spawn_server};

#[derive(Message)]
enum Echo<'a> {
    #[message(tag = 1)]
    Echo { text: &'a [u8] },
}

impl Protocol for Echo<'_> {
    const ANSWER_DESCRIPTORS: bool = false;

    fn has_items(_tag: u32) -> bool {
        false
    }
}

#[derive(Message)]
#[message(tag = 1)]
struct Echoed<'a>(&'a [u8]);

impl Reply for Echoed<'_> {
    type Value<'f> = &'f [u8];
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(value) = result;
        Echoed(value)
    }
}

struct Handler;

impl Service for Handler {
    type Protocol = Echo<'static>;

    async fn handle(self: Arc<Self>, mut call: Call<Echo<'static>>) {
        let Some((_, Echo::Echo { text }, answer)) = call.open() else { return };
        answer.reply::<Echoed<'static>>(Ok(text));
    }
}

pub(crate) fn pair(apart: bool) -> Result<Pair> {
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
    let run = Box::new(move |runtime: &tokio::runtime::Runtime, calls, in_flight| {
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
