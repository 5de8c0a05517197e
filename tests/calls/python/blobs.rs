//! The Python client, and a server of blobs.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Context, ItemSender, Responder, Server};
use datagrammar::{Listener, Message, Protocol};
use datagrammar_tests::{Directory, python};

use super::example;

/// As in `examples/blobs`.
#[derive(Message, Protocol)]
enum Blobs<'a> {
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    #[message(tag = 5)]
    Remove { name: &'a str },
    #[message(tag = 6, items = Change<'_>)]
    Watch { prefix: &'a str },
}

#[derive(Message)]
#[message(tag = 1)]
struct Blob<'a>(#[message(rest)] &'a [u8]);

#[derive(Message)]
enum Change<'a> {
    #[message(tag = 1)]
    Stored { name: &'a str, size: u64 },
    #[message(tag = 2)]
    Removed { name: &'a str },
}

#[derive(Message)]
#[message(tag = 1, extensible)]
struct Refused {
    why: String,
}

impl Refused {
    fn new(why: &str) -> Self {
        Self { why: why.into() }
    }
}

/// A store in which getting "slow" takes longer than any deadline.
#[derive(Default)]
struct Store(Mutex<State>);

/// A change: the name of a blob, and its size unless it was removed.
type Changed = (String, Option<u64>);

#[derive(Default)]
struct State {
    blobs: BTreeMap<String, Vec<u8>>,
    watchers: Vec<mpsc::Sender<Changed>>,
    /// The number of watches that have ended.
    ended: u64,
}

impl State {
    fn changed(&mut self, name: &str, size: Option<u64>) {
        self.watchers.retain(|watcher| watcher.send((name.into(), size)).is_ok());
    }
}

impl BlobsHandler for Store {
    fn put(&self, _: &Context, name: &str, content: &[u8]) -> Result<u64, Refused> {
        let mut state = self.0.lock().unwrap();
        if name == "too much" {
            return Err(Refused::new("full"));
        }
        state.blobs.insert(name.into(), content.into());
        state.changed(name, Some(content.len() as u64));
        Ok(content.len() as u64)
    }

    fn get(&self, cx: &Context, name: &str, to: Responder<BlobsGetAnswer<'static>>) {
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
        to.send(content.map(Blob).ok_or_else(|| Refused::new("not found"))).unwrap();
    }

    /// Reports the existing blobs, and then the changes.
    fn watch(&self, cx: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        let (watcher, changes) = mpsc::channel();
        {
            let mut state = self.0.lock().unwrap();
            for (name, content) in &state.blobs {
                watcher.send((name.clone(), Some(content.len() as u64))).unwrap();
            }
            state.watchers.push(watcher);
        }
        while !cx.is_cancelled() {
            let Ok((name, size)) = changes.recv_timeout(Duration::from_millis(5)) else {
                continue;
            };
            let change = match size {
                Some(size) => Change::Stored { name: &name, size },
                None => Change::Removed { name: &name },
            };
            if name.starts_with(prefix) && items.send(&change).is_err() {
                break;
            }
        }
        self.0.lock().unwrap().ended += 1;
    }

    fn remove(&self, _: &Context, name: &str) {
        let mut state = self.0.lock().unwrap();
        state.blobs.remove(name);
        state.changed(name, None);
    }
}

/// Runs `python` with the path of a server, and `arguments`. Returns its output.
fn run(mut python: Command, script: &str, arguments: &[&str]) -> String {
    let directory = Directory::new();
    let address = directory.address("blobs");
    let listener = Listener::bind(&address).unwrap();
    let server = Server::new(BlobsService(Store::default()));
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
    let (client, server) = (example("blobs_client.py"), example("sums_server.py"));
    let output = run(python, &client, &[&client, &server]);
    let len = |path: &String| std::fs::metadata(path).unwrap().len();
    let (first, second) = (len(&client), len(&server));
    assert_eq!(
        output,
        format!("blobs_client.py {first} {first}\nsums_server.py {second} {second}\n")
    );
}

/// Older than any Python that is likely to be here.
#[test]
fn the_python_runs_with_version_3_8() {
    let Some(mut python) = python() else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/calls/python/check_version.py");
    let files = ["blobs_client.py", "sums_server.py", "wire.py"].map(example);
    let output = python.arg(script).args(files).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A file that can be read at once.
#[test]
fn the_python_client_is_short() {
    let client = std::fs::read_to_string(example("blobs_client.py")).unwrap();
    assert!(client.lines().count() <= 150);
    assert!(client.lines().all(|line| line.chars().count() <= 100));
}
