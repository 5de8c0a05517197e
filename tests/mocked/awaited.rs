//! A service of tokio without a socket.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Context};
use datagrammar::tokio::calls::{Answer, Direct, ItemSender, Responder};
use datagrammar::{Message, Peer, Protocol, to_vec};
use datagrammar_tests::datagrams::{CANCEL, CREDIT, END, ITEM, REPLY, REQUEST, part};
use tokio::task::yield_now;
use tokio::time::timeout;

#[derive(Message, Protocol)]
enum Work<'a> {
    #[message(tag = 1, reply = Result<u64, String>)]
    Length { text: &'a str },
    #[message(tag = 2, reply = Text<'_>)]
    Repeat { text: &'a str },
    #[message(tag = 3, items = Number)]
    Count { to: u64 },
    #[message(tag = 4)]
    Note(usize),
    #[message(tag = 5, reply = u64)]
    Wait,
}

#[derive(Message)]
#[message(tag = 1)]
struct Text<'a>(&'a str);

#[derive(Message)]
#[message(tag = 1)]
struct Number(u64);

#[derive(Default, Clone)]
struct Worker {
    noted: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    /// The number of handlers that learned that the caller no longer waits.
    stopped: Arc<AtomicUsize>,
}

impl WorkTokioHandler for Worker {
    async fn length(&self, cx: &Context, text: &str) -> Result<u64, String> {
        yield_now().await;
        match text {
            "!panic" => panic!("as asked"),
            "!deadline" => Ok(cx.deadline().is_some().into()),
            "!peer" => cx.peer().map(|peer| peer.uid.into()).ok_or("nobody".into()),
            _ => Ok(text.len() as u64),
        }
    }

    async fn repeat(&self, _: &Context, text: &str, answer: Responder<WorkRepeatAnswer<'static>>) {
        let text = text.repeat(2);
        // Answers after the handler has ended: the runtime has one thread, and this awaits nothing.
        tokio::spawn(async move {
            match text.as_str() {
                "!drop!drop" => drop(answer),
                _ => answer.send(Ok(Text(&text))).unwrap(),
            }
        });
    }

    async fn count(&self, _: &Context, to: u64, mut items: ItemSender<Number>) {
        for number in 0..to {
            if items.send(&Number(number)).await.is_err() {
                self.stopped.fetch_add(1, Ordering::SeqCst);
                return;
            }
            self.sent.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn note(&self, _: &Context, count: usize) {
        yield_now().await;
        self.noted.fetch_add(count, Ordering::SeqCst);
    }

    async fn wait(&self, cx: &Context) -> u64 {
        cx.cancelled().await;
        self.stopped.fetch_add(1, Ordering::SeqCst);
        pending().await
    }
}

type Ours = Direct<WorkTokioService<Worker>>;

fn direct(worker: &Worker) -> Ours {
    Direct::new(WorkTokioService(worker.clone()))
}

async fn length(direct: &Ours, text: &str) -> Result<u64, CallError<String>> {
    let answer = direct.call::<WorkLengthAnswer>(&Work::Length { text }).await;
    answer.map_err(CallError::widen)?.decode()
}

/// Waits until a count is reached.
async fn reaches(count: &AtomicUsize, expected: usize) {
    let reached = async {
        while count.load(Ordering::SeqCst) < expected {
            yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), reached).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), expected);
}

#[tokio::test]
async fn requests_are_answered_with_values_and_errors() {
    let worker = Worker::default();
    let ours = direct(&worker);
    assert_eq!(length(&ours, "abc").await.unwrap(), 3);
    let large = "x".repeat(5 << 20);
    assert_eq!(length(&ours, &large).await.unwrap(), 5 << 20);
    assert!(
        matches!(length(&ours, "!peer").await, Err(CallError::Answered(why)) if why == "nobody")
    );
    assert!(matches!(length(&ours, "!panic").await, Err(CallError::Failed)));
    assert_eq!(length(&ours, "!deadline").await.unwrap(), 0);
    ours.notify(&Work::Note(7)).await.unwrap();
    assert_eq!(worker.noted.load(Ordering::SeqCst), 7);
    let ours = ours.peer(Peer::new(1000, 1)).deadline(Instant::now() + Duration::from_secs(60));
    assert_eq!(length(&ours, "!peer").await.unwrap(), 1000);
    assert_eq!(length(&ours, "!deadline").await.unwrap(), 1);
}

#[tokio::test]
async fn an_answer_may_come_after_its_handler_or_never() {
    let ours = direct(&Worker::default());
    let repeat = |text| ours.call::<WorkRepeatAnswer<'static>>(&Work::Repeat { text });
    let mut answer: Answer<_> = repeat("ab").await.unwrap();
    assert_eq!(answer.decode().unwrap().0, "abab");
    assert!(matches!(repeat("!drop").await, Err(CallError::Failed)));
}

#[tokio::test]
async fn calls_run_at_the_same_time_on_any_thread() {
    fn check_send<T: Send>(future: T) -> T {
        future
    }
    let ours = Arc::new(direct(&Worker::default()));
    let calls = (0..100).map(|count| {
        let ours = Arc::clone(&ours);
        tokio::spawn(check_send(async move { length(&ours, &"x".repeat(count)).await }))
    });
    let calls: Vec<_> = calls.collect();
    for (count, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), count as u64);
    }
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let worker = Worker::default();
    let ours = direct(&worker);
    let call = ours.call::<WorkWaitAnswer>(&Work::Wait);
    assert!(timeout(Duration::from_millis(10), call).await.is_err());
    reaches(&worker.stopped, 1).await;
}

#[tokio::test]
async fn items_wait_for_their_reader_and_dropping_them_cancels() {
    let worker = Worker::default();
    let ours = direct(&worker);
    let mut items = ours.items::<Number>(&Work::Count { to: 3 }).unwrap();
    for number in 0..3 {
        assert_eq!(items.recv().await.unwrap().unwrap().0, number);
    }
    assert!(items.recv().await.unwrap().is_none());
    assert!(items.recv().await.unwrap().is_none());

    let mut items = ours.items::<Number>(&Work::Count { to: u64::MAX }).unwrap();
    for number in 0..40 {
        assert_eq!(items.recv().await.unwrap().unwrap().0, number);
    }
    reaches(&worker.sent, 3 + 40 + 16).await;
    drop(items);
    reaches(&worker.stopped, 1).await;
    assert_eq!(worker.sent.load(Ordering::SeqCst), 3 + 40 + 16);
}

#[tokio::test]
#[should_panic(expected = "Count is answered with items: call Direct::items")]
async fn one_answer_to_a_call_with_items_is_a_mistake() {
    _ = direct(&Worker::default()).call::<WorkWaitAnswer>(&Work::Count { to: 1 }).await;
}

#[tokio::test]
#[should_panic(expected = "Note has no answer: call Direct::notify")]
async fn an_answer_of_a_call_without_one_is_a_mistake() {
    _ = direct(&Worker::default()).call::<WorkWaitAnswer>(&Work::Note(1)).await;
}

#[tokio::test]
#[should_panic(expected = "Length has the answer `mocked::awaited::WorkLengthAnswer`, not the")]
async fn the_answer_of_another_call_is_a_mistake() {
    _ = direct(&Worker::default()).call::<WorkWaitAnswer>(&Work::Length { text: "" }).await;
}

#[tokio::test]
async fn datagrams_are_answered_with_datagrams() {
    let worker = Worker::default();
    let mut ours = direct(&worker);
    let request = |id, request: &Work<'_>| part(REQUEST, 0, id, &to_vec(request).unwrap());
    let item = |id, number: u8| part(ITEM, 0, id, &[1, number]);
    assert_eq!(
        ours.exchange(&request(7, &Work::Repeat { text: "ab" })).await,
        [part(REPLY, 0, 7, b"\x01\x01\x04abab")]
    );
    assert_eq!(ours.exchange(&part(REQUEST, 0, 8, &[99])).await, [part(REPLY, 1, 8, b"")]);
    assert_eq!(ours.exchange(&to_vec(&Work::Note(5)).unwrap()).await, [b""; 0]);
    assert_eq!(worker.noted.load(Ordering::SeqCst), 5);
    let items = ours.exchange(&request(9, &Work::Count { to: 18 })).await;
    assert_eq!(items, (0..16).map(|number| item(9, number)).collect::<Vec<_>>());
    let more = ours.exchange(&part(CREDIT, 1, 9, b"")).await;
    assert_eq!(more, [item(9, 16)]);
    let rest = ours.exchange(&part(CREDIT, 9, 9, b"")).await;
    assert_eq!(rest, [item(9, 17), part(END, 0, 9, b"")]);
    let items = ours.exchange(&request(10, &Work::Count { to: 99 })).await;
    assert_eq!(items.len(), 16);
    assert_eq!(ours.exchange(&part(CANCEL, 0, 10, b"")).await, [b""; 0]);
    reaches(&worker.stopped, 1).await;
    for ignored in [&b""[..], b"\0", &part(END, 0, 1, b""), &part(4, 0, 2, b"\x01\x01")] {
        assert_eq!(ours.exchange(ignored).await, [b""; 0], "{ignored:?}");
    }
}
