//! std's `send_to`, and `recv_from` into 64 KiB, with bincode by hand.

use std::hint::black_box;

use anyhow::{Context as _, Result};
use datagrammar_benches::buffer::Buffer;

use super::Socket;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::{End, Ends, codec};

const BUFFER: usize = 64 * 1024;

struct Plain {
    socket: Socket,
    outgoing: Buffer,
    incoming: Buffer,
}

pub(super) fn pair(left: Socket, right: Socket) -> Result<Ends> {
    let end = |socket| -> Result<Box<Plain>> {
        let (outgoing, incoming) = (Buffer::new(BUFFER)?, Buffer::new(BUFFER)?);
        Ok(Box::new(Plain { socket, outgoing, incoming }))
    };
    Ok((end(left)?, end(right)?))
}

impl End for Plain {
    fn send(&mut self, notes: &[Note<'static>]) -> Result<()> {
        for note in notes {
            let frame = codec::encode(note, &mut self.outgoing)?;
            match &self.socket {
                Socket::Unix(socket, to) => socket.send_to_addr(frame, to)?,
                Socket::Udp(socket, to) => socket.send_to(frame, to)?,
            };
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, count: u64) -> Result<()> {
        for _ in 0..count {
            let len = match &self.socket {
                Socket::Unix(socket, _) => black_box(socket.recv_from(&mut self.incoming)?).0,
                Socket::Udp(socket, _) => black_box(socket.recv_from(&mut self.incoming)?).0,
            };
            codec::decode(self.incoming.get(..len).context("more than fits")?, inbox)?;
        }
        Ok(())
    }
}
