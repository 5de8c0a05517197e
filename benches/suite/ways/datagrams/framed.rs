//! tokio-util's `UdpFramed`, with bincode by hand. What it decodes has to be owned.

use std::net::SocketAddr;

use anyhow::{Context as _, Error, Result, bail};
use bytes::{BufMut as _, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::UdpSocket;
use tokio::runtime::Runtime;
use tokio_util::codec::{Decoder, Encoder};
use tokio_util::udp::UdpFramed;

use super::Socket;
use crate::feed::Inbox;
use crate::message::{Held, Note};
use crate::ways::{End, Ends, tokio_seqpacket};

struct Framed {
    runtime: Runtime,
    framed: UdpFramed<Bincode>,
    to: SocketAddr,
}

pub(super) fn pair(left: Socket, right: Socket) -> Result<Ends> {
    let end = |socket| -> Result<Box<Framed>> {
        let Socket::Udp(socket, to) = socket else { bail!("UdpFramed is for UDP") };
        socket.set_nonblocking(true)?;
        let runtime = tokio_seqpacket::runtime()?;
        let context = runtime.enter();
        let framed = UdpFramed::new(UdpSocket::from_std(socket)?, Bincode);
        drop(context);
        Ok(Box::new(Framed { runtime, framed, to }))
    };
    Ok((end(left)?, end(right)?))
}

struct Bincode;

impl Encoder<Note<'static>> for Bincode {
    type Error = Error;

    fn encode(&mut self, note: Note<'static>, bytes: &mut BytesMut) -> Result<()> {
        bincode::serde::encode_into_std_write(
            note,
            &mut bytes.writer(),
            bincode::config::standard(),
        )?;
        Ok(())
    }
}

impl Decoder for Bincode {
    type Item = Held;
    type Error = Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Held>> {
        if bytes.is_empty() {
            return Ok(None);
        }
        let (held, len) = bincode::serde::decode_from_slice(bytes, bincode::config::standard())?;
        bytes::Buf::advance(bytes, len);
        Ok(Some(held))
    }
}

impl End for Framed {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        let Self { runtime, framed, to } = self;
        runtime.block_on(async {
            for &note in notes {
                framed.send((note, *to)).await?;
            }
            Ok(())
        })
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let Self { runtime, framed, .. } = self;
        runtime.block_on(async {
            for _ in 0..count {
                let (held, _) = framed.next().await.context("the socket is closed")??;
                inbox.take_held(&held)?;
            }
            Ok(())
        })
    }
}
