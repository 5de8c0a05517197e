//! Clients against a scripted server.

use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Client, Script};

use crate::add;
use crate::protocol::{Counted, Echoed, Sum, Sums};

#[test]
fn a_script_answers_as_it_was_told() {
    let (connection, mut script) = Script::<Sums<'static>>::new().unwrap();
    let answer = script.expect(|call| matches!(call, Sums::Add { left: 1, right: 2 }));
    answer.answer::<Sum>(Ok(3));
    script.expect(|call| matches!(call, Sums::Add { .. })).answer::<Sum>(Err("no".into()));
    script.expect(|call| matches!(call, Sums::Note(5)));
    let echo = script.expect(|call| matches!(call, Sums::Echo { text: b"abc" }));
    echo.after(Duration::from_millis(30)).answer::<Echoed<'static>>(Ok(b"cba"));
    let items = script.expect(|call| matches!(call, Sums::Count { .. }));
    items.item::<Counted>(&Counted(7)).item::<Counted>(&Counted(8)).end();
    script.expect(|_| true).fail(&CallError::Busy);
    script.expect(|_| true).die();
    let playing = script.play();

    let client = Client::new(connection);
    assert_eq!(add(&client, 1, 2).unwrap(), 3);
    assert!(matches!(add(&client, 1, 2), Err(CallError::Answered(error)) if error == "no"));
    client.notify(&Sums::Note(5)).unwrap();
    let began = Instant::now();
    let mut answer = client.call::<Echoed<'static>>(&Sums::Echo { text: b"abc" }).unwrap();
    assert_eq!(answer.decode().unwrap(), b"cba");
    assert!(began.elapsed() >= Duration::from_millis(30));
    let mut items = client.items::<Counted>(&Sums::Count { to: 2 }).unwrap();
    assert_eq!(items.recv().unwrap().unwrap().0, 7);
    assert_eq!(items.recv().unwrap().unwrap().0, 8);
    assert!(items.recv().unwrap().is_none());
    assert!(matches!(add(&client, 1, 1), Err(CallError::Busy)));
    assert!(matches!(add(&client, 1, 1), Err(CallError::Disconnected(None))));
    playing.finish().unwrap();
}

#[test]
fn what_was_not_expected_is_said() {
    let (connection, mut script) = Script::<Sums<'static>>::new().unwrap();
    script.expect(|call| matches!(call, Sums::Note(_))).answer::<Sum>(Ok(1));
    let line = line!() - 1;
    let playing = script.play();
    let client = Client::new(connection);
    assert_eq!(add(&client, 1, 2).unwrap(), 1);
    // No call waits for an answer that does not come.
    assert!(matches!(add(&client, 1, 2), Err(CallError::Failed)));
    let error = playing.finish().unwrap_err().to_string();
    let expected = format!(
        "instead of the call expected at calls/script.rs:{line}:12 came Add (tag 1): b\"\\x01\\x01\\x02\"; no call was expected any more, and Add (tag 1) came: b\"\\x01\\x01\\x02\""
    );
    assert!(error.ends_with(&expected) || error.contains(&format!(":{line}:")), "{error}");
    assert!(error.contains("no call was expected any more, and Add (tag 1) came"), "{error}");
    // The connection is closed.
    let late = add(&client, 1, 2);
    assert!(matches!(late, Err(CallError::Disconnected(None) | CallError::NotSent(_))), "{late:?}");

    let (connection, mut script) = Script::<Sums<'static>>::new().unwrap();
    script.expect(|_| true);
    let playing = script.play();
    drop(connection);
    let error = playing.finish().unwrap_err().to_string();
    assert!(
        error.starts_with("the call expected at ") && error.ends_with("did not come"),
        "{error}"
    );
}
