//! A server that no task of the runtime polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use datagrammar::calls::{self, Call};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Server, Service};
use datagrammar_tests::raw;
use rustix::net::SocketType;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::{Protocol, STALL};
use crate::peer::Peer;
use crate::protocol::{Sum, Sums};

/// Notifies of each call.
#[derive(Default)]
struct Telling {
    told: Arc<Notify>,
    calls: Arc<AtomicU64>,
}

impl Service for Telling {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        let Some((_, Sums::Add { left, right }, answer)) = call.open() else { return };
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.told.notify_one();
        answer.reply::<Sum>(Ok(left + right));
    }
}

/// The runtime drops the wakers of yielded tasks if `block_on` returns in the same turn.
#[test]
fn a_server_goes_on_in_the_next_block_on() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (client, server) = {
        let _entered = runtime.enter();
        let (client, server) = Connection::pair().unwrap();
        (client.into_blocking(), server)
    };
    let told = Arc::new(Notify::new());
    let mut local = LocalSet::new();
    let service = Telling { told: Arc::clone(&told), ..Telling::default() };
    local.spawn_local(async move { Server::new(service).serve(server).await.unwrap() });
    let done = Arc::new(AtomicU64::new(0));
    let calling = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let client = calls::Client::<Protocol>::new(client);
            for number in 0..200 {
                let answer = client.call::<Sum>(&Sums::Add { left: number, right: 1 });
                assert_eq!(answer.unwrap().decode().unwrap(), number + 1);
                done.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    while !calling.is_finished() {
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = &mut local => {}
                () = told.notified() => {}
                () = sleep(STALL) => panic!("stuck after {done:?} calls"),
            }
        });
    }
    calling.join().unwrap();
}

/// The same happens to the waker of a task that has used up its budget.
#[test]
fn a_server_that_has_many_requests_goes_on_in_the_next_block_on() {
    const COUNT: u64 = 200;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let server = {
        let _entered = runtime.enter();
        Connection::adopt(ours).unwrap()
    };
    let peer = Peer::new(theirs);
    for id in 1..=COUNT {
        peer.request(id, &Sums::Add { left: id, right: 1 });
    }
    let service = Telling::default();
    let (told, calls) = (Arc::clone(&service.told), Arc::clone(&service.calls));
    let mut local = LocalSet::new();
    local.spawn_local(async move { Server::new(service).serve(server).await.unwrap() });
    while calls.load(Ordering::SeqCst) < COUNT {
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = &mut local => {}
                () = told.notified() => {}
                () = sleep(STALL) => panic!("stuck after {calls:?} calls"),
            }
        });
    }
}
