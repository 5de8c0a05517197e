//! Socket activation: sockets from a service manager.

use std::env;
use std::io::{self, ErrorKind};
use std::iter;
use std::os::fd::OwnedFd;
use std::process;
use std::str::FromStr;

use crate::sys;

/// A descriptor that a service manager passed to this process.
#[derive(Debug)]
#[non_exhaustive]
pub struct Activated {
    /// Its name: systemd's `FileDescriptorName=`, or the name of the socket unit. Empty if it has none.
    pub name: String,
    /// The descriptor, for [`Listener::adopt`](crate::Listener::adopt),
    /// [`Socket::adopt`](crate::Socket::adopt) or [`Connection::adopt`](crate::Connection::adopt).
    pub fd: OwnedFd,
}

/// Takes over the descriptors that a service manager passed to this process, in the manager's order.
///
/// The environment variables `LISTEN_PID`, `LISTEN_PIDFDID`, `LISTEN_FDS` and `LISTEN_FDNAMES` announce them
/// ([sd_listen_fds(3)](https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html)).
///
/// Returns an empty list without a service manager, if the variables are for another process, and after the
/// first call. Call it before anything else opens descriptors, and let nothing else in the process take over
/// these descriptors.
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
/// [`ErrorKind::NotFound`] if this process was started with fewer descriptors than `LISTEN_FDS` says. This
/// happens when a program takes them over and then executes itself again: exec closes them.
/// [`ErrorKind::InvalidInput`] if a variable is not a number. The errors of fcntl(2).
pub fn activated() -> io::Result<Vec<Activated>> {
    if number("LISTEN_PID")? != Some(process::id()) {
        return Ok(Vec::new());
    }
    // The kernel reuses process ids, but not the inode numbers of pidfds.
    if let (Some(expected), Some(own)) = (number("LISTEN_PIDFDID")?, sys::own_pidfd_inode())
        && own != expected
    {
        return Ok(Vec::new());
    }
    let count: usize = number("LISTEN_FDS")?.unwrap_or(0);
    let fds = sys::take_inherited(count)?.map_err(|missing| {
        let why = format!(
            "this program was not started with descriptor {missing}, but LISTEN_FDS={count} announces it: it is closed, or was opened later; if the program took it over and then executed itself anew, clear FD_CLOEXEC before exec, or remove LISTEN_FDS"
        );
        io::Error::new(ErrorKind::NotFound, why)
    })?;
    let names = env::var_os("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.to_string_lossy();
    let names = names.split(':').map(str::to_owned).chain(iter::repeat(String::new()));
    Ok(fds.into_iter().zip(names).map(|(fd, name)| Activated { name, fd }).collect())
}

/// Parses a variable as a number. `None` if it is not set.
fn number<T: FromStr>(variable: &str) -> io::Result<Option<T>> {
    let Some(text) = env::var_os(variable) else { return Ok(None) };
    match text.to_str().and_then(|text| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => {
            let why = format!("{variable}={text:?} is not a valid number");
            Err(io::Error::new(ErrorKind::InvalidInput, why))
        }
    }
}
