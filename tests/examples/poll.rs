//! `poll`: many clients and one thread, whatever some of them send.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{Address, Connection, Limits, Message, RecvError, SendError, Wait};
use rustix::net::{SendFlags, send};

use crate::{Running, run};

#[derive(Message)]
enum Talk<'a> {
    #[message(tag = 1)]
    Text(#[message(rest)] &'a [u8]),
}

type Ours = Connection<Talk<'static>, Talk<'static>>;

fn poll() -> Command {
    Command::new(env!("CARGO_BIN_EXE_poll"))
}

fn server() -> (tempfile::TempDir, Address, Running) {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/poll.sock", directory.path().display());
    let server = Running::start(poll().args(["serve", &address]), "serving at");
    (directory, address.parse().unwrap(), server)
}

fn ask(ours: &mut Ours, text: &[u8]) {
    ours.send(&Talk::Text(text)).unwrap();
    expect(ours, text);
}

fn expect(ours: &mut Ours, text: &[u8]) {
    let frame = ours.recv().unwrap().expect("an answer");
    let Talk::Text(answer) = frame.decode().unwrap();
    assert!(answer == text.to_ascii_uppercase(), "{} bytes came back", answer.len());
}

#[test]
fn many_clients_are_served_at_once_with_large_frames_both_ways() {
    let (_directory, address, _server) = server();
    let address = address.to_string();
    let shout = |arguments: &[&str]| run(poll().args(["shout", &address]).args(arguments));
    let said = shout(&["--clients", "50", "--texts", "4", "--len", "1000000"]);
    assert_eq!(said, "50 clients sent 4 texts of 1000000 bytes each, and got them back\n");
    shout(&["--clients", "200", "--texts", "50", "--len", "10"]);
}

#[test]
fn answers_that_find_no_room_are_kept_and_others_are_served_meanwhile() {
    let (_directory, address, _server) = server();
    let mut slow = Ours::connect(&address).unwrap();
    // As many as there is room for in both directions, while the client reads no answers.
    let text = vec![b'x'; 300_000];
    let (mut sent, mut refused) = (0, 0);
    while refused < 30 {
        let soon = Instant::now() + Duration::from_millis(300);
        match slow.try_send(&Talk::Text(&text)) {
            Ok(_) => sent += 1,
            Err(SendError::WouldBlock { .. }) => {
                // After the server has started.
                refused += usize::from(sent >= 2);
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => panic!("{error:?}"),
        }
        // The server takes as many as it has room for, and then no more.
        if slow.tx.flush(Wait::Until(soon)).is_err() && sent >= 2 {
            break;
        }
        assert!(sent < 50, "the server keeps answers that nobody reads");
    }
    let mut other = Ours::connect(&address).unwrap();
    for len in [1, 1000, 2_000_000] {
        ask(&mut other, &vec![b'y'; len]);
    }
    let (mut tx, rx) = slow.split();
    let mut answers = rx;
    thread::scope(|scope| {
        scope.spawn(move || tx.flush(Wait::Block).unwrap());
        for _ in 0..sent {
            let frame = answers.recv().unwrap().expect("an answer");
            assert!(frame.bytes()[1..] == text.to_ascii_uppercase());
        }
    });
}

#[test]
fn hostile_frames_are_survived() {
    let (_directory, address, _server) = server();
    let mut honest = Ours::connect(&address).unwrap();
    let mut hostile = Ours::connect(&address).unwrap();
    let piece = [0, 1, 7, 0, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 7];
    let lie = [0, 4, 0, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0, 2, 1, 65, 9];
    let endless = [0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7];
    for datagram in [&[][..], &[9; 20], &[255], &[0], &piece, &[0, 9], &lie, &endless] {
        send(&hostile, datagram, SendFlags::empty()).unwrap();
        ask(&mut honest, b"still here");
    }
    // One frame of the bundle was good.
    expect(&mut hostile, b"a");
    // The connection stays in step.
    ask(&mut hostile, b"me too");
    // One client ends in the middle of a frame, and one does not read its answers.
    send(&hostile, &piece, SendFlags::empty()).unwrap();
    drop(hostile);
    let mut rude = Ours::connect(&address).unwrap();
    for _ in 0..10 {
        rude.send(&Talk::Text(b"never read")).unwrap();
    }
    drop(rude);
    ask(&mut honest, b"still here");
    honest.rx.set_limits(Limits::default().frame_len(10));
    honest.send(&Talk::Text(&[b'x'; 100])).unwrap();
    assert!(matches!(honest.recv(), Err(RecvError::TooLarge { len: 101, .. })));
}

#[test]
fn it_says_how_it_is_used() {
    let help = run(poll().arg0("poll").arg("--help"));
    for line in ["Usage: poll <COMMAND>", "Serves clients at ADDRESS", "Sends texts to the server"]
    {
        assert!(help.contains(line), "{help}");
    }
    let said = crate::fail(poll().args(["shout", "unix:@datagrammar-test-poll-nobody"]));
    assert!(said.contains("nobody listens at unix:@datagrammar-test-poll-nobody"), "{said}");
}
