//! Listens for connections.

use std::os::fd::AsFd as _;

use super::failure::Target;
use super::path_guard::{PathGuard, bind};
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{self, ListenerFd};

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
