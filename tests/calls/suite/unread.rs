//! The memory of streams whose items nobody takes. Each check has a process of its own.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use datagrammar::{Address, Connection, to_vec};
use datagrammar_tests::datagrams::{REQUEST, part};
use datagrammar_tests::fork::resident;
use datagrammar_tests::{Directory, raw};

#[cfg(feature = "tokio")]
use super::awaited::Awaited;
use super::blocking::Blocking;
use super::cases::{New, see, until};
use super::ends::{Client, End, Kind, Version};
use super::protocol::{BLOCK, Block, Suite};

const STREAMS: u64 = 32;

/// How many items of a stream a server sends before it gets credit.
const CREDIT: u64 = 16;

/// The memory of all else, such as stacks and buffers of sockets.
const MORE: usize = 16 * 1024 * 1024;

/// The client receives all items, and takes none. It holds as many as there is credit for.
pub(crate) fn untaken(client: Kind, server: Kind) {
    let directory = Directory::new();
    let end = End::At(serve(server, &directory));
    match client {
        Kind::Blocking => take_none(&Blocking::open(end)),
        #[cfg(feature = "tokio")]
        Kind::Awaited => take_none(&Awaited::open(end)),
    }
}

fn take_none<C: Client<New>>(client: &C) {
    see(client);
    let before = resident();
    let flood = || client.leave::<Block<'static>>(&Suite::Flood).unwrap();
    let streams: Vec<_> = (0..STREAMS).map(|_| flood()).collect();
    until(client, |seen| seen.sent >= STREAMS * CREDIT);
    // The client receives everything that was sent before each answer.
    for _ in 0..20 {
        for _ in 0..50 {
            see(client);
        }
        check(before, STREAMS * CREDIT);
    }
    // There is credit for no more items: the server waits for the client.
    assert_eq!(see(client).sent, STREAMS * CREDIT);
    drop(streams);
}

/// The client receives nothing, and the socket is full. The server holds little.
pub(crate) fn unreceived(server: Kind) {
    let directory = Directory::new();
    let address = serve(server, &directory);
    let client = Blocking::<New>::open(End::At(address));
    see(&client);
    let before = resident();
    let peer = Connection::<Suite<'static>, Suite<'static>>::connect(&address).unwrap();
    let (peer, _) = peer.into_fd().unwrap();
    let request = to_vec(&Suite::Flood).unwrap();
    for id in 1..=STREAMS {
        raw::send(&peer, &part(REQUEST, 0, id, &request)).unwrap();
    }
    until(&client, |seen| seen.sent > 0);
    // Until the server can send no more.
    let (mut sent, mut quiet) = (0, 0);
    while quiet < 100 {
        thread::sleep(Duration::from_millis(1));
        let now = see(&client).sent;
        quiet = if now == sent { quiet + 1 } else { 0 };
        sent = now;
        // Each handler may wait with an item, and another one may be queued.
        check(before, 2 * STREAMS);
    }
}

/// Serves on a thread until the process ends.
fn serve(kind: Kind, directory: &Directory) -> Address {
    let address = directory.address("unread");
    let (tell, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let ready = || tell.send(()).unwrap();
        kind.serve(Version::New, Arc::default(), End::At(address), ready);
    });
    is_ready.recv().unwrap();
    address
}

/// Checks that this process has taken no more memory than `items` need.
fn check(before: usize, items: u64) {
    let taken = resident().saturating_sub(before);
    let most = items as usize * BLOCK + MORE;
    assert!(taken <= most, "{taken} bytes for {items} items of {BLOCK} bytes");
}
