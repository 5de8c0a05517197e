//! `blobs`: the demonstration, and the client and server by hand.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use datagrammar::{Listener, Message, Unknown};

use crate::{Running, fail, run};

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
        "direction        message  tag  frame bytes  subject\n",
        "client -> server Put        1 ",
        "server -> client Stored     1 ",
        "client -> server Get        2 ",
        "server -> client Blob       2 ",
        "\n8 files, 18326039 bytes: sent, asked back, and all digests are equal\n",
        "client -> server: 16 frames, ",
        "server -> client: 16 frames, ",
        "largest 17825803\n",
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
            row.split_whitespace().skip(4).take(2).map(|number| number.parse().unwrap()).collect();
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
    assert_eq!(said, format!("Error: nobody listens at {address}\n"));

    let server = Running::start(blobs().args(["serve", &address]), "serving at");
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
    let said = fail(&mut client(&["import", "inner"]));
    assert!(said.contains("only regular files can be imported"), "{said}");
    let said = fail(blobs().args(["serve", &address]));
    assert!(said.starts_with(&format!("Error: {address} is in use: ")), "{said}");
    drop(server);
    let said = fail(&mut client(&["list"]));
    assert!(said.contains("nobody listens at"), "{said}");
    // The path of the server that was killed is taken over.
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

#[derive(Message)]
enum Asked<'a> {
    #[message(other)]
    Anything(Unknown<'a>),
}

#[derive(Message)]
enum Refusal<'a> {
    #[message(tag = 5)]
    Refused { why: &'a str },
}

#[test]
fn what_a_server_says_does_not_command_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "content").unwrap();
    let address = format!("unix:{}/hostile.sock", directory.path().display());
    let listener = Listener::<Refusal<'_>, Asked<'_>>::bind(&address.parse().unwrap()).unwrap();
    // By itself, and not joined: the test does not wait for it where a client does not come.
    thread::spawn(move || {
        loop {
            let (mut tx, mut rx) = listener.accept().unwrap().split();
            rx.recv().unwrap().expect("a request");
            let why = "\u{1b}]0;title\u{7}\u{1b}[31m \"red\", it's\rsaid \u{9b}2J\u{202e}";
            tx.send(&Refusal::Refused { why }).unwrap();
        }
    });
    for command in ["get", "put"] {
        let mut client = blobs();
        client.current_dir(directory.path()).args([command, &address, "file"]);
        let said = fail(&mut client);
        let kept = |next: char| next == '\n' || !next.is_control() && next != '\u{202e}';
        assert!(said.chars().all(kept), "{command}: {said:?}");
        assert!(said.contains(r#"\u{1b}[31m "red", it's\rsaid \u{9b}2J\u{202e}"#), "{said}");
    }
}
