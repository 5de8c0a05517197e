//! More clients than a blocking server serves at the same time.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Listener;
use datagrammar::calls::{PendingCall, Server};

use crate::protocol::{Sum, Sums};
use crate::{Handler, Ours, add};

/// Longer than any of these tests takes.
const STALL: Duration = Duration::from_secs(60);

fn start(client: &Ours) -> PendingCall<Sums<'static>, Sum> {
    client.start(&Sums::Add { left: 1, right: 2 }).unwrap()
}

#[test]
fn further_clients_wait_until_a_connection_ends() {
    let address = "unix:@datagrammar-tests-crowded".parse().unwrap();
    let listener = Listener::bind(&address).unwrap();
    let server = Server::new(Handler::default()).connections(2);
    let stopper = server.stopper();
    let (ended, has_ended) = mpsc::channel();
    let running = thread::spawn(move || ended.send(server.run(&listener)));

    let connect = || Ours::connect(&address).unwrap();
    let [first, second] = [(); 2].map(|()| connect());
    assert_eq!((add(&first, 1, 2).unwrap(), add(&second, 1, 2).unwrap()), (3, 3));
    let [third, fourth] = [(); 2].map(|()| connect());
    let (mut third_call, mut fourth_call) = (start(&third), start(&fourth));
    let soon = Instant::now() + Duration::from_millis(200);
    assert!(!third_call.wait_deadline(soon) && !fourth_call.wait_deadline(soon));
    assert_eq!(add(&first, 1, 2).unwrap(), 3);

    drop(first);
    assert!(third_call.wait_deadline(Instant::now() + STALL));
    assert_eq!(third_call.wait().unwrap().decode().unwrap(), 3);
    assert!(!fourth_call.wait_deadline(Instant::now() + Duration::from_millis(100)));

    // It stops although a client waits.
    assert_eq!(stopper.stop(Instant::now() + STALL), 0);
    has_ended.recv_timeout(STALL).expect("it ends").unwrap();
    running.join().unwrap().unwrap();
    assert!(fourth_call.wait().is_err());
}
