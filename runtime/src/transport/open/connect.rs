//! Connects, and creates connected pairs.

use std::io::{self, ErrorKind};
use std::time::Instant;

use super::failure::{Target, failed};
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::peer::Peer;
use crate::sys::{DatagramFd, Errno, errno};

/// Connects to a listener.
pub(crate) fn connect(address: &Address, options: &Options) -> Result<DatagramFd, OpenError> {
    let target = Target::connection(address)?;
    target.check_identity(options.server_uid.is_some())?;
    let fd = DatagramFd::open(target.kind).map_err(target.failed("opening"))?;
    fd.set_buffers(options.recv_buffer, options.send_buffer)
        .map_err(target.failed("setting the buffers of"))?;
    connect_until(&fd, target, options.deadline)?;
    if let Some(required) = options.server_uid {
        let found = fd.peer().map_err(target.failed("identifying"))?.uid;
        if found != required {
            let address = address.to_string();
            return Err(OpenError::WrongServer { address, required, found });
        }
    }
    Ok(fd)
}

/// Connects with a blocking call, which waits in the kernel for room in the backlog. A send timeout also
/// bounds a connect (socket(7), SO_SNDTIMEO).
fn connect_until(
    fd: &DatagramFd,
    target: Target<'_>,
    deadline: Option<Instant>,
) -> Result<(), OpenError> {
    let failed = |source| target.not_connected(source);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left.is_some() {
            fd.set_send_timeout(left).map_err(failed)?;
        }
        match fd.connect(target.address.name()) {
            Ok(()) if left.is_some() => return fd.set_send_timeout(None).map_err(failed),
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error)
                if error.kind() == ErrorKind::WouldBlock || errno(&error) == Errno::InProgress => {}
            Err(error) => return Err(failed(error)),
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Err(OpenError::TimedOut { address: target.address.to_string() });
        }
    }
}

/// Creates two connected ends.
pub(crate) fn pair(options: &Options) -> Result<(DatagramFd, DatagramFd), OpenError> {
    let (left, right) = DatagramFd::pair().map_err(failed("making a pair of sockets"))?;
    for fd in [&left, &right] {
        fd.set_buffers(options.recv_buffer, options.send_buffer)
            .map_err(failed("setting the buffers of a pair"))?;
    }
    Ok((left, right))
}

/// Returns who is at the other end of a connection.
pub(crate) fn peer(fd: &DatagramFd) -> io::Result<Peer> {
    fd.peer().map(Peer::from)
}
