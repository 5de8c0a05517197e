//! `blobs`: the demonstration, and the client and server run by hand.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use datagrammar::calls::{Context, Server};
use datagrammar::{Listener, Message, Protocol};

use crate::{Running, fail, python, run};

fn blobs() -> Command {
    Command::new(env!("CARGO_BIN_EXE_blobs"))
}

/// A directory with files of many sizes, two of them larger than a datagram can be.
fn files(directory: &Path) {
    let write = |name: &str, len: usize| {
        let content: Vec<u8> = (0..len).map(|at| (at * 31 % 251) as u8).collect();
        fs::write(directory.join(name), content).unwrap();
    };
    for (name, len) in [
        ("empty", 0),
        ("one", 1),
        (".hidden", 250),
        ("page", 4096),
        ("below", 212_900),
        ("above", 213_000),
        ("huge", 17 * 1024 * 1024),
    ] {
        write(name, len);
    }
    fs::create_dir(directory.join("inner")).unwrap();
    write("inner/name with spaces \u{e9}", 70_000);
    std::os::unix::fs::symlink("one", directory.join("link")).unwrap();
}

#[test]
fn the_demonstration_sends_every_file_there_and_back() {
    let directory = tempfile::tempdir().unwrap();
    files(directory.path());
    let output = run(blobs().current_dir(directory.path()));
    for expected in [
        "direction        message    tag  frame bytes  subject\n",
        "client -> server Put          1 ",
        "server -> client Put reply    1 ",
        "client -> server Get          2 ",
        "server -> client Get reply    1 ",
        // The head of a call has 14 bytes.
        "client -> server Put          1           20  one\n",
        "server -> client Put reply    1           16  one\n",
        "client -> server Get          2           19  one\n",
        "server -> client Get reply    1           17  one\n",
        "\n8 files, 18326039 bytes: sent, asked back, and all digests are equal\n",
        "client -> server: 16 frames, ",
        "server -> client: 16 frames, ",
        "largest 17825812\n",
        "smallest ",
        "peak memory: client ",
    ] {
        assert!(output.contains(expected), "no {expected:?} in:\n{output}");
    }
    // One row for each frame, with its length.
    let rows: Vec<&str> =
        output.lines().filter(|line| line.contains(" -> ") && !line.contains(':')).collect();
    assert_eq!(rows.len(), 32, "{output}");
    for row in rows {
        let numbers: Vec<usize> =
            row.split_whitespace().filter_map(|number| number.parse().ok()).take(2).collect();
        let [_tag, frame] = numbers[..] else { panic!("{row}") };
        assert!(0 < frame, "{row}");
    }
}

#[test]
fn the_demonstration_leaves_out_what_git_ignores_unless_asked() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join(".gitignore"), "/ignored\n").unwrap();
    fs::write(directory.path().join("ignored"), "content").unwrap();
    let files = |arguments: &[&str]| {
        let output = run(blobs().current_dir(directory.path()).arg("--quiet").args(arguments));
        assert!(!output.contains(" -> server Put"), "not quiet:\n{output}");
        output.lines().find(|line| line.contains(" files, ")).unwrap().to_owned()
    };
    fs::write(directory.path().join(".git/HEAD"), "head").unwrap();
    assert!(files(&[]).starts_with("1 files, 9 bytes"));
    assert!(files(&["--all"]).starts_with("3 files, 20 bytes"));
}

#[test]
fn client_and_server_by_hand() {
    let directory = tempfile::tempdir().unwrap();
    files(directory.path());
    let address = format!("unix:{}/blobs.sock", directory.path().display());
    let client = |arguments: &[&str]| {
        let mut command = blobs();
        command.current_dir(directory.path()).arg(arguments[0]).arg(&address).args(&arguments[1..]);
        command
    };
    let said = fail(&mut client(&["list"]));
    let expected =
        format!("Error: nobody listens at {address}: start the server, or check the address\n");
    assert_eq!(said, expected);

    let server = Running::start(blobs().args(["serve", &address, "--quiet"]), "serving at");
    let stored = run(&mut client(&["put", "one", "page", "below"]));
    assert_eq!(
        stored,
        "stored one, 1 bytes\nstored page, 4096 bytes\nstored below, 212900 bytes\n"
    );
    let listed = run(&mut client(&["list"]));
    assert_eq!(listed, "     212900  below\n          1  one\n       4096  page\n");
    let got = client(&["get", "below", "one"]).output().unwrap();
    let expected = [
        fs::read(directory.path().join("below")).unwrap(),
        fs::read(directory.path().join("one")).unwrap(),
    ];
    assert!(got.stdout == expected.concat(), "other content came back");

    let said = fail(&mut client(&["get", "nothing"]));
    assert!(said.contains("there is no blob \"nothing\""), "{said}");
    // Larger than a datagram, and as an open file.
    assert_eq!(run(&mut client(&["put", "huge"])), "stored huge, 17825792 bytes\n");
    assert_eq!(
        run(&mut client(&["import", "above", "empty"])),
        "imported above, 213000 bytes\nimported empty, 0 bytes\n"
    );
    for name in ["huge", "above"] {
        let got = client(&["get", name]).output().unwrap();
        assert!(got.stdout == fs::read(directory.path().join(name)).unwrap(), "{name} differs");
    }
    // Shows changes until the watcher has seen both. The watcher begins some time after it is started. A removal has no
    // answer, and may come later than a blob that another client stores after it.
    let mut watcher =
        client(&["watch", "p"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines().map(Result::unwrap);
    let seen = thread::spawn(move || {
        assert!(lines.any(|line| line == "stored page, 4096 bytes"));
        assert!(lines.any(|line| line == "removed page"));
    });
    while !seen.is_finished() {
        assert_eq!(run(&mut client(&["remove", "one", "page", "nothing"])), "");
        run(&mut client(&["put", "page", "one"]));
    }
    seen.join().unwrap();
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    run(&mut client(&["remove", "one"]));
    while run(&mut client(&["list"])).contains("one") {
        thread::yield_now();
    }
    let said = fail(&mut client(&["get", "one"]));
    assert!(said.contains("there is no blob \"one\""), "{said}");
    let said = fail(&mut client(&["import", "inner"]));
    assert!(said.contains("only regular files can be imported"), "{said}");
    let said = fail(blobs().args(["serve", &address]));
    assert!(said.starts_with(&format!("Error: {address} is in use: ")), "{said}");
    drop(server);
    let said = fail(&mut client(&["list"]));
    assert!(said.contains("nobody listens at"), "{said}");
    // The server takes over the path of the killed server.
    drop(Running::start(blobs().args(["serve", &address]), "serving at"));
}

#[test]
fn mistakes_are_named() {
    let said = fail(blobs().args(["serve", "tcp:127.0.0.1:80"]));
    assert!(said.contains("expected `unix:/path`, `unix:@abstract`"), "{said}");
    let said = fail(blobs().args(["serve", "udp:127.0.0.1:0"]));
    assert!(said.contains("expected a `unix:` or `vsock:` address"), "{said}");
    let said = fail(blobs().args(["list", &format!("unix:{}", env!("CARGO_BIN_EXE_blobs"))]));
    assert!(said.contains("is a regular file, not a socket"), "{said}");
}

/// The calls of `blobs` that a hostile server answers.
#[derive(Message, Protocol)]
enum Hostile<'a> {
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2, reply = Result<u64, Refused>)]
    Get { name: &'a str },
}

#[derive(Message)]
#[message(tag = 1)]
struct Refused {
    why: String,
}

impl Refused {
    fn new() -> Self {
        let why = "\u{1b}]0;title\u{7}\u{1b}[31m \"red\", it's\rsaid \u{9b}2J\u{202e}";
        Self { why: why.to_owned() }
    }
}

struct Handler;

impl HostileHandler for Handler {
    fn put(&self, _cx: &Context, _name: &str, _content: &[u8]) -> Result<u64, Refused> {
        Err(Refused::new())
    }

    fn get(&self, _cx: &Context, _name: &str) -> Result<u64, Refused> {
        Err(Refused::new())
    }
}

#[test]
fn what_a_server_says_does_not_command_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "content").unwrap();
    let address = format!("unix:{}/hostile.sock", directory.path().display());
    let listener = Listener::bind(&address.parse().unwrap()).unwrap();
    // This thread is not joined: it serves until the tests end.
    thread::spawn(move || Server::new(HostileService(Handler)).run(&listener));
    for command in ["get", "put"] {
        let mut client = blobs();
        client.current_dir(directory.path()).args([command, &address, "file"]);
        let said = fail(&mut client);
        let kept = |next: char| next == '\n' || !next.is_control() && next != '\u{202e}';
        assert!(said.chars().all(kept), "{command}: {said:?}");
        assert!(said.contains(r#"\u{1b}[31m "red", it's\rsaid \u{9b}2J\u{202e}"#), "{said}");
    }
}

#[test]
fn the_server_answers_the_python_client() {
    let Some(mut python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    files(directory.path());
    let socket = directory.path().join("socket");
    let address = format!("unix:{}", socket.display());
    let serving = Running::start(blobs().args(["serve", &address, "--quiet"]), "serving at");
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/python/blobs_client.py");
    let names = ["empty", "one", "above", "huge"].map(|name| directory.path().join(name));
    let output = run(python.arg(client).arg(&socket).args(&names));
    let expected = "empty 0 0\none 1 1\nabove 213000 213000\nhuge 17825792 17825792\n";
    assert_eq!(output, expected);
    drop(serving);
}
