//! A derived client against a scripted server.

use std::io::Read as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Outcome, Script};

use crate::store::{
    Blob, Blobs, BlobsClient, BlobsGetAnswer, BlobsImportAnswer, BlobsPutAnswer, Change, Refused,
    file,
};

fn script() -> (BlobsClient, Script<Blobs<'static>>) {
    let (connection, script) = Script::new().unwrap();
    (BlobsClient::new(connection), script)
}

#[test]
fn each_call_gets_the_answer_of_the_script() {
    let (client, mut script) = script();
    script
        .expect(|call| matches!(call, Blobs::Put { name: "a", content: b"xyz" }))
        .answer::<BlobsPutAnswer>(Ok(3));
    script.expect(|call| matches!(call, Blobs::Touch { name: "a" }));
    script
        .expect(|call| matches!(call, Blobs::Get { name: "a" }))
        .answer::<BlobsGetAnswer<'static>>(Ok(Blob(b"xyz")));
    script
        .expect(|call| matches!(call, Blobs::Get { .. }))
        .answer::<BlobsGetAnswer<'static>>(Err(Refused::NotFound));
    script
        .expect(|call| matches!(call, Blobs::Watch { prefix: "" }))
        .item::<Change<'static>>(&Change::Stored("a"))
        .item::<Change<'static>>(&Change::Removed("a"))
        .end();
    script
        .expect(|call| {
            let Blobs::Import { name: "b", file } = call else { return false };
            let mut content = String::new();
            (&*file).read_to_string(&mut content).is_ok() && content == "imported"
        })
        .answer::<BlobsImportAnswer>(Ok(8));
    let playing = script.play();

    assert_eq!(client.put("a", b"xyz").unwrap(), 3);
    client.touch("a").unwrap();
    assert_eq!(client.get("a").unwrap().decode().unwrap(), Blob(b"xyz"));
    let mut answer = client.get("b").unwrap();
    assert!(matches!(answer.decode(), Err(CallError::Answered(Refused::NotFound))));
    let mut changes = client.watch("").unwrap();
    assert_eq!(changes.recv().unwrap(), Some(Change::Stored("a")));
    assert_eq!(changes.recv().unwrap(), Some(Change::Removed("a")));
    assert_eq!(changes.recv().unwrap(), None);
    assert_eq!(client.import("b", file(b"imported")).unwrap(), 8);
    playing.finish().unwrap();
}

#[test]
fn errors_of_the_server_say_whether_to_repeat() {
    let errors = [
        (CallError::NotSupported, Outcome::NotExecuted),
        (CallError::Malformed, Outcome::NotExecuted),
        (CallError::Busy, Outcome::NotExecuted),
        (CallError::Stopping, Outcome::NotExecuted),
        (CallError::TooLarge, Outcome::NotExecuted),
        (CallError::Failed, Outcome::Executed),
        (CallError::Cancelled, Outcome::Unknown),
        (CallError::TimedOut, Outcome::Unknown),
    ];
    let (client, mut script) = script();
    for (error, _) in &errors {
        script.expect(|_| true).fail(error);
    }
    let playing = script.play();
    for (error, outcome) in errors {
        let got = client.put("a", b"").unwrap_err();
        assert_eq!((got.to_string(), got.outcome()), (error.to_string(), outcome));
        assert!(!got.is_fatal());
    }
    playing.finish().unwrap();
}

#[test]
fn a_late_answer_is_too_late_and_the_next_call_works() {
    let (client, mut script) = script();
    let (is_late, late) = mpsc::channel();
    script.expect(move |_| late.recv().is_ok()).answer::<BlobsPutAnswer>(Ok(1));
    script
        .expect(|call| matches!(call, Blobs::Put { name: "next", .. }))
        .answer::<BlobsPutAnswer>(Ok(2));
    let playing = script.play();
    let hasty = client.deadline(Instant::now() + Duration::from_millis(10));
    assert!(matches!(hasty.put("a", b""), Err(CallError::TimedOut)));
    is_late.send(()).unwrap();
    assert_eq!(client.put("next", b"").unwrap(), 2);
    playing.finish().unwrap();
}

#[test]
fn a_server_that_dies_fails_the_call() {
    let (client, mut script) = script();
    script.expect(|_| true).item::<Change<'static>>(&Change::Stored("a")).die();
    let playing = script.play();
    let mut changes = client.watch("").unwrap();
    assert_eq!(changes.recv().unwrap(), Some(Change::Stored("a")));
    assert!(matches!(changes.recv(), Err(CallError::Disconnected(None))));
    let error = client.put("a", b"").unwrap_err();
    assert!(matches!(error, CallError::Disconnected(None) | CallError::NotSent(_)), "{error:?}");
    playing.finish().unwrap();
}

#[test]
fn failed_expectations_say_what_came_instead() {
    let (client, mut script) = script();
    script
        .expect(|call| matches!(call, Blobs::Put { name: "a", .. }))
        .answer::<BlobsPutAnswer>(Ok(1));
    let line = line!() - 2;
    script.expect(|call| matches!(call, Blobs::Touch { .. })).fail(&CallError::Busy);
    script.expect(|call| matches!(call, Blobs::Watch { prefix: "w" }));
    let playing = script.play();
    assert_eq!(client.put("b", b"").unwrap(), 1);
    assert!(matches!(client.get("c"), Err(CallError::Busy)));
    let error = playing.finish().unwrap_err().to_string();
    assert!(error.contains(&format!("scripted.rs:{line}:")), "{error}");
    assert!(
        error.contains(r#" came Put (tag 1): b"\x01\x01b"; instead of the call expected at "#),
        "{error}"
    );
    assert!(error.contains(r#" came Get (tag 2): b"\x02\x01c"; the call expected at "#), "{error}");
    assert!(error.ends_with(" did not come"), "{error}");
}
