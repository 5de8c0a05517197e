//! The cases that every client runs with every server.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Outcome};
use datagrammar_tests::skipped;

#[cfg(feature = "tokio")]
use super::awaited::Awaited;
use super::blocking::Blocking;
use super::endings::{a_client_that_waits_until_killed, graceful_shutdown, shutdown_at_once};
use super::ends::{Client, End, Kind, Version};
use super::protocol::{
    Seen, Suite, SuiteAddAllAnswer, SuiteAddAnswer, SuiteEchoAnswer, SuiteHoldAnswer,
    SuiteLeftAnswer, SuitePanicAnswer, SuiteReturnAnswer, SuiteSeeAnswer, SuiteWaitAnswer, older,
};

/// Longer than anything in these tests takes on a busy machine.
pub(crate) const STALL: Duration = Duration::from_secs(60);

/// A test of both sides.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) server: Version,
    /// Runs the client.
    pub(crate) run: fn(Kind, End),
}

macro_rules! cases {
    ($($case:ident of a $version:ident server,)*) => {
        pub(crate) const CASES: &[Case] = &[$(Case {
            name: stringify!($case),
            server: Version::$version,
            run: |kind, end| match kind {
                Kind::Blocking => $case(Blocking::open(end)),
                #[cfg(feature = "tokio")]
                Kind::Awaited => $case(Awaited::open(end)),
            },
        }),*];
    };
}

cases! {
    values_and_errors of a New server,
    ten_thousand_calls_in_flight of a New server,
    deadlines of a New server,
    cancellation of a New server,
    items_and_a_reader_that_stops of a New server,
    one_way of a New server,
    descriptors of a New server,
    five_mebibytes of a New server,
    panics of a New server,
    graceful_shutdown of a New server,
    shutdown_at_once of a New server,
    an_older_client of a New server,
    a_newer_client of a Old server,
    a_client_that_waits_until_killed of a New server,
}

pub(crate) type New = Suite<'static>;

pub(crate) fn add<C: Client<New>>(
    client: &C,
    left: u64,
    right: u64,
) -> Result<u64, CallError<String>> {
    let answer = client.call::<SuiteAddAnswer>(&Suite::Add { left, right, more: 0 });
    answer.map_err(CallError::widen)?.decode()
}

pub(crate) fn see<C: Client<New>>(client: &C) -> Seen {
    client.call::<SuiteSeeAnswer>(&Suite::See).unwrap().decode().unwrap()
}

/// Asks the server repeatedly until it reports the expected state.
pub(crate) fn until<C: Client<New>>(client: &C, is_expected: impl Fn(&Seen) -> bool) {
    let start = Instant::now();
    loop {
        let seen = see(client);
        if is_expected(&seen) {
            return;
        }
        assert!(start.elapsed() < STALL, "{seen:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the number of each held answer.
pub(crate) fn held<C: Client<New>>(
    client: &C,
    count: u64,
    of: u64,
    meanwhile: impl FnOnce(),
) -> Vec<Result<u64, CallError>> {
    let request = |number| Suite::Hold { number, of };
    let answers = client.call_all::<SuiteHoldAnswer<'static>>(count, request, meanwhile);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let decoded = answers.into_iter().map(|answer| Ok(number(answer?.decode().unwrap())));
    decoded.collect()
}

fn values_and_errors<C: Client<New>>(client: C) {
    for left in 0..20 {
        assert_eq!(add(&client, left, 2).unwrap(), left + 2);
    }
    let error = add(&client, u64::MAX, 1).unwrap_err();
    assert_eq!(error.outcome(), Outcome::Executed);
    assert!(matches!(error, CallError::Answered(text) if text == "too much"));
    assert_eq!((client.in_flight(), client.dropped()), (0, 0));
}

/// The server gets all calls at once, and answers the last one first.
fn ten_thousand_calls_in_flight<C: Client<New>>(client: C) {
    const COUNT: u64 = 10_000;
    if !C::can_call_all(COUNT) {
        skipped(format_args!("a process cannot have {COUNT} threads here"));
        return;
    }
    let answers = held(&client, COUNT, COUNT, || {});
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.unwrap(), number);
    }
    assert_eq!((client.in_flight(), client.dropped()), (0, 0));
    assert_eq!(add(&client, 1, 1).unwrap(), 2);
}

fn deadlines<C: Client<New>>(client: C) {
    let left = |client: &C| client.call::<SuiteLeftAnswer>(&Suite::Left).unwrap().decode().unwrap();
    assert_eq!(left(&client), None);
    let far = client.deadline(Instant::now() + 100 * STALL);
    let millis = 100 * STALL.as_millis() as u64;
    assert!((millis / 2..=millis).contains(&left(&far).unwrap()));

    // A deadline that passes while the handler works. On a busy machine, it may pass before.
    for patience in (0..).map(|round| Duration::from_millis(20 << round)) {
        let hasty = client.deadline(Instant::now() + patience);
        let late = hasty.call::<SuiteWaitAnswer>(&Suite::Wait).unwrap_err();
        assert!(matches!(late, CallError::TimedOut), "{late}");
        if see(&client).waiting > 0 {
            break;
        }
        assert!(patience < STALL);
    }
    until(&client, |seen| seen.cancelled == seen.waiting);

    let hasty = client.deadline(Instant::now() + Duration::from_millis(20));
    let mut items = hasty.numbers(&Suite::Watch).unwrap();
    let late = std::iter::from_fn(|| Some(items())).find_map(Result::err).unwrap();
    assert!(matches!(late, CallError::TimedOut), "{late}");

    // After the deadline, only a call without an answer is sent.
    let late = client.deadline(Instant::now());
    assert!(matches!(add(&late, 1, 1), Err(CallError::TimedOut)));
    late.notify(&Suite::Note(3)).unwrap();
    until(&client, |seen| seen.noted == 3);
    assert_eq!(add(&client, 1, 1).unwrap(), 2);
    assert_eq!(client.in_flight(), 0);
}

fn cancellation<C: Client<New>>(client: C) {
    let mut items = client.numbers(&Suite::Watch).unwrap();
    assert_eq!(items().unwrap(), Some(0));
    until(&client, |seen| seen.waiting == 1);
    assert_eq!(see(&client).cancelled, 0);
    drop(items);
    until(&client, |seen| seen.cancelled == 1);

    client.give_up::<SuiteWaitAnswer>(&Suite::Wait, || see(&client).waiting == 2);
    until(&client, |seen| seen.cancelled == 2);
    assert_eq!(add(&client, 1, 1).unwrap(), 2);
    assert_eq!(client.in_flight(), 0);
}

/// The server keeps nothing for a reader that stops: it sends only as many items as there is credit for.
fn items_and_a_reader_that_stops<C: Client<New>>(client: C) {
    const STREAMS: u64 = 8;
    const CREDIT: u64 = 16;
    let mut streams: Vec<_> =
        (0..STREAMS).map(|_| client.numbers(&Suite::Count { to: u64::MAX }).unwrap()).collect();
    for items in &mut streams {
        assert_eq!(items().unwrap(), Some(0));
    }
    until(&client, |seen| seen.sent == STREAMS * CREDIT);
    for left in 0..100 {
        assert_eq!(add(&client, left, 1).unwrap(), left + 1);
    }
    assert_eq!(see(&client).sent, STREAMS * CREDIT);

    // A reader that continues gets all items, and other readers can wait.
    let mut items = streams.pop().unwrap();
    for number in 1..1000 {
        assert_eq!(items().unwrap(), Some(number));
    }
    let most = (STREAMS - 1) * CREDIT + 1000 + CREDIT;
    let sent = see(&client).sent;
    assert!(sent <= most, "{sent}");
    for items in &mut streams {
        assert_eq!(items().unwrap(), Some(1));
    }

    let mut items = client.numbers(&Suite::Count { to: 100 }).unwrap();
    for number in 0..100 {
        assert_eq!(items().unwrap(), Some(number));
    }
    assert_eq!((items().unwrap(), items().unwrap()), (None, None));
}

fn one_way<C: Client<New>>(client: C) {
    for number in 0..1000 {
        client.notify(&Suite::Note(number)).unwrap();
    }
    until(&client, |seen| seen.noted == 999 * 1000 / 2);
    assert_eq!(client.in_flight(), 0);
}

fn descriptors<C: Client<New>>(client: C) {
    for number in 0..20 {
        let mut ours = tempfile::tempfile().unwrap();
        let file = ours.try_clone().unwrap();
        let answer = client.call::<SuiteReturnAnswer>(&Suite::Return { file });
        let mut theirs: File = answer.unwrap().decode().unwrap();
        write!(theirs, "{number}").unwrap();
        let mut text = String::new();
        ours.rewind().unwrap();
        ours.read_to_string(&mut text).unwrap();
        assert_eq!(text, number.to_string());
    }
}

fn five_mebibytes<C: Client<New>>(client: C) {
    let content: Vec<u8> = (0..=250).cycle().take(5 << 20).collect();
    let check = |answer: &[u8]| assert!(answer == content, "{} bytes", answer.len());
    for _ in 0..2 {
        let answer = client.call::<SuiteEchoAnswer<'static>>(&Suite::Echo { content: &content });
        check(answer.unwrap().decode().unwrap());
    }
    // Both sides have more to send than the socket holds.
    let leaked: &'static [u8] = content.clone().leak();
    let request = |_| Suite::Echo { content: leaked };
    for answer in client.call_all::<SuiteEchoAnswer<'static>>(4, request, || {}) {
        check(answer.unwrap().decode().unwrap());
    }
}

fn panics<C: Client<New>>(client: C) {
    let others = held(&client, 3, u64::MAX, || {
        until(&client, |seen| seen.held == 3);
        for _ in 0..10 {
            let panicked = client.call::<SuitePanicAnswer>(&Suite::Panic).unwrap_err();
            assert!(matches!(panicked, CallError::Failed), "{panicked}");
        }
        let mut items = client.numbers(&Suite::PanicAfter { to: 40 }).unwrap();
        for number in 0..40 {
            assert_eq!(items().unwrap(), Some(number));
        }
        let panicked = items().unwrap_err();
        assert!(matches!(panicked, CallError::Failed), "{panicked}");
        assert_eq!(add(&client, 1, 1).unwrap(), 2);
        let mut items = client.numbers(&Suite::Count { to: 0 }).unwrap();
        assert_eq!(items().unwrap(), None);
    });
    assert!(others.into_iter().map(Result::unwrap).eq(0..3));
}

fn an_older_client<C: Client<older::Suite>>(client: C) {
    let sum = client.call::<older::SuiteAddAnswer>(&older::Suite::Add { left: 1, right: 2 });
    assert_eq!(sum.unwrap().decode().unwrap(), 3);
    let request = older::Suite::AddAll { left: 1, right: 2 };
    let sum = client.call::<older::SuiteAddAllAnswer>(&request);
    assert_eq!(sum.unwrap().decode().unwrap(), 3);
    let mut items = client.numbers(&older::Suite::Count { to: 100 }).unwrap();
    for number in 0..100 {
        assert_eq!(items().unwrap(), Some(number));
    }
    assert_eq!(items().unwrap(), None);
}

fn a_newer_client<C: Client<New>>(client: C) {
    let unknown = client.call::<SuiteSeeAnswer>(&Suite::See).unwrap_err();
    assert!(matches!(unknown, CallError::NotSupported), "{unknown}");
    assert_eq!(unknown.outcome(), Outcome::NotExecuted);
    let unknown = client.numbers(&Suite::Watch).unwrap()().unwrap_err();
    assert!(matches!(unknown, CallError::NotSupported), "{unknown}");
    client.notify(&Suite::Note(1)).unwrap();
    // The server ignores unknown fields of an extensible variant.
    let sum = client.call::<SuiteAddAnswer>(&Suite::Add { left: 1, right: 2, more: 3 });
    assert_eq!(sum.unwrap().decode().unwrap(), 3);
    let request = Suite::AddAll { left: 1, right: 2, more: 3 };
    let refused = client.call::<SuiteAddAllAnswer>(&request).unwrap_err();
    assert!(matches!(refused, CallError::Malformed), "{refused}");
    let mut items = client.numbers(&Suite::Count { to: 20 }).unwrap();
    for number in 0..20 {
        assert_eq!(items().unwrap(), Some(number));
    }
    assert_eq!(items().unwrap(), None);
}
