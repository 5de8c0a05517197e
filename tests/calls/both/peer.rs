//! Peers without the library, for both sides of calls.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;

use datagrammar::{Message, to_vec};
pub(crate) use datagrammar_tests::datagrams::{
    CANCEL, CREDIT, END, ITEM, REPLY, REQUEST, bundle, part, pieces,
};
use datagrammar_tests::raw;

/// A decoded part of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: u8,
    pub(crate) number: u32,
    pub(crate) id: u64,
    pub(crate) frame: Vec<u8>,
}

/// A raw socket that splits received datagrams into parts of calls.
#[derive(Debug)]
pub(crate) struct Peer {
    socket: OwnedFd,
    unread: VecDeque<Part>,
}

impl Peer {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket, unread: VecDeque::new() }
    }

    pub(crate) fn send(&self, datagram: &[u8]) {
        raw::send(&self.socket, datagram).unwrap();
    }

    /// Sends a part of a call.
    pub(crate) fn part(&self, kind: u8, number: u32, id: u64, frame: &[u8]) {
        self.send(&part(kind, number, id, frame));
    }

    /// Sends a request without a deadline.
    pub(crate) fn request(&self, id: u64, request: &impl Message) {
        self.part(REQUEST, 0, id, &to_vec(request).unwrap());
    }

    /// Sends a datagram if there is room.
    pub(crate) fn try_send(&self, datagram: &[u8]) -> io::Result<()> {
        let flags = rustix::net::SendFlags::DONTWAIT | rustix::net::SendFlags::NOSIGNAL;
        rustix::net::send(&self.socket, datagram, flags)?;
        Ok(())
    }

    /// Shuts down receiving.
    pub(crate) fn shutdown_read(&self) {
        rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Read).unwrap();
    }

    /// Receives the next part, alone or in a bundle.
    pub(crate) fn next(&mut self) -> Part {
        while self.unread.is_empty() {
            let parts = self.datagram();
            self.unread.extend(parts);
        }
        self.unread.pop_front().unwrap()
    }

    /// Receives a datagram, and returns its parts.
    pub(crate) fn datagram(&self) -> Vec<Part> {
        let datagram = raw::recv(&self.socket);
        assert!(!datagram.is_empty(), "the connection has ended");
        split(&datagram).into_iter().collect()
    }

    /// Receives `count` parts, and returns them in the order of their ids.
    pub(crate) fn sorted(&mut self, count: usize) -> Vec<Part> {
        let mut parts: Vec<_> = (0..count).map(|_| self.next()).collect();
        parts.sort_by_key(|part| part.id);
        parts
    }

    /// Checks that no other part has arrived.
    pub(crate) fn check_silent(&self) {
        assert!(self.unread.is_empty(), "{:?}", self.unread);
        let error = raw::try_recv(&self.socket, 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

fn split(datagram: &[u8]) -> Vec<Part> {
    let (head, mut rest) = datagram.split_at(14);
    let number = u32::from_le_bytes(head[2..6].try_into().unwrap());
    let id = u64::from_le_bytes(head[6..].try_into().unwrap());
    assert_eq!(head[0], 0, "{datagram:?}");
    if head[1] != 4 {
        return vec![Part { kind: head[1], number, id, frame: rest.to_vec() }];
    }
    let mut parts = Vec::new();
    while let [first, after @ ..] = rest {
        let (len, after) = match first {
            251 => (usize::from(u16::from_le_bytes([after[0], after[1]])), &after[2..]),
            len => (usize::from(*len), after),
        };
        parts.extend(split(&after[..len]));
        rest = &after[len..];
    }
    assert_eq!(parts.len() as u64, id);
    parts
}
