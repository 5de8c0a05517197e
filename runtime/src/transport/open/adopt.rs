//! Takes over descriptors, after checking their kind.

use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::failure::{failed, not_identified};
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{self, DatagramFd, ENOTSOCK, ListenerFd};

/// Takes over one end of a connection.
pub(crate) fn adopt_connection(fd: OwnedFd, options: &Options) -> Result<DatagramFd, OpenError> {
    adopt(fd, options, true, "a connected AF_UNIX or AF_VSOCK SOCK_SEQPACKET socket")
}

/// Takes over a socket without a connection.
pub(crate) fn adopt_datagram(fd: OwnedFd, options: &Options) -> Result<DatagramFd, OpenError> {
    // When the peer of a connected socket closes, the kernel discards its receive queue.
    let expected = "an AF_UNIX, AF_INET or AF_INET6 SOCK_DGRAM socket (UDP), not connected";
    let fd = adopt(fd, options, false, expected)?;
    if options.identify_senders {
        if !fd.kind().is_unix() {
            return Err(cannot_identify(fd.as_fd()));
        }
        fd.identify_senders().map_err(failed("asking the kernel to identify senders"))?;
    }
    Ok(fd)
}

/// Takes over a listening socket. `descriptors` says whether its connections may receive descriptors.
pub(crate) fn adopt_listener(
    fd: OwnedFd,
    options: &Options,
    descriptors: bool,
) -> Result<ListenerFd, OpenError> {
    let expected = "a listening AF_UNIX or AF_VSOCK SOCK_SEQPACKET socket";
    let fd = adopted(ListenerFd::adopt(fd), expected)?;
    if options.policy.needs_identity() && !fd.kind().is_unix() {
        return Err(cannot_identify(fd.as_fd()));
    }
    sys::accept_descriptors(fd.as_fd(), descriptors);
    Ok(fd)
}

/// Takes over the standard input, if it is one end of a connection.
pub(crate) fn inherited(options: &Options) -> Result<DatagramFd, OpenError> {
    let taking = || failed("taking over the standard input");
    let copy = io::stdin().as_fd().try_clone_to_owned().map_err(taking())?;
    let expected = "a connected AF_UNIX or AF_VSOCK SOCK_SEQPACKET socket as the standard input, which Child::spawn passes to a program that it starts";
    let fd = adopt(copy, options, true, expected)?;
    sys::empty_stdin().map_err(taking())?;
    Ok(fd)
}

/// Takes over a socket that has a connection, or one that has none.
fn adopt(
    fd: OwnedFd,
    options: &Options,
    is_connection: bool,
    expected: &'static str,
) -> Result<DatagramFd, OpenError> {
    let fd = adopted(DatagramFd::adopt(fd, is_connection), expected)?;
    options.set_buffers(&fd).map_err(failed("setting the buffers of a socket"))?;
    Ok(fd)
}

/// Maps what the system calls returned: a descriptor, a description of the wrong one, or an error.
fn adopted<T>(
    adopted: io::Result<Result<T, impl Display>>,
    expected: &'static str,
) -> Result<T, OpenError> {
    match adopted {
        Ok(Ok(fd)) => Ok(fd),
        Ok(Err(socket)) => Err(OpenError::WrongDescriptor { found: socket.to_string(), expected }),
        Err(error) if error.raw_os_error() == Some(ENOTSOCK) => {
            Err(OpenError::WrongDescriptor { found: "not a socket".into(), expected })
        }
        Err(error) => Err(failed("inspecting a descriptor")(error)),
    }
}

fn cannot_identify(fd: BorrowedFd<'_>) -> OpenError {
    match sys::local_name(fd) {
        Ok(name) => not_identified(&Address::from(name)),
        Err(error) => failed("adopting a socket")(error),
    }
}
