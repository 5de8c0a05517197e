//! quinn-udp with bincode by hand. It receives several datagrams with one call.

use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};

use anyhow::{Context as _, Result, bail};
use datagrammar_benches::buffer::Buffer;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::Socket;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{End, Ends, codec};

const BUFFER: usize = 64 * 1024;

struct Quinn {
    socket: UdpSocket,
    state: UdpSocketState,
    to: SocketAddr,
    outgoing: Buffer,
    incoming: Vec<Buffer>,
}

pub(super) fn pair(left: Socket, right: Socket) -> Result<Ends> {
    let end = |socket| -> Result<Box<Quinn>> {
        let Socket::Udp(socket, to) = socket else { bail!("quinn-udp is for UDP") };
        // This makes the socket non-blocking. Over loopback, sent datagrams have already arrived.
        let state = UdpSocketState::new((&socket).into())?;
        let incoming = (0..BATCH_SIZE).map(|_| Buffer::new(BUFFER)).collect::<Result<_, _>>()?;
        Ok(Box::new(Quinn { socket, state, to, outgoing: Buffer::new(BUFFER)?, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Quinn {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for note in notes {
            let contents = codec::encode(note, &mut self.outgoing)?;
            let transmit = Transmit {
                destination: self.to,
                ecn: None,
                contents,
                segment_size: None,
                src_ip: None,
            };
            self.state.try_send((&self.socket).into(), &transmit)?;
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        let mut wanted = count;
        while wanted > 0 {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let mut slices: Vec<IoSliceMut<'_>> =
                self.incoming.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
            let received = self.state.recv((&self.socket).into(), &mut slices, &mut metas)?;
            for (slice, meta) in slices.iter().zip(&metas).take(received) {
                // The kernel may join datagrams of one length.
                let frames = slice.get(..meta.len).context("more than fits")?;
                for frame in frames.chunks(meta.stride.max(1)) {
                    codec::decode(frame, inbox)?;
                    wanted = wanted.checked_sub(1).context("more came than was sent")?;
                }
            }
        }
        Ok(())
    }
}
