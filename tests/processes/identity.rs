//! The identity of peers: which clients a listener accepts, and the identity of a process that has ended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::thread;

use datagrammar::{
    AcceptError, Address, Connection, Listener, OpenError, Options, Policy, RecvError, Socket,
};
use datagrammar_tests::{Directory, Numbered, child, numbered, skipped};
use rustix::process::Gid;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// Starts a child that runs `task` at `address`, reports it, and stays until it is killed.
fn child(task: &str, address: &Address) -> Child {
    let mut child = Command::new(child!())
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

    // The next process gets the same process id.
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
        assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
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
fn h28_a_policy_counts_supplementary_groups() {
    // More groups than the kernel returns for a short buffer.
    let groups: Vec<u32> = (100_000..100_100).collect();
    let directory = Directory::new();
    let policies = [
        (Policy::listed([], [100_099]), true),
        (Policy::by(|peer| peer.groups.iter().copied().eq(100_000..100_100)), true),
        (Policy::listed([], [100_100]), false),
    ];
    for ((policy, admits), number) in policies.into_iter().zip(0..) {
        let address = directory.address(&format!("socket{number}"));
        let listener = OurListener::bind_with(&address, &Options::new().policy(policy)).unwrap();
        let client = thread::scope(|scope| {
            let connecting = scope.spawn(|| {
                let groups: Vec<_> = groups.iter().map(|&group| Gid::from_raw(group)).collect();
                // Only of this thread.
                rustix::thread::set_thread_groups(&groups).ok()?;
                Some(Ours::connect(&address).unwrap())
            });
            connecting.join().unwrap()
        });
        let Some(client) = client else {
            return skipped("groups cannot be chosen here");
        };
        match listener.try_accept() {
            Ok(server) => {
                assert!(admits);
                assert_eq!(server.peer().unwrap().groups, groups);
                // The listener's identity, on the other side.
                let own = rustix::process::getgroups().unwrap();
                let own: Vec<_> = own.into_iter().map(Gid::as_raw).collect();
                assert_eq!(client.peer().unwrap().groups, own);
            }
            Err(AcceptError::WouldBlock) => assert!(!admits),
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_adopted_socket_says_who_sent_as_its_options_or_its_maker_asked() {
    type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;
    let directory = Directory::new();
    let bind = |name: &str| {
        let address = directory.address(name);
        (UnixDatagram::bind(address.as_pathname().unwrap()).unwrap(), address)
    };
    let options = Options::new().identify_senders();
    let (by_option, one) = bind("option");
    let (by_maker, other) = bind("maker");
    rustix::net::sockopt::set_socket_passcred(&by_maker, true).unwrap();
    let (silent, third) = bind("silent");
    for (mut ours, to, identified) in [
        (OursAlone::adopt_with(by_option.into(), &options).unwrap(), one, true),
        (OursAlone::adopt(by_maker.into()).unwrap(), other, true),
        (OursAlone::adopt(silent.into()).unwrap(), third, false),
    ] {
        let child = child("send-one", &to);
        let (frame, _) = ours.recv_from().unwrap();
        assert_eq!(frame.sender().is_some(), identified);
        if let Some(sender) = frame.sender() {
            assert_eq!((sender.pid, sender.uid), (child.id(), uid()));
            assert!(sender.groups.is_empty());
        }
        end(child);
    }
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let error = OursAlone::adopt_with(udp.into(), &options).unwrap_err();
    assert!(matches!(error, OpenError::WrongFamily { .. }), "{error:?}");
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
    // A large frame travels in memory, and has a sender too.
    numbered(1, 1_000_000, |frame| {
        Socket::<Numbered<'_>, Numbered<'_>>::unbound(&address).unwrap().send_to(frame, &address)
    })
    .unwrap();
    let (frame, _) = ours.recv_from().unwrap();
    assert_eq!(frame.sender().map(|sender| sender.pid), Some(std::process::id()));
    assert!(matches!(ours.try_recv_from(), Err(RecvError::WouldBlock)));
    children.into_iter().for_each(end);
}
