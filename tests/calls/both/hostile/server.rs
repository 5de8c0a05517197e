//! A server, and clients that break the rules.

mod bounds;
mod refused;
mod told;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use datagrammar::calls::{Answers, Server};
use datagrammar::{Connection, Limits, to_vec};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::peer::{Part, Peer, REPLY, REQUEST, part};
use crate::{Handler, Sum, Sums};

/// The server's limit for frames.
const LIMIT: usize = 4000;

/// A connection to `server`, whose thread reports when it has ended.
fn connect(server: &Arc<Server<Handler>>, limits: Limits) -> (Peer, mpsc::Receiver<()>) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut connection =
        Connection::<Answers<Sums<'static>>, Sums<'static>>::adopt(theirs).unwrap();
    connection.rx.set_limits(limits);
    let server = Arc::clone(server);
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        server.serve(connection).unwrap();
        _ = done.send(());
    });
    (Peer::new(ours), ended)
}

/// Runs `test` against a server with 2 threads. Then checks that the server still answers, and ends.
fn serve(test: impl FnOnce(&mut Peer)) {
    let server = Arc::new(Server::new(Handler::default()).threads(2));
    let (mut peer, ended) = connect(&server, Limits::default().frame_len(LIMIT));
    test(&mut peer);
    check_answers(&mut peer);
    drop(peer);
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// Checks that the next part is the answer to a new request.
fn check_answers(peer: &mut Peer) {
    let id = 1 << 60;
    peer.request(id, &Sums::Add { left: 20, right: 22 });
    assert_eq!(peer.next(), answer(id, 42));
    peer.check_silent();
}

fn answer(id: u64, value: u64) -> Part {
    Part { kind: REPLY, number: 0, id, frame: to_vec(&Sum::Ok(value)).unwrap() }
}

fn status(id: u64, number: u32) -> Part {
    Part { kind: REPLY, number, id, frame: Vec::new() }
}

fn add(id: u64, value: u64) -> Vec<u8> {
    part(REQUEST, 0, id, &to_vec(&Sums::Add { left: value, right: 0 }).unwrap())
}

/// Returns a request whose frame has `len` bytes.
fn echo(id: u64, len: usize) -> Vec<u8> {
    let text = vec![7; len - 4];
    let frame = to_vec(&Sums::Echo { text: &text }).unwrap();
    assert_eq!(frame.len(), len);
    part(REQUEST, 0, id, &frame)
}
