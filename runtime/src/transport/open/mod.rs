//! Opening sockets: connecting, listening, accepting, binding and adopting.

mod path;

use std::fs;
use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::time::Instant;

pub(crate) use self::path::Claim;
use super::wait::{MAX_PAUSE, NotReady};
use crate::address::Address;
use crate::backoff::Backoff;
use crate::error::OpenError;
use crate::options::Options;
use crate::peer::Peer;
use crate::sys::{self, DatagramFd, Errno, Kind, ListenerFd, Readiness, errno};
use crate::wait::Wait;

const CONNECTIONS: &str = "a `unix:` or `vsock:` address";
const DATAGRAMS: &str = "a `unix:` or `udp:` address";
const IDENTIFIED: &str = "a `unix:` address, as the peer has to be identified";

/// Connects to a listener.
pub(crate) fn connect(address: &Address, options: &Options) -> Result<DatagramFd, OpenError> {
    let kind = connection_kind(address)?;
    if options.server_uid.is_some() && kind != Kind::UnixSeqpacket {
        let address = address.to_string();
        return Err(OpenError::WrongFamily { address, expected: IDENTIFIED });
    }
    let fd = DatagramFd::open(kind).map_err(|error| cannot("opening", address, error))?;
    connect_until(&fd, address, options.deadline)?;
    if let Some(required) = options.server_uid {
        let found = fd.peer().map_err(|error| cannot("identifying", address, error))?.uid;
        if found != required {
            let address = address.to_string();
            return Err(OpenError::WrongServer { address, required, found });
        }
    }
    Ok(fd)
}

/// Has the kernel wait in the listener's queue, rather than trying again and again: a send timeout
/// bounds a UNIX connect too (socket(7), SO_SNDTIMEO).
fn connect_until(
    fd: &DatagramFd,
    address: &Address,
    deadline: Option<Instant>,
) -> Result<(), OpenError> {
    let connecting = |error| cannot("connecting to", address, error);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some() {
            fd.set_send_timeout(left).map_err(connecting)?;
        }
        match fd.connect(address.name()) {
            Ok(()) if left.is_some() => return fd.set_send_timeout(None).map_err(connecting),
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error)
                if error.kind() == ErrorKind::WouldBlock || errno(&error) == Errno::InProgress => {}
            Err(error) => return Err(connecting(error)),
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Err(OpenError::TimedOut);
        }
    }
}

/// Binds and listens, for connections that may bring `descriptors` or not.
pub(crate) fn listen(
    address: &Address,
    options: &Options,
    descriptors: bool,
) -> Result<(ListenerFd, Option<Claim>), OpenError> {
    let kind = connection_kind(address)?;
    if options.policy.asks() && !kind.is_unix() {
        let address = address.to_string();
        return Err(OpenError::WrongFamily { address, expected: IDENTIFIED });
    }
    let fd = ListenerFd::open(kind).map_err(|error| cannot("opening", address, error))?;
    let bind = || fd.bind(address.name());
    let claim = bind_to(address, options.mode, |mode| fd.set_mode(mode), bind)?;
    fd.accept_descriptors(descriptors);
    fd.listen(options.backlog).map_err(|error| cannot("listening on", address, error))?;
    Ok((fd, claim))
}

/// Takes over a descriptor that listens.
pub(crate) fn adopt_listener(
    fd: OwnedFd,
    options: &Options,
    descriptors: bool,
) -> Result<ListenerFd, OpenError> {
    let expected = "a listening AF_UNIX or AF_VSOCK SOCK_SEQPACKET socket";
    let wrong = |found| OpenError::WrongDescriptor { found, expected };
    let fd = match ListenerFd::adopt(fd) {
        Ok(Ok(fd)) => fd,
        Ok(Err(socket)) => return Err(wrong(socket.to_string())),
        Err(error) if errno(&error) == Errno::NotASocket => {
            return Err(wrong("not a socket".into()));
        }
        Err(source) => return Err(OpenError::Io { action: "adopting".into(), source }),
    };
    if options.policy.asks() && !fd.kind().is_unix() {
        let name = fd
            .local_name()
            .map_err(|source| OpenError::Io { action: "adopting".into(), source })?;
        let address = Address::from(name).to_string();
        return Err(OpenError::WrongFamily { address, expected: IDENTIFIED });
    }
    fd.accept_descriptors(descriptors);
    Ok(fd)
}

/// Takes over the standard input, which is one end of a connection.
pub(crate) fn inherited() -> Result<DatagramFd, OpenError> {
    let failed = |source| OpenError::Io { action: "taking over the standard input".into(), source };
    let taken = adopt(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?, true)?;
    sys::empty_stdin().map_err(failed)?;
    Ok(taken)
}

/// Accepts a connection.
pub(crate) fn accept(listener: &ListenerFd, wait: Wait) -> Result<DatagramFd, OpenError> {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    let mut was_ready = false;
    loop {
        match listener.accept() {
            Ok(fd) => return Ok(fd),
            // The client gave up while it waited in the backlog.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if errno(&error) == Errno::Exhausted => {
                return Err(OpenError::Exhausted(error));
            }
            Err(source) => return Err(OpenError::Io { action: "accepting".into(), source }),
        }
        // Another process took it, or the listener was shut down and stays ready for nothing.
        if mem::replace(&mut was_ready, true) {
            wait.pause(&mut backoff).map_err(not_ready)?;
        }
        wait.ready(listener.as_fd(), Readiness::Readable).map_err(not_ready)?;
    }
}

/// Whether to go on accepting after a connection that was turned away.
pub(crate) fn goes_on(wait: Wait, rounds: &mut u32) -> Result<(), OpenError> {
    wait.goes_on(rounds).map_err(not_ready)
}

fn not_ready(reason: NotReady) -> OpenError {
    match reason {
        NotReady::WouldBlock => OpenError::WouldBlock,
        NotReady::TimedOut => OpenError::TimedOut,
        NotReady::Io(source) => OpenError::Io { action: "waiting to accept".into(), source },
    }
}

/// Who is at the other end of a connection.
pub(crate) fn peer(fd: &DatagramFd) -> io::Result<Peer> {
    fd.peer().map(Peer::from)
}

/// Opens a datagram socket of the family of `address`, bound to it if `options` are given.
pub(crate) fn open_datagram(
    address: &Address,
    options: Option<&Options>,
) -> Result<(DatagramFd, Option<Claim>), OpenError> {
    let Some(kind) = address.datagram_kind() else {
        let address = address.to_string();
        return Err(OpenError::WrongFamily { address, expected: DATAGRAMS });
    };
    let fd = DatagramFd::open(kind).map_err(|error| cannot("opening", address, error))?;
    let Some(options) = options else {
        return Ok((fd, None));
    };
    if options.identify {
        if !kind.is_unix() {
            let address = address.to_string();
            return Err(OpenError::WrongFamily { address, expected: IDENTIFIED });
        }
        fd.identify_senders().map_err(|error| cannot("opening", address, error))?;
    }
    let bind = || fd.bind(address.name());
    let claim = bind_to(address, options.mode, |mode| fd.set_mode(mode), bind)?;
    Ok((fd, claim))
}

/// Takes over a descriptor: one end of a connection, or else a socket that is by itself.
pub(crate) fn adopt(fd: OwnedFd, connection: bool) -> Result<DatagramFd, OpenError> {
    let expected = match connection {
        true => "a connected AF_UNIX or AF_VSOCK SOCK_SEQPACKET socket",
        false => "an AF_UNIX, AF_INET or AF_INET6 SOCK_DGRAM socket (UDP), not connected",
    };
    let wrong = |found| OpenError::WrongDescriptor { found, expected };
    let socket = match sys::inspect(fd.as_fd()) {
        Ok(socket) => socket,
        Err(error) if errno(&error) == Errno::NotASocket => {
            return Err(wrong("not a socket".into()));
        }
        Err(source) => return Err(OpenError::Io { action: "inspecting".into(), source }),
    };
    let adopting = |source| OpenError::Io { action: "adopting".into(), source };
    let adopted = match DatagramFd::adopt(fd).map_err(adopting)? {
        Ok(adopted) if adopted.kind().is_connection() == connection => adopted,
        _ => return Err(wrong(socket.to_string())),
    };
    // A datagram socket that is connected loses its receive queue when its peer goes away.
    match adopted.peer_name() {
        Ok(_) if connection => Ok(adopted),
        Ok(_) => Err(wrong(format!("{socket}, connected"))),
        Err(error) if error.kind() == ErrorKind::NotConnected && !connection => Ok(adopted),
        Err(error) if error.kind() == ErrorKind::NotConnected => {
            Err(wrong(format!("{socket}, not connected")))
        }
        Err(source) => Err(adopting(source)),
    }
}

/// Two connected ends.
pub(crate) fn pair() -> Result<(DatagramFd, DatagramFd), OpenError> {
    DatagramFd::pair().map_err(|error| match errno(&error) {
        Errno::Exhausted => OpenError::Exhausted(error),
        _ => OpenError::Io { action: "making a pair of sockets".into(), source: error },
    })
}

/// Binds, and claims the path if there is one.
fn bind_to(
    address: &Address,
    mode: u32,
    set_mode: impl FnOnce(u32) -> io::Result<()>,
    bind: impl FnOnce() -> io::Result<()>,
) -> Result<Option<Claim>, OpenError> {
    let Some(path) = address.as_pathname() else {
        bind().map_err(|error| cannot("binding", address, error))?;
        return Ok(None);
    };
    set_mode(mode).map_err(|error| cannot("setting the mode of", address, error))?;
    Claim::take(address, path, mode, bind).map(Some)
}

fn connection_kind(address: &Address) -> Result<Kind, OpenError> {
    address.connection_kind().ok_or_else(|| {
        let address = address.to_string();
        OpenError::WrongFamily { address, expected: CONNECTIONS }
    })
}

#[cold]
fn cannot(action: &str, address: &Address, source: io::Error) -> OpenError {
    let text = || address.to_string();
    match (source.kind(), errno(&source)) {
        (ErrorKind::AddrInUse, _) => OpenError::InUse { address: text() },
        (ErrorKind::AddrNotAvailable, _) => OpenError::NotHere { address: text() },
        (_, Errno::Unsupported) => OpenError::Unsupported {
            what: match address.as_vsock() {
                Some(_) => "AF_VSOCK SOCK_SEQPACKET",
                None => "the family of this address",
            },
            detail: source.to_string(),
        },
        (_, Errno::Exhausted) => OpenError::Exhausted(source),
        (_, Errno::WrongType) => OpenError::WrongFamily {
            address: text(),
            expected: "a SOCK_SEQPACKET socket there, such as a `Listener`'s",
        },
        // The kernel refuses a path that is no socket in the same words as a socket that is dead.
        (ErrorKind::ConnectionRefused, _) => match address.as_pathname().map(fs::metadata) {
            Some(Ok(found)) if !found.file_type().is_socket() => OpenError::NotASocket {
                path: address.as_pathname().unwrap_or("".as_ref()).into(),
                found: path::describe(&found),
            },
            _ => OpenError::Refused { address: text() },
        },
        (ErrorKind::NotFound, _) => OpenError::Refused { address: text() },
        _ => OpenError::Io { action: format!("{action} {address}"), source },
    }
}
