//! `chat`: rooms, slow readers, and graceful shutdown.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use datagrammar::{Address, Connection, Message, SendError, Wait};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Running, run};

#[derive(Message)]
enum Request<'a> {
    #[message(tag = 1)]
    Join { room: &'a str, name: &'a str },
    #[message(tag = 2)]
    Say { text: &'a str },
}

#[derive(Message, Debug)]
enum Event<'a> {
    #[message(tag = 1)]
    Said { name: &'a str, text: &'a str },
    #[message(tag = 2)]
    Joined { name: &'a str, members: u32 },
    #[message(tag = 3)]
    Left { name: &'a str },
    #[message(tag = 4)]
    Goodbye { reason: &'a str },
}

type Client = Connection<Request<'static>, Event<'static>>;

fn chat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chat"))
}

fn server() -> (tempfile::TempDir, Address, Running) {
    // More than a busy machine needs.
    server_with_grace(60)
}

/// Starts a server that gives clients `grace` seconds to read their last events.
fn server_with_grace(grace: u64) -> (tempfile::TempDir, Address, Running) {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/chat.sock", directory.path().display());
    let grace = format!("--grace={grace}");
    let server = Running::start(chat().args(["serve", &address, &grace]), "serving");
    (directory, address.parse().unwrap(), server)
}

fn join(address: &Address, room: &str, name: &str) -> Client {
    let mut client = Client::connect(address).unwrap();
    client.send(&Request::Join { room, name }).unwrap();
    client
}

/// Receives the next event, or fails after a while.
fn next<T>(client: &mut Client, look: impl FnOnce(Event<'_>) -> T) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(60);
    client.recv_deadline(deadline).unwrap().map(|frame| look(frame.decode().unwrap()))
}

#[test]
fn everybody_in_a_room_hears_everything_in_order() {
    let (_directory, address, _server) = server();
    let mut ada = join(&address, "kitchen", "Ada");
    next(&mut ada, |event| assert!(matches!(event, Event::Joined { name: "Ada", members: 1 })));
    let mut bob = join(&address, "kitchen", "Bob");
    for client in [&mut ada, &mut bob] {
        next(client, |event| assert!(matches!(event, Event::Joined { name: "Bob", members: 2 })));
    }
    let mut eve = join(&address, "cellar", "Eve");
    next(&mut eve, |event| assert!(matches!(event, Event::Joined { members: 1, .. })));
    for text in ["one", "two", "three"] {
        ada.send(&Request::Say { text }).unwrap();
    }
    drop(eve);
    for client in [&mut ada, &mut bob] {
        for expected in ["one", "two", "three"] {
            next(client, |event| {
                assert!(matches!(event, Event::Said { name: "Ada", text } if text == expected));
            });
        }
    }
    drop(ada);
    next(&mut bob, |event| assert!(matches!(event, Event::Left { name: "Ada" })));
}

#[test]
fn a_slow_reader_is_told_so_and_holds_up_nobody() {
    let (_directory, address, _server) = server();
    let mut fast = join(&address, "hall", "fast");
    next(&mut fast, |event| assert!(matches!(event, Event::Joined { members: 1, .. })));
    let mut slow = join(&address, "hall", "slow");
    next(&mut fast, |event| assert!(matches!(event, Event::Joined { members: 2, .. })));
    // Far more than the queue and the socket of the slow client hold.
    let text = "x".repeat(10_000);
    for _ in 0..200 {
        fast.send(&Request::Say { text: &text }).unwrap();
        while next(&mut fast, |event| !matches!(event, Event::Said { .. })).unwrap() {}
    }
    let (mut heard, mut reason) = (0, None);
    while let Some(event) = next(&mut slow, |event| match event {
        Event::Goodbye { reason } => Some(reason.to_owned()),
        _ => None,
    }) {
        heard += 1;
        reason = event;
    }
    assert!((10..200).contains(&heard), "{heard}");
    assert_eq!(reason.as_deref(), Some("you read too slowly"));
}

#[test]
fn a_client_that_reads_nothing_loses_its_connection() {
    let (_directory, address, _server) = server_with_grace(0);
    let mut deaf = join(&address, "hall", "deaf");
    let text = "x".repeat(10_000);
    let deadline = Instant::now() + Duration::from_secs(60);
    let ended = loop {
        match deaf.send_deadline(&Request::Say { text: &text }, deadline) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(ended, SendError::Disconnected), "{ended}");
}

#[test]
fn sigterm_says_goodbye_to_everybody_and_waits_for_nobody() {
    // Longer than a thread may stop.
    let (_directory, address, server) = server_with_grace(6);
    let mut client = join(&address, "hall", "reader");
    next(&mut client, |event| assert!(matches!(event, Event::Joined { .. })));
    let mut stuck = join(&address, "hall", "stuck");
    next(&mut client, |event| assert!(matches!(event, Event::Joined { members: 2, .. })));
    let text = "x".repeat(10_000);
    for _ in 0..30 {
        client.send(&Request::Say { text: &text }).unwrap();
        next(&mut client, |event| assert!(matches!(event, Event::Said { .. })));
    }
    let pid = Pid::from_raw(server.child.id().cast_signed()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    // The other client may leave first.
    let is_last = |event: Event<'_>| match event {
        Event::Left { name: "stuck" } => false,
        Event::Goodbye { reason: "the server stops" } => true,
        event => panic!("{event:?}"),
    };
    while !next(&mut client, is_last).unwrap() {}
    assert!(next(&mut client, |_| ()).is_none());
    assert_eq!(server.output(), "");
    assert!(stuck.rx.recv_owned(Wait::Block).unwrap().is_some());
}

#[test]
fn a_frame_that_is_no_request_ends_only_its_own_connection() {
    let (_directory, address, _server) = server();
    let mut client = join(&address, "hall", "good");
    next(&mut client, |event| assert!(matches!(event, Event::Joined { .. })));
    let bad = Client::connect(&address).unwrap();
    // Text that is not UTF-8.
    rustix::net::send(&bad, b"\x02\x01\xff", rustix::net::SendFlags::empty()).unwrap();
    let mut bad = bad;
    let reason = next(&mut bad, |event| format!("{event:?}")).unwrap();
    assert!(reason.contains("Goodbye"), "{reason}");
    assert!(next(&mut bad, |_| ()).is_none());
    client.send(&Request::Say { text: "still here" }).unwrap();
    next(&mut client, |event| assert!(matches!(event, Event::Said { text: "still here", .. })));
}

#[test]
fn the_load_generator_counts_every_event() {
    let (_directory, address, _server) = server();
    let arguments = ["--clients", "20", "--rooms", "4", "--texts", "25", "--len", "50"];
    let said = run(chat().args(["load", &address.to_string()]).args(arguments));
    assert!(said.starts_with("20 clients in 4 rooms said 500 texts and received "), "{said}");
    assert!(said.contains("50.0 %") && said.contains("100.0 %"), "{said}");
}

#[test]
fn a_person_talks_and_listens() {
    let (_directory, address, _server) = server();
    let mut client = join(&address, "hall", "robot\u{1b}[2J");
    next(&mut client, |event| assert!(matches!(event, Event::Joined { .. })));
    let mut person = chat();
    person.args(["talk", &address.to_string(), "hall", "Ada"]);
    let mut person = person.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    next(&mut client, |event| assert!(matches!(event, Event::Joined { name: "Ada", .. })));
    client.send(&Request::Say { text: "beep" }).unwrap();
    next(&mut client, |event| assert!(matches!(event, Event::Said { .. })));
    let mut stdin = person.stdin.take().unwrap();
    stdin.write_all(b"hello\n").unwrap();
    next(&mut client, |event| assert!(matches!(event, Event::Said { text: "hello", .. })));
    // The client gets its own line last.
    let mut said = String::new();
    let mut stdout = std::io::BufReader::new(person.stdout.take().unwrap());
    while !said.contains("hello") {
        assert!(std::io::BufRead::read_line(&mut stdout, &mut said).unwrap() > 0, "{said}");
    }
    drop(stdin);
    assert!(person.wait().unwrap().success());
    assert!(said.contains("robot\\u{1b}[2J: beep"), "{said}");
}
