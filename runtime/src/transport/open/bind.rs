//! Binds sockets: a listener, and sockets without a connection.

use std::os::fd::AsFd as _;

use super::failure::Target;
use super::path_guard::{PathGuard, bind};
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{self, DatagramFd, ListenerFd, Name};

/// Binds and listens. `descriptors` says whether the connections may receive descriptors.
pub(crate) fn listen(
    address: &Address,
    options: &Options,
    descriptors: bool,
) -> Result<(ListenerFd, Option<PathGuard>), OpenError> {
    let target = Target::connection(address)?;
    target.check_identity(options.policy.needs_identity())?;
    let fd = ListenerFd::open(target.kind).map_err(target.failed("opening"))?;
    let path_guard = bind(target, options.mode, fd.as_fd())?;
    // Before it listens: a client can send before it is accepted.
    sys::accept_descriptors(fd.as_fd(), descriptors);
    fd.listen(options.backlog).map_err(target.failed("listening on"))?;
    Ok((fd, path_guard))
}

/// Opens a socket and binds it to `address`.
pub(crate) fn bind_datagram(
    address: &Address,
    options: &Options,
) -> Result<(DatagramFd, Option<PathGuard>), OpenError> {
    let target = Target::datagrams(address)?;
    target.check_identity(options.identify_senders)?;
    let fd = DatagramFd::open(target.kind).map_err(target.failed("opening"))?;
    options.set_buffers(&fd).map_err(target.failed("setting the buffers of"))?;
    if options.identify_senders {
        fd.identify_senders().map_err(target.failed("opening"))?;
    }
    let path_guard = bind(target, options.mode, fd.as_fd())?;
    Ok((fd, path_guard))
}

/// Opens a socket of the family of `peer` that can be answered. Over UNIX, the kernel gives it an
/// abstract name now; over UDP, a port with the first datagram that it sends.
pub(crate) fn unbound_datagram(peer: &Address) -> Result<DatagramFd, OpenError> {
    let target = Target::datagrams(peer)?;
    let fd = DatagramFd::open(target.kind).map_err(target.failed("opening a socket to reach"))?;
    if target.kind.is_unix() {
        sys::bind(fd.as_fd(), &Name::UNNAMED)
            .map_err(target.failed("finding a name for a socket to reach"))?;
    }
    Ok(fd)
}
