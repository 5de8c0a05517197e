//! Scripts for clients with several calls in flight.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Expected, Script};

use crate::store::{Blob, Blobs, BlobsClient, BlobsGetAnswer, BlobsPutAnswer, Change};

/// A call that hangs fails with `TimedOut`.
const DEADLINE: Duration = Duration::from_secs(30);

/// A delay that no test waits for.
const ENDLESS: Duration = Duration::from_secs(60);

/// A delay that tests wait for.
const SOON: Duration = Duration::from_millis(30);

fn script() -> (BlobsClient, Script<Blobs<'static>>) {
    let (connection, script) = Script::new().unwrap();
    (BlobsClient::new(connection).deadline(Instant::now() + DEADLINE), script)
}

/// Expects to put this blob. Returns what receives a message when the call comes.
fn put<'s>(
    script: &'s mut Script<Blobs<'static>>,
    expected: &'static str,
) -> (Expected<'s, Blobs<'static>>, Receiver<()>) {
    let (comes, came) = mpsc::channel();
    let expected = script.expect(move |call| {
        let is_it = matches!(call, Blobs::Put { name, .. } if *name == expected);
        if is_it {
            // The test may not wait for it.
            _ = comes.send(());
        }
        is_it
    });
    (expected, came)
}

#[test]
fn a_delay_delays_only_its_own_call() {
    let (client, mut script) = script();
    let (slow, slow_came) = put(&mut script, "slow");
    slow.after(ENDLESS).answer::<BlobsPutAnswer>(Ok(1));
    let (later, later_came) = put(&mut script, "later");
    later.after(SOON).answer::<BlobsPutAnswer>(Ok(2));
    put(&mut script, "now").0.answer::<BlobsPutAnswer>(Ok(3));
    put(&mut script, "death").0.die();
    let playing = script.play();
    thread::scope(|scope| {
        let slow = scope.spawn(|| client.put("slow", b""));
        slow_came.recv_timeout(DEADLINE).unwrap();
        let later = scope.spawn(|| client.put("later", b""));
        later_came.recv_timeout(DEADLINE).unwrap();
        assert_eq!(client.put("now", b"").unwrap(), 3);
        assert_eq!(later.join().unwrap().unwrap(), 2);
        assert!(!slow.is_finished());
        // The death does not wait for the answer that is due later.
        assert!(matches!(client.put("death", b""), Err(CallError::Disconnected(None))));
        assert!(matches!(slow.join().unwrap(), Err(CallError::Disconnected(None))));
    });
    playing.finish().unwrap();
}

#[test]
fn answers_go_at_their_times_and_not_in_the_order_of_the_calls() {
    let (client, mut script) = script();
    let mut came = Vec::new();
    for (name, delay) in [("a", ENDLESS), ("b", SOON), ("c", ENDLESS), ("d", SOON)] {
        let (call, comes) = put(&mut script, name);
        call.after(delay).answer::<BlobsPutAnswer>(Ok(1));
        came.push((name, comes));
    }
    put(&mut script, "death").0.after(SOON).die();
    let playing = script.play();
    thread::scope(|scope| {
        let client = &client;
        let mut calls = Vec::new();
        for (name, came) in &came {
            calls.push(scope.spawn(move || client.put(name, b"").is_ok()));
            came.recv_timeout(DEADLINE).unwrap();
        }
        let late = calls.split_off(3).remove(0);
        assert!(late.join().unwrap());
        assert!(matches!(client.put("death", b""), Err(CallError::Disconnected(None))));
        let answered: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        assert_eq!(answered, [false, true, false]);
    });
    playing.finish().unwrap();
}

#[test]
fn items_of_one_stream_stay_in_order() {
    let (client, mut script) = script();
    for prefix in ["a", "b"] {
        script
            .expect(
                move |call| matches!(call, Blobs::Watch { prefix: watched } if *watched == prefix),
            )
            .after(SOON)
            .item::<Change<'static>>(&Change::Stored(prefix))
            .item::<Change<'static>>(&Change::Stored("second"))
            .after(SOON)
            .item::<Change<'static>>(&Change::Removed(prefix))
            .end()
            .after(ENDLESS);
    }
    let playing = script.play();
    let mut streams = [client.watch("a").unwrap(), client.watch("b").unwrap()];
    for (items, prefix) in streams.iter_mut().zip(["a", "b"]).rev() {
        assert_eq!(items.recv().unwrap(), Some(Change::Stored(prefix)));
        assert_eq!(items.recv().unwrap(), Some(Change::Stored("second")));
        assert_eq!(items.recv().unwrap(), Some(Change::Removed(prefix)));
        assert_eq!(items.recv().unwrap(), None);
    }
    // Nothing follows the last delays.
    finish_soon(|| playing.finish().unwrap());
}

/// Fails if `finish` waits for a delay without end.
fn finish_soon(finish: impl FnOnce()) {
    let began = Instant::now();
    finish();
    assert!(began.elapsed() < DEADLINE, "it waited for a delay");
}

#[test]
fn finish_waits_for_delayed_answers() {
    let (client, mut script) = script();
    let (call, came) = put(&mut script, "a");
    call.after(SOON).answer::<BlobsPutAnswer>(Ok(1));
    let playing = script.play();
    thread::scope(|scope| {
        let call = scope.spawn(|| client.put("a", b""));
        came.recv_timeout(DEADLINE).unwrap();
        playing.finish().unwrap();
        assert_eq!(call.join().unwrap().unwrap(), 1);
    });
}

#[test]
fn a_death_after_the_last_call_hides_no_missing_call() {
    let (client, mut script) = script();
    script.any_order();
    let (is_ending, ends) = mpsc::channel();
    script
        .expect(move |call| matches!(call, Blobs::Touch { name: "a" }) && ends.recv().is_ok())
        .after(SOON)
        .die();
    put(&mut script, "missing").0.answer::<BlobsPutAnswer>(Ok(1));
    let playing = script.play();
    client.touch("a").unwrap();
    let error = thread::scope(|scope| {
        // The script receives nothing more once `finish` has begun.
        scope.spawn(|| {
            while client.touch("b").is_ok() {
                thread::sleep(Duration::from_millis(1));
            }
            is_ending.send(()).unwrap();
        });
        playing.finish().unwrap_err().to_string()
    });
    assert!(error.ends_with(" did not come"), "{error}");
}

#[test]
fn finish_does_not_wait_for_callers_that_gave_up() {
    let (client, mut script) = script();
    script.expect(|_| true).after(ENDLESS).end();
    script.expect(|_| true).after(Duration::MAX).die();
    let playing = script.play();
    for prefix in ["a", "b"] {
        drop(client.watch(prefix).unwrap());
    }
    finish_soon(|| playing.finish().unwrap());
}

#[test]
fn finish_does_not_wait_for_a_client_that_disconnected() {
    let (client, mut script) = script();
    script.expect(|call| matches!(call, Blobs::Touch { .. })).after(ENDLESS).die();
    let playing = script.play();
    client.touch("a").unwrap();
    drop(client);
    finish_soon(|| playing.finish().unwrap());
}

#[test]
fn a_server_dies_even_if_the_caller_gave_up() {
    let (client, mut script) = script();
    let call = script.expect(|call| matches!(call, Blobs::Watch { .. }));
    call.after(SOON).die();
    put(&mut script, "a").0.after(ENDLESS).answer::<BlobsPutAnswer>(Ok(1));
    let playing = script.play();
    drop(client.watch("").unwrap());
    let died = client.put("a", b"");
    assert!(matches!(died, Err(CallError::Disconnected(None) | CallError::NotSent(_))), "{died:?}");
    playing.finish().unwrap();
}

#[test]
fn calls_come_in_any_order_if_the_script_says_so() {
    let (client, mut script) = script();
    put(&mut script, "a").0.answer::<BlobsPutAnswer>(Ok(1));
    put(&mut script, "b").0.answer::<BlobsPutAnswer>(Ok(2));
    // The first unused expectation that matches is taken.
    put(&mut script, "a").0.answer::<BlobsPutAnswer>(Ok(3));
    script
        .expect(|call| matches!(call, Blobs::Get { .. }))
        .answer::<BlobsGetAnswer<'static>>(Ok(Blob(b"xyz")));
    script.any_order();
    let playing = script.play();
    assert_eq!(client.get("a").unwrap().decode().unwrap(), Blob(b"xyz"));
    assert_eq!(client.put("b", b"").unwrap(), 2);
    assert_eq!(client.put("a", b"").unwrap(), 1);
    assert_eq!(client.put("a", b"").unwrap(), 3);
    playing.finish().unwrap();
}

#[test]
fn calls_of_racing_threads_get_their_answers() {
    let (client, mut script) = script();
    script.any_order();
    for number in 0..64u64 {
        script
            .expect(move |call| matches!(call, Blobs::Put { content, .. } if **content == number.to_le_bytes()))
            .after(Duration::from_millis(64 - number))
            .answer::<BlobsPutAnswer>(Ok(number));
    }
    let playing = script.play();
    thread::scope(|scope| {
        for number in 0..64u64 {
            let client = &client;
            scope.spawn(move || {
                assert_eq!(client.put("a", &number.to_le_bytes()).unwrap(), number);
            });
        }
    });
    playing.finish().unwrap();
}

#[test]
fn a_call_that_matches_nothing_takes_no_expectation() {
    let (client, mut script) = script();
    script.any_order();
    put(&mut script, "a").0.answer::<BlobsPutAnswer>(Ok(1));
    put(&mut script, "missing").0.answer::<BlobsPutAnswer>(Ok(2));
    let playing = script.play();
    assert!(matches!(client.put("b", b"text"), Err(CallError::Failed)));
    assert_eq!(client.put("a", b"").unwrap(), 1);
    let error = playing.finish().unwrap_err().to_string();
    let came = r#"no call still expected matches Put (tag 1), which came: b"\x01\x01btext"; "#;
    assert!(error.starts_with(came), "{error}");
    assert_eq!(error.matches("the call expected at ").count(), 1, "{error}");
    assert!(error.ends_with(" did not come"), "{error}");
}

#[test]
fn the_order_is_strict_by_default() {
    let (client, mut script) = script();
    put(&mut script, "a").0.answer::<BlobsPutAnswer>(Ok(1));
    put(&mut script, "b").0.answer::<BlobsPutAnswer>(Ok(2));
    let playing = script.play();
    assert_eq!(client.put("b", b"").unwrap(), 1);
    assert_eq!(client.put("a", b"").unwrap(), 2);
    let error = playing.finish().unwrap_err().to_string();
    assert_eq!(error.matches("instead of the call expected at ").count(), 2, "{error}");
}
