//! Parts of calls, as at the end of `vectors.txt`: clients and servers send and accept exactly these.

use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, Call, CallError, Client, ItemError, Server, Service};
use datagrammar::{Connection, Limits, Message, Protocol};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use super::golden::{hex, unhex};

#[derive(Message, Protocol)]
enum Sums {
    #[message(tag = 1, reply = Result<u64, String>)]
    Add { left: u64, right: u64 },
    #[message(tag = 2, items = Counted)]
    Count { from: u64, to: u64 },
    #[message(tag = 3)]
    Note(u64),
    #[message(tag = 4, reply = u64)]
    Panic,
    #[message(tag = 5, reply = u64)]
    Wait,
}

/// An item of `Count`.
#[derive(Message)]
#[message(tag = 1)]
struct Counted(u64);

/// Reports the calls that it gets.
struct Handler(mpsc::Sender<String>);

impl Service for Handler {
    type Protocol = Sums;

    fn handle(&self, mut call: Call<Sums>) {
        let Some((cx, request, answer)) = call.open() else { return };
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        let deadline = match cx.deadline().map(left) {
            None => "",
            Some(left) if left < Duration::from_secs(1) => ", soon",
            Some(_) => ", far",
        };
        let tell = |called: String| self.0.send(called + deadline).unwrap();
        match request {
            Sums::Add { left, right } => {
                tell(format!("Add {left} {right}"));
                answer.reply::<SumsAddAnswer>(left.checked_add(right).ok_or("too much".into()));
            }
            Sums::Count { from, to } => {
                tell(format!("Count {from} {to}"));
                let mut items = answer.items::<Counted>();
                for number in from..to {
                    match items.send(&Counted(number)) {
                        Ok(()) => {}
                        Err(ItemError::Stopped) => return,
                        Err(error) => panic!("{error}"),
                    }
                }
                assert!(to > from, "no items");
                items.end();
            }
            Sums::Note(number) => {
                tell(format!("Note {number}"));
                answer.nothing();
            }
            Sums::Panic => panic!("as asked"),
            Sums::Wait => {
                tell("Wait".into());
                while !cx.is_cancelled() {
                    thread::sleep(Duration::from_millis(1));
                }
                tell("Wait, cancelled".into());
            }
        }
    }
}

/// Returns the lines of `vectors.txt` of a group.
fn golden(group: &str) -> Vec<&'static str> {
    let lines = include_str!("vectors.txt").lines();
    lines.filter(|line| line.starts_with(group)).collect()
}

/// Returns the datagrams of a line of `vectors.txt`.
fn vector(name: &str) -> Vec<Vec<u8>> {
    let mut lines = include_str!("vectors.txt").lines();
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    line.unwrap_or_else(|| panic!("no {name}")).split(' ').map(unhex).collect()
}

fn client() -> (Client<Sums>, OwnedFd) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    (Client::new(Connection::adopt(ours).unwrap()), theirs)
}

/// Serves a connection. Returns its other end, and a receiver of the handler's reports.
fn serve(
    configure: fn(Server<Handler>) -> Server<Handler>,
) -> (Server<Handler>, OwnedFd, Connection<Answers<Sums>, Sums>, mpsc::Receiver<String>) {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let mut connection = Connection::adopt(theirs).unwrap();
    connection.rx.set_limits(Limits::default().frame_len(100));
    let (tell, told) = mpsc::channel();
    (configure(Server::new(Handler(tell))), ours, connection, told)
}

/// Sends datagrams to a server. Returns `count` answers, and how the handler was called.
fn ask(
    configure: fn(Server<Handler>) -> Server<Handler>,
    datagrams: &[Vec<u8>],
    count: usize,
) -> (Vec<Vec<u8>>, Vec<String>) {
    let (server, ours, connection, told) = serve(configure);
    let served = thread::spawn(move || server.serve(connection).unwrap());
    datagrams.iter().for_each(|datagram| raw::send(&ours, datagram).unwrap());
    let answers = (0..count).map(|_| raw::recv(&ours)).collect();
    // A call without an answer has been reported.
    let first = told.recv_timeout(Duration::from_secs(if count == 0 { 60 } else { 0 }));
    drop(ours);
    served.join().unwrap();
    (answers, first.into_iter().chain(told).collect())
}

#[test]
fn clients_send_the_vectors() {
    let mut lines = Vec::new();
    let mut note = |name: &str, datagram: &[u8]| {
        lines.push(format!("call client {name} = {}", hex(datagram)));
    };
    let add = &Sums::Add { left: 1, right: 2 };

    let (ours, theirs) = client();
    let call = thread::spawn(move || ours.call::<SumsAddAnswer>(add).unwrap().decode().unwrap());
    note("Add { left: 1, right: 2 }", &raw::recv(&theirs));
    raw::send(&theirs, &vector("call server Ok(3)")[0]).unwrap();
    assert_eq!(call.join().unwrap(), 3);

    // At the deadline, the call is cancelled. If the deadline passes earlier, as on a busy machine, nothing is sent.
    let (ours, theirs) = client();
    let until_now = loop {
        let near = ours.deadline(Instant::now() + Duration::from_millis(1));
        let late = near.call::<SumsAddAnswer>(add).unwrap_err();
        assert!(matches!(late, CallError::TimedOut), "{late}");
        if let Ok(datagram) = raw::try_recv(&theirs, 0) {
            break datagram;
        }
    };
    // The only call that was sent, with any id.
    note("Add { left: 1, right: 2 }, until now", &until_now);
    note("cancel", &raw::recv(&theirs));

    let (ours, theirs) = client();
    let far = Instant::now() + Duration::from_secs(100 * 24 * 60 * 60);
    let items = ours.deadline(far).items::<Counted>(&Sums::Count { from: 0, to: 7 }).unwrap();
    note("Count { from: 0, to: 7 }, until as late as possible", &raw::recv(&theirs));
    drop(items);

    let (ours, theirs) = client();
    let mut items = ours.items::<Counted>(&Sums::Count { from: 7, to: u64::MAX }).unwrap();
    note("Count { from: 7, to: 18446744073709551615 }", &raw::recv(&theirs));
    for _ in 0..8 {
        raw::send(&theirs, &vector("call server item Counted(7)")[0]).unwrap();
        assert_eq!(items.recv().unwrap().unwrap().0, 7);
    }
    note("credit 8", &raw::recv(&theirs));

    let (ours, theirs) = client();
    ours.notify(&Sums::Note(5)).unwrap();
    note("Note(5), without an answer", &raw::recv(&theirs));

    // Requests that wait for room share a datagram.
    let hasty = ours.deadline(Instant::now());
    while hasty.notify(&Sums::Note(1)).is_ok() {}
    hasty.notify(&Sums::Note(250)).unwrap_err();
    let call = thread::spawn(move || ours.call::<SumsAddAnswer>(add).unwrap().decode().unwrap());
    let bundle = loop {
        let datagram = raw::recv(&theirs);
        if datagram != [3, 1] {
            break datagram;
        }
    };
    note("bundle of Note(250) and Add { left: 1, right: 2 }", &bundle);
    raw::send(&theirs, &vector("call server Ok(3)")[0]).unwrap();
    assert_eq!(call.join().unwrap(), 3);

    assert_eq!(lines, golden("call client "), "the wire has changed:\n{}", lines.join("\n"));
}

#[test]
fn servers_answer_with_the_vectors() {
    let mut lines = Vec::new();
    let mut note = |name: &str, datagrams: &[Vec<u8>]| {
        let [datagram] = datagrams else { panic!("{datagrams:?}") };
        lines.push(format!("call server {name} = {}", hex(datagram)));
    };
    let request = |frame: &[u8]| [&[0, 5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0][..], frame].concat();
    let plain: fn(Server<Handler>) -> Server<Handler> = |server| server;
    let ask_one = |frame: &[u8]| ask(plain, &[request(frame)], 1).0;

    note("Ok(3)", &ask_one(&[1, 1, 2]));
    note("Err(\"too much\")", &ask_one(&[&[1, 253][..], &[255; 8], &[1]].concat()));
    note("not supported", &ask_one(&[99]));
    note("malformed", &ask_one(&[1, 1]));
    note("failed", &ask_one(&[4]));

    // A stop tells the callers of running calls, and ends the connection.
    let (server, ours, connection, told) = serve(plain);
    let stopper = server.stopper();
    let served = thread::spawn(move || server.serve(connection).unwrap());
    raw::send(&ours, &request(&[5])).unwrap();
    assert_eq!(told.recv().unwrap(), "Wait");
    assert_eq!(stopper.stop(Instant::now()), 1);
    note("cancelled", &[raw::recv(&ours)]);
    assert!(raw::recv(&ours).is_empty());
    served.join().unwrap();

    let busy = |server: Server<Handler>| server.streams(0);
    note("busy", &ask(busy, &[request(&[2, 0, 7])], 1).0);
    // While another call keeps the connection open.
    let (server, ours, connection, told) = serve(plain);
    let stopper = server.stopper();
    let served = thread::spawn(move || server.serve(connection).unwrap());
    let of_another = |mut datagram: Vec<u8>| {
        datagram[6] = 2;
        raw::send(&ours, &datagram).unwrap();
    };
    of_another(request(&[5]));
    assert_eq!(told.recv().unwrap(), "Wait");
    let far = Instant::now() + Duration::from_secs(60);
    let stopping = thread::spawn(move || stopper.stop(far));
    // The server answers until it stops.
    let stopped = loop {
        raw::send(&ours, &request(&[1, 1, 2])).unwrap();
        let answer = raw::recv(&ours);
        if answer != vector("call server Ok(3)")[0] {
            break answer;
        }
    };
    note("stopping", &[stopped]);
    of_another(vec![0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(stopping.join().unwrap(), 0);
    served.join().unwrap();
    note("too large", &ask_one(&[7; 101]));

    let (items, _) = ask(plain, &[request(&[2, 7, 8])], 2);
    note("item Counted(7)", &items[..1]);
    note("end", &items[1..]);
    note("end failed", &ask_one(&[2, 7, 7]));
    // The stream waits for credit when its deadline passes.
    let (server, ours, connection, _told) = serve(plain);
    let served = thread::spawn(move || server.serve(connection).unwrap());
    let mut endless = request(&[&[2, 7, 253][..], &[255; 8]].concat());
    endless[2] = 1;
    raw::send(&ours, &endless).unwrap();
    let end = std::iter::repeat_with(|| raw::recv(&ours)).find(|datagram| datagram[1] != 7);
    note("end timed out", &[end.unwrap()]);
    drop(ours);
    served.join().unwrap();

    assert_eq!(lines, golden("call server "), "the wire has changed:\n{}", lines.join("\n"));
}

#[test]
fn servers_accept_the_vectors() {
    for (names, calls) in [
        (&["client Add { left: 1, right: 2 }"][..], &["Add 1 2"][..]),
        (&["client Add { left: 1, right: 2 }, until now"], &["Add 1 2, soon"]),
        // So late that only the client knows the deadline.
        (&["client Count { from: 0, to: 7 }, until as late as possible"], &["Count 0 7"]),
        (
            &["client Count { from: 7, to: 18446744073709551615 }"],
            &["Count 7 18446744073709551615"],
        ),
        (&["client Note(5), without an answer"], &["Note 5"]),
        (&["client bundle of Note(250) and Add { left: 1, right: 2 }"], &["Note 250", "Add 1 2"]),
        (&["accepted Add { left: 1, right: 2 } in pieces"], &["Add 1 2"]),
    ] {
        let datagrams: Vec<_> =
            names.iter().flat_map(|name| vector(&format!("call {name}"))).collect();
        let answers = usize::from(!names[0].contains("Note(5)"));
        let (answers, mut called) = ask(|server| server.threads(1), &datagrams, answers);
        called.sort_by_key(|called| called.starts_with("Add"));
        // The deadline is a millisecond away, and the server may be late.
        let is_late = calls == ["Add 1 2, soon"] && called.is_empty();
        match is_late {
            true => assert_eq!(answers, vector("call accepted reply timed out"), "{names:?}"),
            false => assert_eq!(called, calls, "{names:?}"),
        }
    }

    // With 16 items on their way, the server sends 8 more for the credit, and none after the cancel.
    let stream = vector("call client Count { from: 7, to: 18446744073709551615 }");
    let credit = vector("call client credit 8");
    let (server, ours, connection, _told) = serve(|server| server);
    let served = thread::spawn(move || server.serve(connection).unwrap());
    raw::send(&ours, &stream[0]).unwrap();
    for more in [&[][..], &credit] {
        more.iter().for_each(|credit| raw::send(&ours, credit).unwrap());
        for _ in 0..if more.is_empty() { 16 } else { 8 } {
            assert_eq!(raw::recv(&ours)[..2], [0, 7]);
        }
        raw::try_recv(&ours, 0).unwrap_err();
    }
    raw::send(&ours, &vector("call client cancel")[0]).unwrap();
    raw::send(&ours, &credit[0]).unwrap();
    let (mut add, mut sum) =
        (vector("call client Add { left: 1, right: 2 }"), vector("call server Ok(3)"));
    (add[0][6], sum[0][6]) = (2, 2);
    raw::send(&ours, &add[0]).unwrap();
    assert_eq!(raw::recv(&ours), sum[0]);
    drop(ours);
    served.join().unwrap();
}

#[test]
fn clients_accept_the_vectors() {
    let outcomes: Vec<_> = ["server ", "accepted reply "]
        .iter()
        .flat_map(|group| golden(&format!("call {group}")))
        .map(|line| line.rsplit_once(" = ").unwrap())
        .map(|(name, datagram)| {
            let (ours, theirs) = client();
            raw::send(&theirs, &unhex(datagram)).unwrap();
            if name.contains("item") || name.contains("end") {
                let mut items = ours.items::<Counted>(&Sums::Count { from: 0, to: 1 }).unwrap();
                return format!("{:?}", items.recv().map(|item| item.map(|item| item.0)));
            }
            let answer = ours.call::<SumsAddAnswer>(&Sums::Add { left: 0, right: 0 });
            let answer = answer.map_err(CallError::widen).and_then(|mut answer| answer.decode());
            format!("{answer:?}")
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            "Ok(3)",
            "Err(Answered(\"too much\"))",
            "Err(NotSupported)",
            "Err(Malformed)",
            "Err(Failed)",
            "Err(Cancelled)",
            "Err(Busy)",
            "Err(Stopping)",
            "Err(TooLarge)",
            "Ok(Some(7))",
            "Ok(None)",
            "Err(Failed)",
            "Err(TimedOut)",
            "Err(TimedOut)",
            "Err(Failed)",
        ]
    );
}
