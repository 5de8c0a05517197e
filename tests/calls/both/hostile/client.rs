//! A client, and servers that break the rules.

mod answers;
mod lost;

use std::thread;

use datagrammar::calls::{CallError, Client, Items};
use datagrammar::{Connection, Limits, to_vec};
use datagrammar_tests::{raw, within};
use rustix::net::SocketType;

use crate::peer::{ITEM, Peer, REPLY, REQUEST, part};
use crate::{Counted, Echoed, Ours, Sum, Sums, add};

/// The client's limit for frames.
const LIMIT: usize = 4000;

/// Runs `calls` with a client, and `server` at the other end. Then checks that the client still works, and that it has
/// dropped `dropped` answers.
#[track_caller]
fn run<T: Send + 'static>(
    dropped: u64,
    calls: impl FnOnce(&Ours) -> T + Send + 'static,
    server: impl FnOnce(&mut Peer) + Send + 'static,
) -> T {
    within("the requests and the calls of the test", move || exchange(dropped, calls, server))
}

fn exchange<T: Send>(
    dropped: u64,
    calls: impl FnOnce(&Ours) -> T + Send,
    server: impl FnOnce(&mut Peer),
) -> T {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut connection = Connection::adopt(ours).unwrap();
    connection.rx.set_limits(Limits::default().frame_len(LIMIT));
    let client = Client::new(connection);
    thread::scope(|scope| {
        // Dropped with the scope, so that a failing test ends.
        let mut peer = Peer::new(theirs);
        let called = scope.spawn(|| {
            let result = calls(&client);
            assert_eq!(add(&client, 20, 22).unwrap(), 42);
            assert_eq!((client.dropped(), client.in_flight()), (dropped, 0));
            result
        });
        server(&mut peer);
        loop {
            let request = peer.next();
            if (request.kind, &request.frame) == (REQUEST, &vec![1, 20, 22]) {
                peer.send(&reply(request.id, 42));
                break called.join().unwrap();
            }
        }
    })
}

fn reply(id: u64, value: u64) -> Vec<u8> {
    part(REPLY, 0, id, &to_vec(&Sum::Ok(value)).unwrap())
}

fn item(id: u64, value: u64) -> Vec<u8> {
    part(ITEM, 0, id, &to_vec(&Counted(value)).unwrap())
}

/// Returns an answer whose frame has `len` bytes.
fn echoed(id: u64, len: usize) -> Vec<u8> {
    let frame = to_vec(&Echoed(&vec![7; len - 1])).unwrap();
    assert_eq!(frame.len(), len);
    part(REPLY, 0, id, &frame)
}

fn echo(client: &Ours) -> Result<usize, CallError> {
    let mut answer = client.call::<Echoed<'static>>(&Sums::Echo { text: b"" })?;
    Ok(answer.decode()?.len() + 1)
}

fn count(client: &Ours) -> Items<Sums<'static>, Counted> {
    client.items(&Sums::Count { to: 1000 }).unwrap()
}

/// Takes all items, and returns how they ended.
fn drain(items: &mut Items<Sums<'static>, Counted>) -> (u64, Result<(), CallError>) {
    let mut taken = 0;
    loop {
        match items.recv() {
            Ok(Some(Counted(number))) => assert_eq!(number, taken),
            Ok(None) => return (taken, Ok(())),
            Err(error) => return (taken, Err(error)),
        }
        taken += 1;
    }
}
