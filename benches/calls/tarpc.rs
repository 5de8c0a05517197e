//! Calls of tarpc.

use std::os::unix::net::UnixStream;

use ::tarpc::server::{BaseChannel, Channel as _};
use ::tarpc::tokio_serde::formats::Bincode;
use ::tarpc::tokio_util::codec::LengthDelimitedCodec;
use ::tarpc::{client, context, serde_transport};
use anyhow::Result;
use futures_util::StreamExt as _;
use futures_util::future::try_join_all;

use crate::echo::TEXT;
use crate::pair::{Pair, Sides, spawn_server};

#[::tarpc::service]
trait Echo {
    async fn echo(text: Vec<u8>) -> Vec<u8>;
}

#[derive(Clone)]
struct Handler;

impl Echo for Handler {
    async fn echo(self, _: context::Context, text: Vec<u8>) -> Vec<u8> {
        text
    }
}

fn framed(
    stream: UnixStream,
) -> Result<tokio_util::codec::Framed<tokio::net::UnixStream, LengthDelimitedCodec>> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::UnixStream::from_std(stream)?;
    Ok(LengthDelimitedCodec::builder().new_framed(stream))
}

pub(crate) fn pair(sides: Sides) -> Result<Pair> {
    let runtime = sides.runtime()?;
    let (ours, server) = UnixStream::pair()?;
    let end = spawn_server(&runtime, sides, move || {
        let transport = serde_transport::new(framed(server)?, Bincode::default());
        let requests = BaseChannel::with_defaults(transport).execute(Handler.serve());
        Ok(requests.for_each(|response| async move { _ = tokio::spawn(response) }))
    })?;
    let client = {
        let _guard = runtime.enter();
        let transport = serde_transport::new(framed(ours)?, Bincode::default());
        EchoClient::new(client::Config::default(), transport).spawn()
    };
    let run = Box::new(move |runtime: &tokio::runtime::Runtime, calls, in_flight| {
        let loops = (0..in_flight).map(|_| {
            let client = client.clone();
            runtime.spawn(async move {
                for _ in 0..calls {
                    let text = client.echo(context::current(), TEXT.to_vec()).await?;
                    anyhow::ensure!(text == TEXT);
                }
                anyhow::Ok(())
            })
        });
        let loops = loops.collect::<Vec<_>>();
        runtime.block_on(async { try_join_all(loops).await?.into_iter().collect() })
    });
    Ok(Pair { client: runtime, run, _end: end })
}
