//! Opens unconnected sockets: bound to an address, or to a name that the kernel chooses.

use super::claim::{Claim, bind};
use super::failure::Opening;
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{DatagramFd, Name};

/// Opens a socket and binds it to `address`.
pub(crate) fn bind_datagram(
    address: &Address,
    options: &Options,
) -> Result<(DatagramFd, Option<Claim>), OpenError> {
    let opening = Opening::datagrams(address)?;
    opening.identified(options.identify)?;
    let fd = DatagramFd::open(opening.kind).map_err(opening.failed("opening"))?;
    fd.set_buffers(options.recv_buffer, options.send_buffer)
        .map_err(opening.failed("setting the buffers of"))?;
    if options.identify {
        fd.identify_senders().map_err(opening.failed("opening"))?;
    }
    let name = address.name();
    let claim = bind(opening, options.mode, |mode| fd.set_mode(mode), || fd.bind(name))?;
    Ok((fd, claim))
}

/// Opens a socket of the family of `peer` that can be answered. Over UNIX, the kernel gives it an
/// abstract name now; over UDP, a port with the first datagram that it sends.
pub(crate) fn unbound_datagram(peer: &Address) -> Result<DatagramFd, OpenError> {
    let opening = Opening::datagrams(peer)?;
    let fd = DatagramFd::open(opening.kind).map_err(opening.failed("opening a socket to reach"))?;
    if opening.kind.is_unix() {
        fd.bind(&Name::UNNAMED).map_err(opening.failed("finding a name for a socket to reach"))?;
    }
    Ok(fd)
}
