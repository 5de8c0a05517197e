//! A client, and the Python server of sums.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::Message;
use datagrammar::calls::{CallError, Client, Protocol, Returns};
use datagrammar_tests::{Directory, python};

use super::example;

#[derive(Message)]
enum Sums<'a> {
    #[message(tag = 1)]
    Add { left: u64, right: u64 },
    #[message(tag = 2)]
    Length {
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 3)]
    Count { to: u64 },
    #[message(tag = 4)]
    Note(u64),
    #[message(tag = 5)]
    Noted,
    /// The server does not know this call.
    #[message(tag = 6)]
    Newer,
}

impl Protocol for Sums<'_> {
    const ANSWER_DESCRIPTORS: bool = false;

    fn returns(tag: u32) -> Returns {
        match tag {
            3 => Returns::items::<Counted>(),
            _ => Returns::unknown(),
        }
    }
}

#[derive(Message)]
#[message(tag = 1)]
struct Counted(u64);

type Ours = Client<Sums<'static>>;

fn call(client: &Ours, request: &Sums<'_>) -> Result<u64, CallError<String>> {
    client.call::<crate::Sum>(request).map_err(CallError::widen)?.decode()
}

/// The server process, which ends when this value is dropped.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Starts a server, and connects a client. `None` without Python.
fn start() -> Option<(Ours, Serving, Directory)> {
    let mut python = python()?;
    let directory = Directory::new();
    let address = directory.address("sums");
    python.arg(example("sums_server.py")).arg(address.as_pathname().unwrap());
    let mut serving = Serving(python.stderr(Stdio::piped()).spawn().unwrap());
    let mut said = String::new();
    let mut stderr = BufReader::new(serving.0.stderr.take().unwrap());
    stderr.read_line(&mut said).unwrap();
    assert_eq!(said, "serving\n");
    // Keeps reading its output, so that the server can print.
    thread::spawn(move || stderr.lines().map_while(Result::ok).for_each(|line| println!("{line}")));
    Some((Client::connect(&address).unwrap(), serving, directory))
}

#[test]
fn the_python_server_answers_a_client() {
    let Some((client, serving, _directory)) = start() else { return };
    assert_eq!(call(&client, &Sums::Add { left: 1, right: 1 << 40 }).unwrap(), (1 << 40) + 1);
    let error = call(&client, &Sums::Add { left: u64::MAX, right: 1 }).unwrap_err();
    assert!(matches!(&error, CallError::Answered(text) if text == "too much"), "{error}");
    let newer = call(&client, &Sums::Newer).unwrap_err();
    assert!(matches!(newer, CallError::NotSupported), "{newer}");
    for len in [0, 250, 213_000, 5 << 20] {
        let content = vec![7; len];
        let length = call(&client, &Sums::Length { content: &content }).unwrap();
        assert_eq!(length, len as u64);
    }
    client.notify(&Sums::Note(40)).unwrap();
    client.notify(&Sums::Note(2)).unwrap();
    assert_eq!(call(&client, &Sums::Noted).unwrap(), 42);
    let no_answer = call(&client, &Sums::Note(1)).unwrap_err();
    assert!(matches!(no_answer, CallError::Failed), "{no_answer}");

    // With more threads than the socket has room for, and in bundles.
    thread::scope(|scope| {
        for thread in 0..16 {
            let client = &client;
            scope.spawn(move || {
                for right in 0..200 {
                    let sum = call(client, &Sums::Add { left: thread, right }).unwrap();
                    assert_eq!(sum, thread + right);
                }
            });
        }
    });
    assert_eq!(client.dropped(), 0);

    // A server that dies.
    drop(serving);
    let gone = call(&client, &Sums::Noted).unwrap_err();
    assert!(matches!(gone, CallError::Disconnected(_) | CallError::NotSent(_)), "{gone}");
}

#[test]
fn the_python_server_sends_items() {
    let Some((client, _serving, _directory)) = start() else { return };
    let mut items = client.items::<Counted>(&Sums::Count { to: 1000 }).unwrap();
    for number in 0..1000 {
        assert_eq!(items.recv().unwrap().unwrap().0, number);
    }
    assert!(items.recv().unwrap().is_none());

    // One stream is given up, and one is not read, while other calls continue.
    let mut endless = client.items::<Counted>(&Sums::Count { to: u64::MAX }).unwrap();
    assert_eq!(endless.recv().unwrap().unwrap().0, 0);
    drop(endless);
    let unread = client.items::<Counted>(&Sums::Count { to: u64::MAX }).unwrap();
    assert_eq!(call(&client, &Sums::Add { left: 1, right: 1 }).unwrap(), 2);
    drop(unread);

    let hasty = client.deadline(Instant::now() + Duration::from_millis(50));
    let mut late = hasty.items::<Counted>(&Sums::Count { to: u64::MAX }).unwrap();
    let mut taken = 0;
    let error = loop {
        match late.recv() {
            Ok(Some(Counted(number))) => assert_eq!(number, taken),
            Ok(None) => panic!("it has no end"),
            Err(error) => break error,
        }
        taken += 1;
    };
    assert!(matches!(error, CallError::TimedOut), "{error}");
    assert_eq!(client.in_flight(), 0);
}
