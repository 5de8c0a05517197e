//! A service without a socket, called with typed requests.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answer, CallError, Context, Direct};
use datagrammar::{Message, Peer, Protocol, Unknown};

use crate::store::{
    Blob, Blobs, BlobsGetAnswer, BlobsImportAnswer, BlobsPutAnswer, BlobsService, Change, Refused,
    Store, file,
};

fn root() -> Direct<BlobsService<Store>> {
    Direct::new(BlobsService(Store::default())).peer(Peer::new(0, 0))
}

fn put(
    direct: &Direct<BlobsService<Store>>,
    name: &str,
    content: &[u8],
) -> Result<Answer<BlobsPutAnswer>, CallError> {
    direct.call(&Blobs::Put { name, content })
}

fn get(
    direct: &Direct<BlobsService<Store>>,
    name: &str,
) -> Result<Answer<BlobsGetAnswer<'static>>, CallError> {
    direct.call(&Blobs::Get { name })
}

#[test]
fn requests_are_answered_with_values_and_errors() {
    let direct = root();
    assert_eq!(put(&direct, "a", b"xyz").unwrap().decode().unwrap(), 3);
    direct.notify(&Blobs::Touch { name: "b" }).unwrap();
    assert_eq!(get(&direct, "a").unwrap().decode().unwrap(), Blob(b"xyz"));
    assert_eq!(get(&direct, "b").unwrap().decode().unwrap(), Blob(b""));
    let mut answer = get(&direct, "c").unwrap();
    assert!(matches!(answer.decode(), Err(CallError::Answered(Refused::NotFound))));
    let large = vec![7; 5 << 20];
    assert_eq!(put(&direct, "large", &large).unwrap().decode().unwrap(), 5 << 20);
    assert_eq!(get(&direct, "large").unwrap().decode().unwrap().0, large);
}

#[test]
fn a_handler_sees_who_calls_and_until_when() {
    let stranger = Direct::new(BlobsService(Store::default()));
    let error = put(&stranger, "a", b"").unwrap().decode().unwrap_err();
    assert!(matches!(error, CallError::Answered(Refused::NotAllowed { uid: None })), "{error:?}");
    let user = stranger.peer(Peer::new(1000, 1000));
    let error = put(&user, "a", b"").unwrap().decode().unwrap_err();
    let refused = Refused::NotAllowed { uid: Some(1000) };
    assert!(matches!(error, CallError::Answered(why) if why == refused));

    let direct = root();
    assert_eq!(put(&direct, "!deadline", b"").unwrap().decode().unwrap(), 0);
    let direct = direct.deadline(Instant::now() + Duration::from_secs(60));
    assert_eq!(put(&direct, "!deadline", b"").unwrap().decode().unwrap(), 1);
}

#[test]
fn a_handler_that_fails_or_is_late_is_a_result() {
    let direct = root();
    assert!(matches!(put(&direct, "!panic", b""), Err(CallError::Failed)));
    assert!(matches!(get(&direct, "!dropped"), Err(CallError::Failed)));
    assert_eq!(get(&direct, "!late").unwrap().decode().unwrap(), Blob(b"late"));
}

/// As over a connection.
#[test]
fn a_handler_that_gives_up_after_the_deadline_has_timed_out() {
    let direct = root().deadline(Instant::now());
    assert!(matches!(get(&direct, "!dropped"), Err(CallError::TimedOut)));
    assert!(matches!(put(&direct, "a", b""), Err(CallError::TimedOut)));
}

#[test]
fn descriptors_arrive() {
    let direct = root();
    let import = Blobs::Import { name: "a", file: file(b"imported") };
    let mut answer = direct.call::<BlobsImportAnswer>(&import).unwrap();
    assert_eq!(answer.decode().unwrap(), 8);
    assert_eq!(get(&direct, "a").unwrap().decode().unwrap(), Blob(b"imported"));
}

#[test]
fn items_come_one_by_one_and_end() {
    let direct = root();
    let names: Vec<String> = (0..100).map(|number| format!("a/{number:03}")).collect();
    for name in &names {
        put(&direct, name, b"").unwrap().decode().unwrap();
    }
    let mut items = direct.items::<Change<'static>>(&Blobs::Watch { prefix: "a/" }).unwrap();
    for name in &names {
        assert_eq!(items.recv().unwrap(), Some(Change::Stored(name)));
    }
    assert_eq!(items.recv().unwrap(), Some(Change::Removed("z")));
    assert_eq!(items.recv().unwrap(), None);
    assert_eq!(items.recv().unwrap(), None);
}

#[test]
fn items_wait_for_their_reader_and_dropping_them_cancels() {
    let store = Store::default();
    let (sent, stopped) = (Arc::clone(&store.sent), Arc::clone(&store.stopped));
    let direct = Direct::new(BlobsService(store));
    let mut items = direct.items::<Change<'static>>(&Blobs::Watch { prefix: "!" }).unwrap();
    for taken in 1..=40 {
        assert_eq!(items.recv().unwrap(), Some(Change::Stored("!")));
        assert!(sent.load(Ordering::SeqCst) <= taken + 16);
    }
    while sent.load(Ordering::SeqCst) < 56 {
        thread::yield_now();
    }
    assert_eq!(stopped.load(Ordering::SeqCst), 0);
    drop(items);
    while stopped.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(sent.load(Ordering::SeqCst), 56);
}

#[test]
#[should_panic(expected = "Watch is answered with items: call Direct::items")]
fn one_answer_to_a_call_with_items_is_a_mistake() {
    _ = root().call::<BlobsPutAnswer>(&Blobs::Watch { prefix: "" });
}

#[test]
#[should_panic(expected = "Get is not answered with items: call Direct::call")]
fn items_of_a_call_with_one_answer_are_a_mistake() {
    _ = root().items::<Change<'static>>(&Blobs::Get { name: "" });
}

#[derive(Message, Protocol)]
enum Newer<'a> {
    #[message(tag = 1, reply = u64)]
    Count,
    #[message(other)]
    Other(Unknown<'a>),
}

struct Seven;

impl NewerHandler for Seven {
    fn count(&self, _: &Context) -> u64 {
        7
    }
}

#[test]
fn any_answer_fits_a_call_that_nobody_knows() {
    let direct = Direct::new(NewerService(Seven));
    assert_eq!(direct.call::<NewerCountAnswer>(&Newer::Count).unwrap().decode().unwrap(), 7);
    let unknown = Newer::decode(b"\x09\x01").unwrap();
    let answer = direct.call::<NewerCountAnswer>(&unknown);
    assert!(matches!(answer, Err(CallError::NotSupported)), "{answer:?}");
}

#[test]
#[should_panic(expected = "Touch has no answer: call Direct::notify")]
fn an_answer_of_a_call_without_one_is_a_mistake() {
    _ = root().call::<BlobsPutAnswer>(&Blobs::Touch { name: "" });
}

#[test]
#[should_panic(expected = "Touch has no answer: call Direct::notify")]
fn items_of_a_call_without_an_answer_are_a_mistake() {
    _ = root().items::<Change<'static>>(&Blobs::Touch { name: "" });
}

#[test]
#[should_panic(expected = "Put has the answer `mocked::store::BlobsPutAnswer`, not the answer `")]
fn the_answer_of_another_call_is_a_mistake() {
    _ = root().call::<BlobsGetAnswer<'static>>(&Blobs::Put { name: "a", content: b"" });
}

#[test]
#[should_panic(expected = "Watch has items of the type `mocked::store::Change")]
fn items_of_another_type_are_a_mistake() {
    _ = root().items::<Blob<'static>>(&Blobs::Watch { prefix: "" });
}
