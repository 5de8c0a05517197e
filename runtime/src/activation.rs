//! Socket activation: sockets that a service manager opened, and started this process with.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::process;

use crate::sys;

/// A descriptor that a service manager started this process with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Activated {
    /// Its name: systemd's `FileDescriptorName=`, or the socket unit's name; empty without one.
    pub name: String,
    /// The descriptor, for [`Listener::adopt`](crate::Listener::adopt),
    /// [`Socket::adopt`](crate::Socket::adopt) or [`Connection::adopt`](crate::Connection::adopt).
    pub fd: OwnedFd,
}

/// Takes over the descriptors that a service manager started this process with, in its order: as the
/// environment variables `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES` say
/// ([sd_listen_fds(3)](https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html)).
/// None if there is no such manager, if the variables are meant for another process, and after the first
/// call. Call it before anything else opens descriptors, and have nothing else in the process take these
/// over.
///
/// ```no_run
/// use datagrammar::{Listener, Message};
///
/// #[derive(Message)]
/// enum Ping {
///     #[message(tag = 1)]
///     Ping,
/// }
///
/// let listener = match datagrammar::activated()?.pop() {
///     Some(activated) => Listener::<Ping, Ping>::adopt(activated.fd)?,
///     None => Listener::bind(&"unix:/run/ping.sock".parse()?)?,
/// };
/// # let _ = listener;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// `EBADF` when fewer descriptors were open at the start of this process than `LISTEN_FDS` says, and
/// `InvalidInput` when that is more than there can be.
pub fn activated() -> io::Result<Vec<Activated>> {
    let number = |variable| env::var(variable).ok().and_then(|text| text.parse::<usize>().ok());
    if number("LISTEN_PID") != usize::try_from(process::id()).ok() {
        return Ok(Vec::new());
    }
    let fds = sys::take_inherited(number("LISTEN_FDS").unwrap_or(0))?;
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.split(':').map(str::to_owned).chain(std::iter::repeat(String::new()));
    Ok(fds.into_iter().zip(names).map(|(fd, name)| Activated { name, fd }).collect())
}
