//! Budgets: accepted connections of one listener, or of several.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{AcceptError, Address, Budget, Connection, Listener, Policy};
use datagrammar_tests::{Directory, Numbered, is_awaited, numbered, options, scaled, skips};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// A form of accepting.
type Accept = fn(&OurListener) -> Result<Ours, AcceptError>;

fn bind(address: &Address, budget: &Budget) -> OurListener {
    OurListener::bind_with(address, &options().budget(budget)).unwrap()
}

fn connect(address: &Address, count: usize) -> Vec<Ours> {
    (0..count).map(|_| Ours::connect(address).unwrap()).collect()
}

#[track_caller]
fn assert_full(listener: &OurListener, expected: usize) {
    // The form that may wait forever comes last.
    let forms: [Accept; 3] =
        [OurListener::try_accept, |listener| listener.accept_deadline(far()), OurListener::accept];
    // Over tokio, a form that may wait waits for a free place.
    let forms = if is_awaited() { &forms[..1] } else { &forms[..] };
    for accept in forms {
        let error = accept(listener).unwrap_err();
        assert!(matches!(error, AcceptError::Full { max } if max == expected), "{error:?}");
        assert!(!error.is_fatal());
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn h51_a_listener_accepts_no_more_than_the_budget_until_both_halves_are_dropped() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(2);
    let listener = bind(&address, &budget);
    let mut clients = connect(&address, 3);
    let first = listener.accept().unwrap();
    let _second = listener.try_accept().unwrap();
    assert_eq!(budget.connections_open(), 2);
    assert_full(&listener, 2);
    let (tx, rx) = first.split();
    drop(tx);
    assert_full(&listener, 2);
    drop(rx);
    assert_eq!(budget.connections_open(), 1);
    // The client has waited in the backlog, and is served now.
    let mut third = listener.accept_deadline(far()).unwrap();
    numbered(3, 10, |frame| clients[2].send(frame)).unwrap();
    assert_eq!(third.recv().unwrap().expect("a frame").decode().unwrap().check(), 3);
    assert_full(&listener, 2);
    // A higher budget applies at once, for every clone.
    _ = budget.clone().connections(3);
    assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
    assert_eq!(budget.connections_open(), 2);
}

#[test]
fn h51_listeners_share_a_budget() {
    let directory = Directory::new();
    let budget = Budget::new().connections(2);
    let addresses = ["one", "two"].map(|name| directory.address(name));
    let listeners = [0, 1].map(|at| bind(&addresses[at], &budget));
    let _clients = [0, 1].map(|at| connect(&addresses[at], 2));
    let accepted = [0, 1].map(|at| listeners[at].accept().unwrap());
    assert_full(&listeners[0], 2);
    assert_full(&listeners[1], 2);
    let [one, _two] = accepted;
    drop(one);
    let _other = listeners[1].accept().unwrap();
    assert_full(&listeners[0], 2);
}

#[test]
fn h51_a_connection_that_is_handed_over_leaves_its_place() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(1);
    let listener = bind(&address, &budget);
    let mut clients = connect(&address, 2);
    let (fd, _) = listener.accept().unwrap().into_fd().unwrap();
    assert_eq!(budget.connections_open(), 0);
    let _second = listener.accept().unwrap();
    assert_full(&listener, 1);
    // It is still a connection, but does not count.
    let mut first = Ours::adopt_with(fd, &options().budget(&budget)).unwrap();
    numbered(3, 10, |frame| clients[0].send(frame)).unwrap();
    assert_eq!(first.recv().unwrap().expect("a frame").decode().unwrap().check(), 3);
    assert_eq!(budget.connections_open(), 1);
}

#[test]
fn h51_only_accepted_connections_take_a_place() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(1);
    let options = options().budget(&budget);
    let listener = bind(&address, &budget);
    let _pair = Ours::pair_with(&options).unwrap();
    let _client = Ours::connect_with(&address, &options).unwrap();
    assert_eq!(budget.connections_open(), 0);
    drop(listener.accept().unwrap());
    for accept in [listener.try_accept(), listener.accept_deadline(Instant::now())] {
        assert!(
            matches!(accept, Err(AcceptError::WouldBlock | AcceptError::TimedOut)),
            "{accept:?}"
        );
        assert_eq!(budget.connections_open(), 0);
    }
    // A waiting listener does not count, either.
    let budget = Budget::new().connections(1);
    let address = directory.address("other");
    let listener = bind(&address, &budget);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| listener.accept());
        thread::sleep(Duration::from_millis(20));
        while budget.connections_open() > 0 {
            thread::yield_now();
        }
        let _client = Ours::connect(&address).unwrap();
        let accepted = waiting.join().unwrap().unwrap();
        assert_eq!(budget.connections_open(), 1);
        drop(accepted);
    });
}

#[test]
fn h51_clients_that_are_rejected_leave_their_places() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(1);
    static ADMITS: AtomicBool = AtomicBool::new(false);
    let policy = Policy::by(|_| ADMITS.load(Ordering::Relaxed));
    let options = options().budget(&budget).policy(policy);
    let listener = OurListener::bind_with(&address, &options).unwrap();
    let _rejected = connect(&address, 5);
    assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
    assert_eq!((listener.rejected(), budget.connections_open()), (5, 0));
    ADMITS.store(true, Ordering::Relaxed);
    let _client = connect(&address, 1);
    let _accepted = listener.accept().unwrap();
    assert_full(&listener, 1);
}

#[test]
fn h51_a_full_listener_ends_when_it_is_shut_down() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(1);
    let listener = bind(&address, &budget);
    let _clients = connect(&address, 2);
    let _first = listener.accept().unwrap();
    assert_full(&listener, 1);
    listener.shutdown().unwrap();
    for accept in [listener.try_accept(), listener.accept_deadline(far()), listener.accept()] {
        assert!(matches!(accept, Err(AcceptError::Shutdown)), "{accept:?}");
    }
}

#[test]
fn h51_threads_that_accept_together_stay_within_the_budget() {
    if skips("h51_threads_that_accept_together_stay_within_the_budget") {
        return;
    }
    const MAX: usize = 3;
    let directory = Directory::new();
    let address = directory.address("socket");
    let budget = Budget::new().connections(MAX);
    let listener = bind(&address, &budget);
    let count = scaled(4000) as usize;
    let [open, most, accepted, full] = [const { AtomicUsize::new(0) }; 4];
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut held = Vec::new();
                loop {
                    match listener.accept() {
                        Ok(connection) => {
                            let now = open.fetch_add(1, Ordering::SeqCst) + 1;
                            most.fetch_max(now, Ordering::SeqCst);
                            held.push(connection);
                            accepted.fetch_add(1, Ordering::SeqCst);
                        }
                        // Only this frees places, so the budget is full again and again.
                        Err(AcceptError::Full { .. }) => {
                            full.fetch_add(1, Ordering::SeqCst);
                            open.fetch_sub(held.len(), Ordering::SeqCst);
                            held.clear();
                        }
                        Err(AcceptError::Shutdown) => break,
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
        for _ in 0..count {
            drop(Ours::connect(&address).unwrap());
        }
        // The shutdown drops clients that still wait.
        let end = far();
        while accepted.load(Ordering::SeqCst) < count && Instant::now() < end {
            thread::yield_now();
        }
        listener.shutdown().unwrap();
    });
    assert_eq!(accepted.into_inner(), count);
    assert!(full.into_inner() > 0, "no thread met a full budget");
    let most = most.into_inner();
    assert!(most <= MAX, "{most} were open");
    assert_eq!(budget.connections_open(), 0);
}
