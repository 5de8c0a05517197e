//! tokio-util's `UdpFramed`, with bincode by hand. It moves owned bytes.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use datagrammar_benches::buffer::Buffer;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;
use tokio_util::bytes::Bytes;
use tokio_util::codec::BytesCodec;
use tokio_util::udp::UdpFramed;

use super::Socket;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{End, Ends, awaited, codec};

struct Framed {
    runtime: Runtime,
    framed: UdpFramed<BytesCodec>,
    to: SocketAddr,
    outgoing: Buffer,
}

pub(super) fn pair(left: Socket, right: Socket) -> Result<Ends> {
    let end = |socket| -> Result<Box<Framed>> {
        let Socket::Udp(socket, to) = socket else { bail!("UdpFramed is for UDP") };
        socket.set_nonblocking(true)?;
        let runtime = awaited::runtime()?;
        let context = runtime.enter();
        let framed = UdpFramed::new(UdpSocket::from_std(socket)?, BytesCodec::new());
        drop(context);
        Ok(Box::new(Framed { runtime, framed, to, outgoing: Buffer::new(64 * 1024)? }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Framed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { runtime, framed, to, outgoing } = self;
        runtime.block_on(async {
            for note in notes {
                let frame = Bytes::copy_from_slice(codec::encode(note, outgoing)?);
                framed.send((frame, *to)).await?;
            }
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, framed, .. } = self;
        runtime.block_on(async {
            for _ in 0..count {
                let (frame, _) = framed.next().await.context("the socket is closed")??;
                codec::decode(&frame, inbox)?;
            }
            Ok(())
        })
    }
}
