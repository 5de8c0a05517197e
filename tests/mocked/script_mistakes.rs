//! Mistakes in scripts: the call fails, and so does the test.

use std::env;
use std::process::Command;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Expected, Script};
use datagrammar::{OwnedFrame, Wait};

use crate::store::{Blob, Blobs, BlobsClient, BlobsGetAnswer, BlobsPutAnswer, Change};

/// A call that hangs fails with `TimedOut`.
const DEADLINE: Duration = Duration::from_secs(30);

/// The line in which `play` expects the call.
const EXPECTED: u32 = line!() + 7;

type Told<'s> = Expected<'s, Blobs<'static>>;

/// Makes one call, expected as told, and checks its result. Returns the error of `finish`.
fn play(tell: impl FnOnce(Told<'_>), call: fn(&BlobsClient) -> bool) -> Result<(), String> {
    let (connection, mut script) = Script::<Blobs<'static>>::new().unwrap();
    tell(script.expect(|_| true));
    let playing = script.play();
    let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
    assert!(call(&client));
    playing.finish().map_err(|error| error.to_string())
}

/// Makes a call with one answer. Returns whether it failed.
fn put(client: &BlobsClient) -> bool {
    matches!(client.put("a", b""), Err(CallError::Failed))
}

/// Makes a call with items. Returns whether it failed.
fn watch(client: &BlobsClient) -> bool {
    let mut changes = client.watch("").unwrap();
    loop {
        match changes.recv() {
            Ok(Some(_)) => {}
            ended => return matches!(ended, Err(CallError::Failed)),
        }
    }
}

/// Makes a call without an answer. Returns whether it was sent.
fn touch(client: &BlobsClient) -> bool {
    client.touch("a").is_ok()
}

#[track_caller]
fn assert_says(finished: Result<(), String>, line: u32, parts: &[&str]) {
    let error = finished.unwrap_err();
    assert!(error.contains(&format!("script_mistakes.rs:{line}:")), "{line}: {error}");
    for part in parts {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn an_answer_is_the_one_of_the_call() {
    let tell = |call: Told<'_>| {
        _ = call.answer::<BlobsGetAnswer<'static>>(Ok(Blob(b"xyz")));
    };
    let line = line!() - 2;
    let parts = ["BlobsGetAnswer", "but Put (tag 1) has the answer", "BlobsPutAnswer"];
    assert_says(play(tell, put), line, &parts);
    let parts = ["BlobsGetAnswer", "but Watch (tag 3) has items", "Change"];
    assert_says(play(tell, watch), line, &parts);
    assert_says(play(tell, touch), line, &["BlobsGetAnswer", "but Touch (tag 5) has no answer"]);
}

#[test]
fn items_are_those_of_the_call() {
    let line = line!() + 2;
    let tell = |call: Told<'_>| {
        _ = call.item::<Blob<'static>>(&Blob(b"xyz")).end();
    };
    let parts = ["::Blob", "but Watch (tag 3) has items", "Change"];
    assert_says(play(tell, watch), line, &parts);
    assert_says(play(tell, put), line, &["but Put (tag 1) has the answer"]);
    assert_says(play(tell, touch), line, &["but Touch (tag 5) has no answer"]);
    let line = line!() + 1;
    let tell = |call: Told<'_>| _ = call.end();
    assert_says(play(tell, put), line, &["`.end`", "but Put (tag 1) has the answer"]);
}

#[test]
fn a_call_with_an_answer_needs_one() {
    let line = EXPECTED;
    let parts = ["Put (tag 1) has the answer", "write `.answer(…)`, `.fail(…)` or `.die()`"];
    assert_says(play(|_| {}, put), line, &parts);
    assert_says(play(|call| _ = call.after(Duration::from_millis(1)), put), line, &parts);
    let parts = ["Watch (tag 3) has items", "write `.end()`, `.fail(…)` or `.die()`"];
    assert_says(play(|_| {}, watch), line, &parts);
    let tell = |call: Told<'_>| _ = call.item::<Change<'static>>(&Change::Stored("a"));
    assert_says(play(tell, watch), line, &parts);
    play(|_| {}, touch).unwrap();
}

#[test]
fn a_call_without_an_answer_does_not_fail() {
    let line = line!() + 1;
    let tell = |call: Told<'_>| _ = call.fail(&CallError::Busy);
    assert_says(play(tell, touch), line, &["`.fail`", "Touch (tag 5) asked for no answer"]);
}

#[test]
fn nothing_follows_an_answer() {
    let line = line!() + 2;
    let tell = |call: Told<'_>| {
        _ = call.answer::<BlobsPutAnswer>(Ok(1)).fail(&CallError::Busy);
    };
    assert_says(play(tell, put), line, &["Put (tag 1) has ended before"]);
}

#[test]
fn a_call_that_was_not_expected_gets_no_answer_of_another_type() {
    let (connection, mut script) = Script::<Blobs<'static>>::new().unwrap();
    script
        .expect(|call| matches!(call, Blobs::Get { .. }))
        .answer::<BlobsGetAnswer<'static>>(Ok(Blob(b"\x07")));
    script.expect(|call| matches!(call, Blobs::Touch { .. }));
    let playing = script.play();
    let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
    assert!(put(&client) && put(&client));
    let error = playing.finish().unwrap_err().to_string();
    assert_eq!(error.matches("came Put (tag 1)").count(), 2, "{error}");
    assert!(!error.contains("BlobsPutAnswer"), "{error}");
}

#[test]
fn a_death_and_a_delay_stay_what_they_are() {
    let (connection, mut script) = Script::<Blobs<'static>>::new().unwrap();
    let answer = script.expect(|_| true).after(Duration::from_millis(1));
    answer.answer::<BlobsPutAnswer>(Ok(1)).after(Duration::from_millis(1));
    script.expect(|_| true).after(Duration::from_millis(1)).die();
    let playing = script.play();
    let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
    assert_eq!(client.put("a", b"").unwrap(), 1);
    assert!(matches!(client.put("a", b""), Err(CallError::Disconnected(None))));
    playing.finish().unwrap();
}

#[test]
fn a_call_too_many_fails() {
    let (connection, script) = Script::<Blobs<'static>>::new().unwrap();
    let playing = script.play();
    let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
    assert!(matches!(client.put("a", b""), Err(CallError::Failed)));
    let error = playing.finish().unwrap_err().to_string();
    assert_eq!(error, r#"no call was expected any more, and Put (tag 1) came: b"\x01\x01a""#);
}

#[test]
fn a_long_request_is_cut() {
    for (len, end) in
        [(97, r#"xx""#), (98, r#"xx" and 1 more bytes"#), (1097, r#"xx" and 1000 more bytes"#)]
    {
        let (connection, script) = Script::<Blobs<'static>>::new().unwrap();
        let playing = script.play();
        let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
        assert!(matches!(client.put("a", &vec![b'x'; len]), Err(CallError::Failed)));
        let error = playing.finish().unwrap_err().to_string();
        assert!(error.ends_with(end), "{error}");
        assert_eq!(error.matches('x').count(), 3 + len.min(97), "{error}");
    }
}

#[test]
fn a_request_that_cannot_be_decoded_is_shown() {
    let (mut connection, script) = Script::<Blobs<'static>>::new().unwrap();
    let playing = script.play();
    let frame = OwnedFrame::from_parts(b"\x05\x02\"\xff".to_vec(), Vec::new());
    connection.tx.send_frame(&frame, Wait::Block).unwrap();
    let error = playing.finish().unwrap_err().to_string();
    assert!(error.contains("a request that cannot be decoded ("), "{error}");
    assert!(error.ends_with(r#" came: b"\x05\x02\"\xff""#), "{error}");
}

/// The variable that makes the test below fail.
const FAILS: &str = "DATAGRAMMAR_SCRIPT_FAILS";

#[test]
fn a_test_that_panics_says_what_the_script_did_not_expect() {
    let mut test = Command::new(env::current_exe().unwrap());
    let output = test
        .args(["--exact", "script_mistakes::fails_before_it_finishes", "--ignored", "--nocapture"])
        .env(FAILS, "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let (_, script) = said.split_once("not as the script expects: ").expect(&said);
    assert!(script.contains("BlobsGetAnswer"), "{said}");
    assert!(script.contains("but Put (tag 1) has the answer"), "{said}");
    assert!(!script.contains("did not come"), "{said}");
}

#[test]
#[ignore = "the test above runs it, and it fails then"]
fn fails_before_it_finishes() {
    if env::var_os(FAILS).is_none() {
        return;
    }
    let (connection, mut script) = Script::<Blobs<'static>>::new().unwrap();
    script.expect(|_| true).answer::<BlobsGetAnswer<'static>>(Ok(Blob(b"xyz")));
    script.expect(|_| true).fail(&CallError::Busy);
    let playing = script.play();
    let client = BlobsClient::new(connection).deadline(Instant::now() + DEADLINE);
    client.put("a", b"").unwrap();
    playing.finish().unwrap();
}
