//! How connections end, on purpose and not, while calls are in flight.

use std::cell::Cell;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Outcome};

#[cfg(feature = "tokio")]
use super::awaited::Awaited;
use super::blocking::Blocking;
use super::cases::{New, STALL, add, held, until};
use super::ends::{Client, End, Kind};
use super::protocol::{Suite, SuiteWaitAnswer};

/// Calls in flight are answered, and new calls are refused.
pub(crate) fn graceful_shutdown<C: Client<New>>(client: C) {
    let mut items = client.numbers(&Suite::Count { to: 100 }).unwrap();
    let answers = held(&client, 5, u64::MAX, || {
        until(&client, |seen| seen.held == 5);
        client.notify(&Suite::Stop { at_once: false }).unwrap();
        let start = Instant::now();
        let refused = loop {
            match add(&client, 1, 1) {
                Ok(sum) => assert_eq!(sum, 2),
                Err(error) => break error,
            }
            assert!(start.elapsed() < STALL);
        };
        assert!(matches!(refused, CallError::Stopping), "{refused}");
        assert_eq!(refused.outcome(), Outcome::NotExecuted);
        // The handler waits for credit, and then lets the other calls end.
        for number in 0..100 {
            assert_eq!(items().unwrap(), Some(number));
        }
        assert_eq!(items().unwrap(), None);
    });
    assert!(answers.into_iter().map(Result::unwrap).eq(0..5));
    expect_end(&client);
}

/// The callers of running calls are told that their calls are cancelled.
pub(crate) fn shutdown_at_once<C: Client<New>>(client: C) {
    let mut items = client.numbers(&Suite::Watch).unwrap();
    assert_eq!(items().unwrap(), Some(0));
    let answers = held(&client, 5, u64::MAX, || {
        until(&client, |seen| (seen.held, seen.waiting) == (5, 1));
        // The connection may end before this returns.
        _ = client.notify(&Suite::Stop { at_once: true });
    });
    let errors = answers.into_iter().map(Result::unwrap_err).chain([items().unwrap_err()]);
    for error in errors {
        assert!(matches!(error, CallError::Cancelled), "{error}");
    }
    expect_end(&client);
}

/// Waits until calls fail because the connection has ended.
fn expect_end<C: Client<New>>(client: &C) {
    let start = Instant::now();
    while let Err(CallError::Stopping) | Ok(_) = add(client, 1, 1) {
        assert!(start.elapsed() < STALL);
    }
    let error = add(client, 1, 1).unwrap_err();
    assert!(matches!(error, CallError::Disconnected(_) | CallError::NotSent(_)), "{error}");
    assert_eq!(client.in_flight(), 0);
}

/// The server notices that the client was killed.
pub(crate) fn a_client_that_waits_until_killed<C: Client<New>>(client: C) {
    let mut items = client.numbers(&Suite::Watch).unwrap();
    let end = client.call::<SuiteWaitAnswer>(&Suite::Wait).unwrap_err();
    panic!("{end} {:?}", items());
}

/// Has calls in flight when `kill` ends the server's process. Returns the time until the last of them has failed.
pub(crate) fn a_server_that_is_killed(kind: Kind, end: End, kill: impl FnOnce()) -> Duration {
    match kind {
        Kind::Blocking => end_by_death(&Blocking::open(end), kill),
        #[cfg(feature = "tokio")]
        Kind::Awaited => end_by_death(&Awaited::open(end), kill),
    }
}

fn end_by_death<C: Client<New>>(client: &C, kill: impl FnOnce()) -> Duration {
    const COUNT: u64 = 100;
    let mut items = client.numbers(&Suite::Watch).unwrap();
    assert_eq!(items().unwrap(), Some(0));
    let killed = Cell::new(None);
    let answers = held(client, COUNT, u64::MAX, || {
        until(client, |seen| (seen.held, seen.waiting) == (COUNT, 1));
        killed.set(Some(Instant::now()));
        kill();
    });
    let errors = answers.into_iter().map(Result::unwrap_err).chain([items().unwrap_err()]);
    let errors: Vec<_> = errors.collect();
    let took = killed.get().unwrap().elapsed();
    for error in errors {
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(matches!(error, CallError::Disconnected(_)), "{error}");
    }
    expect_end(client);
    took
}
