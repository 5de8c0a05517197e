//! Who the peer is: whom a listener accepts, and what is left of a process that has ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use datagrammar::{Address, Connection, Listener, OpenError, Options, Policy, RecvError, Socket};
use datagrammar_tests::{Directory, Numbered, numbered, skipped};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// Starts a child that does `task` at `address`, says so, and stays until it is killed.
fn child(task: &str, address: &Address) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_child"))
        .args([task, &address.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "done\n");
    child
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[test]
fn h29_a_number_may_be_anybodys_and_a_pidfd_is_not() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind(&address).unwrap();
    let mut first = child("connect", &address);
    let peer = listener.accept().unwrap().peer().unwrap();
    let gid = rustix::process::getegid().as_raw();
    assert_eq!((peer.pid, peer.uid, peer.gid), (first.id(), uid(), gid));
    if peer.pidfd.is_none() {
        end(first);
        return skipped("SO_PEERPIDFD is not to be had (Linux 6.5)");
    }
    assert_eq!(peer.has_ended(), Some(false));
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(peer.has_ended(), Some(true));

    // The next process gets the same number.
    let mut recycled = None;
    for _ in 0..20 {
        if fs::write("/proc/sys/kernel/ns_last_pid", (peer.pid - 1).to_string()).is_err() {
            break;
        }
        let next = child("connect", &address);
        drop(listener.accept().unwrap());
        if next.id() == peer.pid {
            recycled = Some(next);
            break;
        }
        end(next);
    }
    match recycled {
        Some(next) => {
            assert_eq!(peer.has_ended(), Some(true));
            end(next);
        }
        None => skipped("numbers of processes cannot be chosen here (ns_last_pid)"),
    }
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn h28_a_listener_accepts_by_its_policy_before_anything_is_read() {
    let directory = Directory::new();
    let own = Policy::listed([uid()], []);
    let by_group = Policy::listed([], [rustix::process::getegid().as_raw()]);
    let by_function = Policy::by(|peer| peer.pid == std::process::id());
    for (policy, number) in
        [Policy::anyone(), Policy::same_user(), own, by_group, by_function].into_iter().zip(0..)
    {
        let address = directory.address(&format!("yes{number}"));
        let listener = OurListener::bind_with(&address, &Options::new().policy(policy)).unwrap();
        let mut client = Ours::connect(&address).unwrap();
        let mut server = listener.accept().unwrap();
        numbered(1, 10, |frame| client.send(frame)).unwrap();
        assert_eq!(server.recv().unwrap().unwrap().decode().unwrap().check(), 1);
        assert_eq!(listener.rejected(), 0);
    }
    for (policy, number) in
        [Policy::listed([uid() + 1], [u32::MAX]), Policy::listed([], []), Policy::by(|_| false)]
            .into_iter()
            .zip(0..)
    {
        let address = directory.address(&format!("no{number}"));
        let listener = OurListener::bind_with(&address, &Options::new().policy(policy)).unwrap();
        let mut clients = [Ours::connect(&address).unwrap(), Ours::connect(&address).unwrap()];
        numbered(1, 10, |frame| clients[0].send(frame)).unwrap();
        assert!(matches!(listener.try_accept(), Err(OpenError::WouldBlock)));
        assert_eq!(listener.rejected(), 2);
        for client in &mut clients {
            match client.recv() {
                Ok(None) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn who_cannot_be_known_is_not_asked_for() {
    let options = Options::new().policy(Policy::same_user());
    let error = OurListener::bind_with(&Address::vsock(1, 9999), &options).unwrap_err();
    assert!(matches!(error, OpenError::WrongFamily { .. } | OpenError::Unsupported { .. }));
    let udp = "udp:127.0.0.1:0".parse().unwrap();
    let options = Options::new().identify_senders();
    let error = Socket::<Numbered<'_>, Numbered<'_>>::bind_with(&udp, &options).unwrap_err();
    assert!(matches!(error, OpenError::WrongFamily { .. }), "{error:?}");
}

#[test]
fn each_frame_on_a_unix_datagram_socket_says_who_sent_it() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let options = Options::new().identify_senders();
    let mut ours = Socket::<Numbered<'_>, Numbered<'_>>::bind_with(&address, &options).unwrap();
    let children = [child("send-one", &address), child("send-one", &address)];
    for child in &children {
        let (frame, _) = ours.recv_from().unwrap();
        let sender = frame.sender().expect("a sender");
        assert_eq!((sender.pid, sender.uid), (child.id(), uid()));
        assert_ne!(sender.has_ended(), Some(true));
        assert_eq!(frame.decode().unwrap().check(), u64::from(child.id()));
    }
    // A large one comes as memory, and has a sender too.
    numbered(1, 1_000_000, |frame| {
        Socket::<Numbered<'_>, Numbered<'_>>::unbound(&address).unwrap().send_to(frame, &address)
    })
    .unwrap();
    let (frame, _) = ours.recv_from().unwrap();
    assert_eq!(frame.sender().map(|sender| sender.pid), Some(std::process::id()));
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    children.into_iter().for_each(end);
}
