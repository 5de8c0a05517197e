//! Listeners: how accepting ends, and descriptors that outlive them.

use std::fs::{self, File};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{AcceptError, Address, Connection, Listener, OpenError};
use datagrammar_tests::{Directory, Numbered, numbered, skipped};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;

/// A listener of each family that this machine has.
fn listeners(directory: &Directory) -> Vec<OurListener> {
    let name = format!("unix:@datagrammar-test-{}-{}", std::process::id(), line!());
    let unix = [directory.address("socket"), name.parse().unwrap()];
    let mut listeners: Vec<_> =
        unix.iter().map(|address| OurListener::bind(address).unwrap()).collect();
    // Any CID and any port: a listener without clients needs no transport.
    match OurListener::bind(&Address::vsock(u32::MAX, u32::MAX)) {
        Ok(listener) => listeners.push(listener),
        Err(error) => skipped(format!("no AF_VSOCK here: {error}")),
    }
    listeners
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

#[test]
fn a_shutdown_ends_accepts_of_every_thread_and_later_ones() {
    for listener in listeners(&Directory::new()) {
        thread::scope(|scope| {
            let accepts: Vec<_> = (0..4)
                .map(|number| {
                    let listener = &listener;
                    scope.spawn(move || match number % 2 {
                        0 => listener.accept(),
                        _ => listener.accept_deadline(far()),
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(50));
            listener.shutdown().unwrap();
            for accept in accepts {
                let error = accept.join().unwrap().unwrap_err();
                assert!(matches!(error, AcceptError::Shutdown), "{error:?}");
                assert!(error.is_fatal());
            }
        });
        for accept in
            [listener.accept(), listener.try_accept(), listener.accept_deadline(Instant::now())]
        {
            assert!(matches!(accept, Err(AcceptError::Shutdown)), "{accept:?}");
        }
        listener.shutdown().unwrap();
    }
}

#[test]
fn clients_who_connected_before_a_shutdown_are_accepted_and_later_ones_refused() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind(&address).unwrap();
    let mut clients: Vec<_> = (0..3).map(|_| Ours::connect(&address).unwrap()).collect();
    listener.shutdown().unwrap();
    assert!(matches!(Ours::connect(&address), Err(OpenError::Refused { .. })));
    for (client, number) in clients.iter_mut().zip(0..) {
        let mut server = match number % 3 {
            0 => listener.accept(),
            1 => listener.try_accept(),
            _ => listener.accept_deadline(far()),
        }
        .unwrap();
        numbered(number, 10, |frame| client.send(frame)).unwrap();
        assert_eq!(server.recv().unwrap().expect("a frame").decode().unwrap().check(), number);
    }
    assert!(matches!(listener.accept(), Err(AcceptError::Shutdown)));
}

#[test]
fn clients_who_come_after_a_shutdown_are_not_accepted_over_vsock() {
    let listener = match OurListener::bind(&Address::vsock(1, u32::MAX)) {
        Ok(listener) => listener,
        Err(error) => return skipped(format!("no vsock loopback here: {error}")),
    };
    let address = listener.local_addr().unwrap();
    let _before = Ours::connect(&address).unwrap();
    listener.shutdown().unwrap();
    listener.accept().unwrap();
    assert!(matches!(listener.accept(), Err(AcceptError::Shutdown)));
    // The kernel admits this client to the backlog.
    let _after = Ours::connect(&address).unwrap();
    assert!(matches!(listener.try_accept(), Err(AcceptError::Shutdown)));
}

#[test]
fn a_shutdown_by_another_holder_ends_accepts_too() {
    for how in [rustix::net::Shutdown::Both, rustix::net::Shutdown::Read] {
        let directory = Directory::new();
        let listener = OurListener::bind(&directory.address("socket")).unwrap();
        let other = listener.as_fd().try_clone_to_owned().unwrap();
        thread::scope(|scope| {
            let accept = scope.spawn(|| listener.accept());
            thread::sleep(Duration::from_millis(50));
            rustix::net::shutdown(&other, how).unwrap();
            let error = accept.join().unwrap().unwrap_err();
            assert!(matches!(error, AcceptError::Shutdown), "{error:?}");
        });
        assert!(matches!(listener.try_accept(), Err(AcceptError::Shutdown)));
        // Another holder makes the listener blocking: then the kernel returns EINVAL.
        rustix::io::ioctl_fionbio(&other, false).unwrap();
        let adopted = OurListener::adopt(other).unwrap();
        rustix::io::ioctl_fionbio(&adopted, false).unwrap();
        assert!(matches!(adopted.accept(), Err(AcceptError::Shutdown)));
    }
}

#[test]
fn a_descriptor_that_outlives_its_listener_keeps_the_path() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let files = || {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let listener = OurListener::bind(&address).unwrap();
    assert_eq!(files(), ["socket", "socket.lock"]);
    let number = listener.as_raw_fd();
    assert_eq!(number, listener.as_fd().as_raw_fd());
    let fd = listener.into_fd();
    assert_eq!(fd.as_raw_fd(), number);
    assert_eq!(files(), ["socket", "socket.lock"]);

    // The lock is released, but the path is still safe.
    let lock = File::open(directory.path().join("socket.lock")).unwrap();
    lock.try_lock().unwrap();
    drop(lock);
    assert!(matches!(OurListener::bind(&address), Err(OpenError::InUse { .. })));
    assert_eq!(files(), ["socket"]);

    let listener = OurListener::adopt(fd).unwrap();
    let _client = Ours::connect(&address).unwrap();
    listener.accept().unwrap();
    drop(listener);
    assert_eq!(files(), ["socket"]);

    // The path belongs to the next server.
    drop(OurListener::bind(&address).unwrap());
    assert!(files().is_empty());
}

#[test]
fn an_adopted_listener_keeps_the_flags_of_its_other_holders() {
    let fd = OurListener::bind(&Directory::new().address("socket")).unwrap().into_fd();
    // SAFETY: fcntl(2) takes numbers here, and the descriptor is open.
    assert_eq!(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_ASYNC) }, 0);
    let listener = OurListener::adopt(fd).unwrap();
    // SAFETY: as above.
    let flags = unsafe { libc::fcntl(listener.as_raw_fd(), libc::F_GETFL) };
    assert_eq!(flags & (libc::O_ASYNC | libc::O_NONBLOCK), libc::O_ASYNC | libc::O_NONBLOCK);
}
