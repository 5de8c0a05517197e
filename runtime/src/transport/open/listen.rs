//! Listens for connections.

use super::claim::{Claim, bind};
use super::failure::Opening;
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::ListenerFd;

/// Binds and listens. `descriptors` says whether the connections may receive descriptors.
pub(crate) fn listen(
    address: &Address,
    options: &Options,
    descriptors: bool,
) -> Result<(ListenerFd, Option<Claim>), OpenError> {
    let opening = Opening::connection(address)?;
    opening.identified(options.policy.asks())?;
    let fd = ListenerFd::open(opening.kind).map_err(opening.failed("opening"))?;
    let name = address.name();
    let claim = bind(opening, options.mode, |mode| fd.set_mode(mode), || fd.bind(name))?;
    fd.accept_descriptors(descriptors);
    fd.listen(options.backlog).map_err(opening.failed("listening on"))?;
    Ok((fd, claim))
}
