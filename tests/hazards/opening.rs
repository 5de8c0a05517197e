//! Opening: full backlogs, paths that are stale, in use or contended, and names that anybody can take.

use std::env::consts::ARCH;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{AcceptError, Address, Connection, Listener, OpenError, Options, Policy, Socket};
use datagrammar_tests::{Directory, Numbered, backlog, is_awaited, numbered, skipped};
use rustix::net::SocketType;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Runs `call` in a thread whose system calls `refused` fail with `errno`. If `argument` is given, they fail only if it
/// is their first argument.
fn refusing<T: Send>(
    refused: &[i64],
    argument: Option<i32>,
    errno: i32,
    call: impl FnOnce() -> T + Send,
) -> T {
    let rules = argument.map(|argument| {
        let value = u64::from(argument.cast_unsigned());
        let is = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
        SeccompRule::new(vec![is.unwrap()]).unwrap()
    });
    let filter = SeccompFilter::new(
        refused.iter().map(|&number| (number, rules.iter().cloned().collect())).collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.cast_unsigned()),
        ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    thread::scope(|scope| {
        let call = scope.spawn(move || {
            seccompiler::apply_filter(&program).unwrap();
            call()
        });
        call.join().unwrap()
    })
}

/// Runs `call` in a thread of a user without privileges. Returns `None` if this process cannot become that user.
fn unprivileged<T: Send>(call: impl FnOnce() -> T + Send) -> Option<T> {
    const NOBODY: u32 = 65_534;
    thread::scope(|scope| {
        let call = scope.spawn(move || {
            let nobody = rustix::process::Uid::from_raw(NOBODY);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).is_ok().then(call)
        });
        call.join().unwrap()
    })
}

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OurListener = Listener<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

#[test]
fn h25_without_a_descriptor_the_client_stays_in_the_backlog() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind(&address).unwrap();
    let mut client = Ours::connect(&address).unwrap();
    for errno in [libc::EMFILE, libc::ENFILE, libc::ENOMEM] {
        let accept = || match is_awaited() {
            // There, a waiting accept also waits for descriptors.
            true => listener.try_accept(),
            false => listener.accept(),
        };
        let error = refusing(&[libc::SYS_accept4], None, errno, || accept().unwrap_err());
        match &error {
            AcceptError::Exhausted(source) => assert_eq!(source.raw_os_error(), Some(errno)),
            other => panic!("{other:?}"),
        }
        assert!(!error.is_fatal());
    }
    let mut server = listener.accept().unwrap();
    numbered(1, 10, |frame| client.send(frame)).unwrap();
    assert_eq!(server.recv().unwrap().expect("a frame").decode().unwrap().check(), 1);
}

#[test]
fn h26_a_full_backlog_is_waited_for_until_the_deadline() {
    let address = Directory::new().address("socket");
    // The directory is gone, so the path does not exist.
    assert!(matches!(Ours::connect(&address), Err(OpenError::Refused { .. })));

    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = OurListener::bind_with(&address, &Options::new().backlog(0)).unwrap();
    let waiting = Ours::connect(&address).unwrap();

    let begun = Instant::now();
    let options = Options::new().deadline(begun + Duration::from_millis(100));
    let full = Ours::connect_with(&address, &options).unwrap_err();
    assert!(matches!(full, OpenError::TimedOut { .. }), "{full:?}");
    assert!(begun.elapsed() >= Duration::from_millis(100));

    let late = thread::spawn(move || {
        let options = Options::new().deadline(Instant::now() + Duration::from_secs(30));
        let mut late = Ours::connect_with(&address, &options).unwrap();
        // The deadline applied only to connecting.
        assert_eq!(late.recv().unwrap().expect("a frame").decode().unwrap().check(), 2);
    });
    thread::sleep(Duration::from_millis(50));
    drop(listener.accept().unwrap());
    let mut second = listener.accept().unwrap();
    thread::sleep(Duration::from_millis(50));
    numbered(2, 10, |frame| second.send(frame)).unwrap();
    late.join().unwrap();
    drop(waiting);
}

#[test]
fn h27_a_living_socket_keeps_its_path_whichever_process_made_it() {
    let directory = Directory::new();
    let address = directory.address("socket");
    // A socket of another program: without a lock file, and of another type.
    let foreign = std::os::unix::net::UnixListener::bind(address.as_pathname().unwrap()).unwrap();
    assert!(matches!(OurListener::bind(&address), Err(OpenError::InUse { .. })));
    assert!(matches!(OursAlone::bind(&address), Err(OpenError::InUse { .. })));
    drop(foreign);
    // The socket is dead now: both kinds take its path over.
    drop(OurListener::bind(&address).unwrap());
    let foreign = std::os::unix::net::UnixDatagram::bind(address.as_pathname().unwrap()).unwrap();
    assert!(matches!(OurListener::bind(&address), Err(OpenError::InUse { .. })));
    drop(foreign);
    drop(OursAlone::bind(&address).unwrap());
}

#[test]
fn h27_what_is_not_a_socket_is_neither_removed_nor_followed() {
    let directory = Directory::new();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "precious").unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink(at("file"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    let living = OurListener::bind(&directory.address("living")).unwrap();
    symlink(at("living"), at("link-to-living")).unwrap();

    for (name, what) in [
        ("file", "a regular file"),
        ("directory", "a directory"),
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("link-to-living", "a symbolic link"),
    ] {
        for error in [
            OurListener::bind(&directory.address(name)).unwrap_err(),
            OursAlone::bind(&directory.address(name)).unwrap_err(),
        ] {
            match &error {
                OpenError::NotASocket { path, found } => {
                    assert_eq!((path, *found), (&at(name), what));
                }
                other => panic!("{name}: {other:?}"),
            }
            assert!(error.to_string().contains(&format!("{name} is {what}, not a socket")));
        }
    }
    assert_eq!(fs::read_to_string(at("file")).unwrap(), "precious");
    assert!(fs::symlink_metadata(at("dangling")).unwrap().is_symlink());
    assert!(!at("nowhere").exists());

    // Connecting to such a file also says what it is.
    match Ours::connect(&directory.address("file")) {
        Err(OpenError::NotASocket { found: "a regular file", .. }) => {}
        other => panic!("{other:?}"),
    }
    drop(living);
}

#[test]
fn h27_a_file_with_the_name_of_the_lock_is_left_alone() {
    let directory = Directory::new();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("cargo.lock"), "precious").unwrap();
    fs::create_dir(at("directory.lock")).unwrap();
    symlink(at("nowhere"), at("link.lock")).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo.lock"), rustix::fs::FileType::Fifo, mode, 0)
        .unwrap();

    for (name, what) in [
        ("cargo", "a file that is not empty"),
        ("directory", "a directory"),
        ("link", "a symbolic link"),
        ("fifo", "a FIFO"),
    ] {
        for error in [
            OurListener::bind(&directory.address(name)).unwrap_err(),
            OursAlone::bind(&directory.address(name)).unwrap_err(),
        ] {
            match error {
                OpenError::NotALock { path, found } => {
                    assert_eq!((path, found), (at(&format!("{name}.lock")), what));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(fs::symlink_metadata(at(&format!("{name}.lock"))).is_ok());
    }
    assert_eq!(fs::read_to_string(at("cargo.lock")).unwrap(), "precious");
    assert!(!at("nowhere").exists());
    // The path of a killed server is taken over.
    fs::write(at("socket.lock"), "").unwrap();
    drop(OurListener::bind(&directory.address("socket")).unwrap());
    assert!(!at("socket.lock").exists());
}

#[test]
fn h27_a_socket_that_does_not_listen_yet_is_alive() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    let family = rustix::net::AddressFamily::UNIX;
    for kind in [SocketType::SEQPACKET, SocketType::STREAM, SocketType::DGRAM] {
        let foreign = rustix::net::socket(family, kind, None).unwrap();
        rustix::net::bind(&foreign, &rustix::net::SocketAddrUnix::new(path).unwrap()).unwrap();
        let inode = fs::metadata(path).unwrap().ino();
        assert!(matches!(OurListener::bind(&address), Err(OpenError::InUse { .. })));
        assert!(matches!(OursAlone::bind(&address), Err(OpenError::InUse { .. })));
        assert_eq!(fs::metadata(path).unwrap().ino(), inode);
        drop(foreign);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn h27_what_a_killed_server_left_half_done_is_no_obstacle() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    drop(std::os::unix::net::UnixDatagram::bind(path).unwrap());
    for tries in 0..3 {
        let name = format!("socket.{}.{tries}.dead", std::process::id());
        fs::write(directory.path().join(name), "").unwrap();
    }
    OurListener::bind(&address).unwrap();
}

#[test]
fn h27_a_path_is_private_unless_asked_otherwise() {
    let directory = Directory::new();
    let listener = OurListener::bind(&directory.address("private")).unwrap();
    let mode = |name: &str| {
        fs::metadata(directory.path().join(name)).unwrap().permissions().mode() & 0o7777
    };
    assert_eq!(mode("private"), 0o600);
    drop(listener);
}

#[test]
fn h27_a_private_path_says_who_may_connect() {
    let directory = Directory::new();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let address = directory.address("private");
    let _listener = OurListener::bind(&address).unwrap();
    let Some(error) = unprivileged(|| Ours::connect(&address).unwrap_err()) else {
        return skipped("there are no privileges to give up");
    };
    let text = format!(
        "connecting to {address}, which needs write permission on the path (see the server's Options::mode), failed"
    );
    assert_eq!(error.to_string(), text);
    assert!(
        matches!(error, OpenError::Io { source, .. } if source.raw_os_error() == Some(libc::EACCES))
    );
}

#[test]
fn h27_a_path_that_another_server_has_by_now_is_not_removed() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    let listener = OurListener::bind(&address).unwrap();
    // A program that does not use the lock replaces the socket.
    fs::remove_file(path).unwrap();
    let _foreign = std::os::unix::net::UnixListener::bind(path).unwrap();
    let inode = fs::metadata(path).unwrap().ino();
    drop(listener);
    assert_eq!(fs::metadata(path).unwrap().ino(), inode);
}

#[test]
fn h27_a_socket_that_may_not_be_probed_is_not_said_to_be_in_use() {
    let directory = Directory::new();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    drop(std::os::unix::net::UnixDatagram::bind(path).unwrap());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let Some(error) = unprivileged(|| OurListener::bind(&address).unwrap_err()) else {
        return skipped("there are no privileges to give up");
    };
    assert!(matches!(&error, OpenError::NotProbed { path: found } if found == path), "{error:?}");
    let text = format!("{} is a socket that this process may not connect to", path.display());
    assert!(error.to_string().starts_with(&text), "{error}");
    assert!(fs::symlink_metadata(path).is_ok());
}

#[test]
fn h27_a_dead_socket_makes_way_where_nothing_can_be_renamed_without_replacing() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let path = address.as_pathname().unwrap();
    for errno in [libc::EINVAL, libc::ENOSYS] {
        drop(std::os::unix::net::UnixDatagram::bind(path).unwrap());
        refusing(&[libc::SYS_renameat2], None, errno, || {
            drop(OurListener::bind(&address).unwrap());
        });
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
    // A live socket keeps its path there, too.
    let _foreign = std::os::unix::net::UnixListener::bind(path).unwrap();
    let error =
        refusing(&[libc::SYS_renameat2], None, libc::EINVAL, || OurListener::bind(&address));
    assert!(matches!(error, Err(OpenError::InUse { .. })), "{error:?}");
}

#[test]
fn h27_a_path_whose_mode_cannot_be_set_does_not_stay() {
    let directory = Directory::new();
    let address = directory.address("socket");
    // The C library falls back from one of these calls to the other.
    #[cfg(target_arch = "x86_64")]
    let chmods = &[libc::SYS_chmod, libc::SYS_fchmodat, libc::SYS_fchmodat2];
    #[cfg(not(target_arch = "x86_64"))]
    let chmods = &[libc::SYS_fchmodat, libc::SYS_fchmodat2];
    let error = refusing(chmods, None, libc::EPERM, || {
        // SAFETY: unshare(2) takes flags. From here on, this thread has a umask of its own.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_FS) }, 0);
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
        OurListener::bind_with(&address, &Options::new().mode(0o622)).unwrap_err()
    });
    assert_eq!(error.to_string(), format!("setting the mode of {address} failed"));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_this_kernel_lacks_is_named() {
    let address = "udp:[::1]:0".parse().unwrap();
    let error = refusing(&[libc::SYS_socket], Some(libc::AF_INET6), libc::EAFNOSUPPORT, || {
        OursAlone::bind(&address).unwrap_err()
    });
    assert!(matches!(error, OpenError::Unsupported { .. }), "{error:?}");
    assert!(
        error.to_string().starts_with("this kernel has no AF_INET6 SOCK_DGRAM sockets ("),
        "{error}"
    );
}

#[test]
fn h54_try_accept_goes_on_while_clients_are_waiting() {
    let rejected = u64::from(backlog(200));
    let directory = Directory::new();
    let address = directory.address("socket");
    let asked = AtomicU64::new(0);
    let policy = Policy::by(move |_| asked.fetch_add(1, Ordering::Relaxed) >= rejected);
    let options = Options::new().backlog(300).policy(policy);
    let listener = OurListener::bind_with(&address, &options).unwrap();
    let _clients: Vec<_> = (0..=rejected).map(|_| Ours::connect(&address).unwrap()).collect();
    // An edge-triggered poller has reported them once.
    listener.try_accept().unwrap();
    assert_eq!(listener.rejected(), rejected);
    assert!(matches!(listener.try_accept(), Err(AcceptError::WouldBlock)));
}

#[test]
fn h28_a_client_can_require_the_servers_user() {
    let name = format!("unix:@datagrammar-squatter-{}", std::process::id());
    let address: Address = name.parse().unwrap();
    let squatter = OurListener::bind(&address).unwrap();
    let own = rustix::process::getuid().as_raw();
    let required = own.wrapping_add(1);

    let options = Options::new().server_uid(required);
    let error = Ours::connect_with(&address, &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the server at {address} runs as user {own}, not as user {required}"),
    );
    // The squatter got a connection, but no frame.
    assert!(squatter.accept().unwrap().recv().unwrap().is_none());
    Ours::connect_with(&address, &Options::new().server_uid(own)).unwrap();

    // The abstract name cannot be taken over, either.
    assert!(matches!(OurListener::bind(&address), Err(OpenError::InUse { .. })));
}
