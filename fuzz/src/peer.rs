//! A peer that breaks the rules, and the datagrams that it sends.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// The longest datagram that a peer receives.
const MAX_DATAGRAM: usize = 256 * 1024;

pub(crate) const REQUEST: u8 = 5;
pub(crate) const REPLY: u8 = 6;
pub(crate) const ITEM: u8 = 7;
pub(crate) const END: u8 = 8;
pub(crate) const CANCEL: u8 = 9;
pub(crate) const CREDIT: u8 = 10;

/// One end of a connection that sends and receives any datagrams.
#[derive(Debug)]
pub(crate) struct Peer {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(fd: OwnedFd) -> Self {
        Self { fd, buffer: vec![0; MAX_DATAGRAM] }
    }

    /// Sends a datagram. Returns `false` if there is no room.
    pub(crate) fn send(&self, datagram: &[u8]) -> bool {
        match send(&self.fd, datagram, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(_) => true,
            Err(Errno::AGAIN) => false,
            Err(error) => panic!("the connection is gone: {error}"),
        }
    }

    /// Receives a datagram if one is queued.
    pub(crate) fn recv(&mut self) -> Option<&[u8]> {
        let (len, _) = recv(&self.fd, &mut self.buffer[..], RecvFlags::DONTWAIT).ok()?;
        self.buffer.get(..len).filter(|datagram| !datagram.is_empty())
    }
}

/// Returns a head with tag 0.
pub(crate) fn head(kind: u8, number: u32, place: u64) -> Vec<u8> {
    [&[0, kind][..], &number.to_le_bytes(), &place.to_le_bytes()].concat()
}

/// Splits a frame into pieces of 20 bytes.
pub(crate) fn pieces(frame: &[u8]) -> Vec<Vec<u8>> {
    let place = |number: usize, at: usize| match number {
        0 => head(1, 77, frame.len() as u64),
        _ => head(2, 77, at as u64),
    };
    let pieces = frame.chunks(20).enumerate();
    pieces.map(|(number, piece)| [place(number, number * 20), piece.to_vec()].concat()).collect()
}

/// Returns a bundle of `frames`.
pub(crate) fn bundle(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = head(4, 0, frames.len() as u64);
    for frame in frames {
        // So that the length takes one byte.
        bundle.push(frame.len().min(250) as u8);
        bundle.extend(frame.iter().take(250));
    }
    bundle
}
