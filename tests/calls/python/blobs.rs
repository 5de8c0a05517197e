//! The Python client, and a server of blobs.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answering, Call, Context, ItemSender, Protocol, Reply, Server, Service};
use datagrammar::{Listener, Message};
use datagrammar_tests::Directory;
use serde::{Deserialize, Serialize};

use super::{example, python};

#[derive(Message)]
enum Blobs<'a> {
    #[message(tag = 1)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2)]
    Get { name: &'a str },
    #[message(tag = 3)]
    Watch { prefix: &'a str },
    #[message(tag = 5)]
    Touch { name: &'a str },
}

impl Protocol for Blobs<'_> {
    const ANSWER_DESCRIPTORS: bool = false;

    fn has_items(tag: u32) -> bool {
        tag == 3
    }
}

#[derive(Serialize, Deserialize)]
enum Refused {
    Full,
    NotFound,
}

#[derive(Message)]
#[message(tag = 5)]
struct Blob<'a> {
    name: &'a str,
    #[message(rest)]
    content: &'a [u8],
}

#[derive(Message)]
enum Change<'a> {
    #[message(tag = 1)]
    Added(&'a str),
    #[message(tag = 2)]
    Removed(&'a str),
}

#[derive(Message)]
enum PutAnswer {
    #[message(tag = 1)]
    Ok(u64),
    #[message(tag = 2)]
    Err(Refused),
}

#[derive(Message)]
enum GetAnswer<'a> {
    #[message(tag = 1)]
    Ok(#[message(nested, rest)] Blob<'a>),
    #[message(tag = 2)]
    Err(Refused),
}

impl Reply for PutAnswer {
    type Value<'f> = u64;
    type Error<'f> = Refused;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        match reply {
            Self::Ok(value) => Ok(value),
            Self::Err(error) => Err(error),
        }
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        match result {
            Ok(value) => Self::Ok(value),
            Err(error) => Self::Err(error),
        }
    }
}

impl Reply for GetAnswer<'_> {
    type Value<'f> = Blob<'f>;
    type Error<'f> = Refused;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        match reply {
            GetAnswer::Ok(value) => Ok(value),
            GetAnswer::Err(error) => Err(error),
        }
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        match result {
            Ok(value) => GetAnswer::Ok(value),
            Err(error) => GetAnswer::Err(error),
        }
    }
}

/// A store, in which getting "slow" takes longer than any deadline.
#[derive(Default)]
struct Store(Mutex<State>);

/// A change: the name of a blob, and whether it was added.
type Changed = (String, bool);

#[derive(Default)]
struct State {
    blobs: BTreeMap<String, Vec<u8>>,
    watchers: Vec<mpsc::Sender<Changed>>,
    /// How many watches have ended.
    ended: u64,
}

impl State {
    fn changed(&mut self, name: &str, added: bool) {
        self.watchers.retain(|watcher| watcher.send((name.into(), added)).is_ok());
    }
}

impl Store {
    fn put(&self, name: &str, content: &[u8]) -> Result<u64, Refused> {
        let mut state = self.0.lock().unwrap();
        if name == "too much" {
            return Err(Refused::Full);
        }
        state.blobs.insert(name.into(), content.into());
        state.changed(name, true);
        Ok(state.blobs.values().map(|blob| blob.len() as u64).sum())
    }

    fn get(&self, cx: &Context, name: &str, answer: Answering) {
        assert_ne!(name, "panic", "as asked");
        while name == "slow" && !cx.is_cancelled() {
            thread::sleep(Duration::from_millis(1));
        }
        if name == "slow" {
            thread::sleep(Duration::from_millis(200));
        }
        let state = self.0.lock().unwrap();
        let ended = state.ended.to_string();
        let content = match name {
            "watches that have ended" => Some(ended.as_bytes()),
            _ => state.blobs.get(name).map(Vec::as_slice),
        };
        let blob = content.map(|content| Blob { name, content });
        answer.responder::<GetAnswer<'static>>().send(blob.ok_or(Refused::NotFound)).unwrap();
    }

    /// Tells of the blobs that there are, and then of changes.
    fn watch(&self, cx: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        let (watcher, changes) = mpsc::channel();
        {
            let mut state = self.0.lock().unwrap();
            for name in state.blobs.keys() {
                watcher.send((name.clone(), true)).unwrap();
            }
            state.watchers.push(watcher);
        }
        while !cx.is_cancelled() {
            let Ok((name, added)) = changes.recv_timeout(Duration::from_millis(5)) else {
                continue;
            };
            let change = if added { Change::Added(&name) } else { Change::Removed(&name) };
            if name.starts_with(prefix) && items.send(&change).is_err() {
                break;
            }
        }
        self.0.lock().unwrap().ended += 1;
    }

    /// Touching a blob removes it, for the client to see.
    fn touch(&self, name: &str) {
        let mut state = self.0.lock().unwrap();
        state.blobs.remove(name);
        state.changed(name, false);
    }
}

impl Service for Store {
    type Protocol = Blobs<'static>;

    fn handle(&self, mut call: Call<Blobs<'static>>) {
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Blobs::Put { name, content } => answer.reply::<PutAnswer>(self.put(name, content)),
            Blobs::Get { name } => self.get(&cx, name, answer),
            Blobs::Watch { prefix } => self.watch(&cx, prefix, answer.items()),
            Blobs::Touch { name } => {
                self.touch(name);
                answer.nothing();
            }
        }
    }
}

/// Runs `python` with the path of a server, and `arguments`. Returns what it printed.
fn run(mut python: Command, script: &str, arguments: &[&str]) -> String {
    let directory = Directory::new();
    let address = directory.address("blobs");
    let listener = Listener::bind(&address).unwrap();
    let server = Server::new(Store::default());
    let stopper = server.stopper();
    let running = thread::spawn(move || server.run(&listener).unwrap());
    python.arg(script).arg(address.as_pathname().unwrap()).args(arguments);
    let output = python.env("PYTHONPATH", example("")).output().unwrap();
    stopper.stop(Instant::now());
    running.join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_python_client_calls_a_server() {
    let Some(python) = python() else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/calls/python/calls_blobs.py");
    assert_eq!(run(python, script, &[]), "done\n");
}

#[test]
fn the_python_client_is_a_program() {
    let Some(python) = python() else { return };
    let (client, wire) = (example("blobs_client.py"), example("wire.py"));
    let output = run(python, &client, &[&client, &wire]);
    let len = |path: &String| std::fs::metadata(path).unwrap().len();
    let (first, second) = (len(&client), len(&wire));
    let all = first + second;
    assert_eq!(output, format!("blobs_client.py {first} {first}\nwire.py {all} {second}\n"));
}
