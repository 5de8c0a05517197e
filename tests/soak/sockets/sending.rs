//! Sends in every way, and sends datagrams that break the rules.

use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixDatagram;

use datagrammar::{Address, OwnedFrame, SendAllError, SendError, Wait};
use datagrammar_tests::raw;

use super::{Model, Next, Place};
use crate::note::Made;

impl Model {
    /// Returns a random length of a body.
    fn len(&mut self) -> usize {
        let longest = match (self.random.below(20), self.is_unix) {
            (0..12, _) => 300,
            (12..16, _) => 16_000,
            (16, true) => 5_000_000,
            (_, true) => 250_000,
            (_, false) => 60_000,
        };
        self.random.below(longest) as usize
    }

    /// Returns a sender, a receiver, and the address of the receiver.
    fn route(&mut self) -> (usize, usize, Address) {
        let (from, to) = (self.any(), self.any());
        (from, to, self.places[to].address)
    }

    /// Returns whether UDP might drop a message of this size, which nobody would notice.
    fn is_full(&self, to: usize, room: usize) -> bool {
        !self.is_unix && self.places[to].queued + room > 200_000
    }

    pub(super) fn send(&mut self) {
        let (from, to, address) = self.route();
        let len = self.len();
        if self.is_full(to, Place::room(len)) {
            return;
        }
        self.number += 1;
        let has_file = self.is_unix && self.random.below(4) == 0;
        let made = Made { number: self.number, len, has_file };
        let wait = self.wait();
        let is_frame = self.random.below(4) == 0;
        let from = &mut self.places[from];
        let Some(socket) = &mut from.socket else { return };
        let sent = made.with(|note| match (is_frame, wait) {
            (true, wait) => {
                socket.tx.send_frame_to(&OwnedFrame::encode(note).unwrap(), &address, wait)
            }
            (false, Wait::Until(deadline)) => socket.send_to_deadline(note, &address, deadline),
            (false, _) => socket.try_send_to(note, &address),
        });
        let from = from.address;
        match sent {
            Ok(frame_len) => {
                assert_eq!(frame_len, made.frame_len());
                self.places[to].push(made, from);
            }
            Err(error) => self.check_error(to, wait, &error),
        }
    }

    pub(super) fn send_all(&mut self) {
        let (from, to, address) = self.route();
        let lens = [50, 300, 20_000];
        let longest = lens[self.random.below(if self.is_unix { 3 } else { 2 }) as usize];
        let made: Vec<_> = (0..=self.random.below(30))
            .map(|_| {
                self.number += 1;
                let len = self.random.below(longest) as usize;
                Made { number: self.number, len, has_file: false }
            })
            .collect();
        if self.is_full(to, made.iter().map(|made| Place::room(made.len)).sum()) {
            return;
        }
        let bodies: Vec<_> = made.iter().map(Made::body).collect();
        let notes: Vec<_> = made.iter().zip(&bodies).map(|(made, body)| made.note(body)).collect();
        let wait = self.wait();
        let from = &mut self.places[from];
        let Some(socket) = &mut from.socket else { return };
        let result = socket.tx.send_all_to(&notes, &address, wait);
        let from = from.address;
        let sent = match result {
            Ok(sent) => {
                assert_eq!(sent, made.len());
                sent
            }
            Err(SendAllError { sent, error, .. }) => {
                self.check_error(to, wait, &error);
                sent
            }
        };
        made.into_iter().take(sent).for_each(|made| self.places[to].push(made, from));
    }

    fn check_error(&self, to: usize, wait: Wait, error: &SendError) {
        let may_be = match error {
            SendError::Refused => self.places[to].socket.is_none(),
            // Other receivers may have filled the send buffer, even if nobody receives at this address.
            SendError::WouldBlock { .. } => wait == Wait::Try,
            SendError::TimedOut { .. } => wait != Wait::Try,
            _ => false,
        };
        assert!(may_be, "{error:?}");
    }

    pub(super) fn fault(&mut self) {
        let at = self.any();
        let place = &mut self.places[at];
        if place.socket.is_none() || place.queue.len() > 5 {
            return;
        }
        let faults: [&[u8]; 5] = [&[], &[0], &[0, 3, 1], &[0; 14], &[0, 2, 0, 0, 0, 0, 7]];
        let bytes = faults[self.random.below(5) as usize];
        let sent = match place.address.as_pathname() {
            Some(path) => {
                let raw = UnixDatagram::unbound().unwrap();
                raw.set_nonblocking(true).unwrap();
                raw.connect(path).unwrap();
                raw::send(raw.as_fd(), bytes)
            }
            None => {
                let raw = UdpSocket::bind("127.0.0.1:0").unwrap();
                let text = place.address.to_string();
                raw.send_to(bytes, text.strip_prefix("udp:").unwrap()).map(|_| ())
            }
        };
        if sent.is_ok() {
            place.queue.push_back(Next::Fault);
        }
    }
}
