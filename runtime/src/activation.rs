//! Socket activation: sockets that a service manager opened, and started this process with.

use std::env;
use std::io::{self, ErrorKind};
use std::iter;
use std::os::fd::OwnedFd;
use std::process;
use std::str::FromStr;

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
/// environment variables `LISTEN_PID`, `LISTEN_PIDFDID`, `LISTEN_FDS` and `LISTEN_FDNAMES` say
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
/// [`ErrorKind::NotFound`] when this process was not started with as many descriptors as `LISTEN_FDS` says:
/// so it is after a program has taken them over and executed itself anew, as that closes them.
/// [`ErrorKind::InvalidInput`] for variables that are not numbers.
pub fn activated() -> io::Result<Vec<Activated>> {
    if number("LISTEN_PID")? != Some(process::id()) {
        return Ok(Vec::new());
    }
    // The number of this process may have been that of another one, but not the number of its inode.
    if let (Some(meant), Some(own)) = (number("LISTEN_PIDFDID")?, sys::own_pidfd_inode())
        && own != meant
    {
        return Ok(Vec::new());
    }
    let count: usize = number("LISTEN_FDS")?.unwrap_or(0);
    let fds = sys::take_inherited(count)?.map_err(|missing| {
        let why = format!(
            "this program was not started with descriptor {missing}, though LISTEN_FDS={count} announces it: it is closed, or was opened since. If the program took it over and then executed itself anew, that closed it: clear its FD_CLOEXEC before, or remove LISTEN_FDS"
        );
        io::Error::new(ErrorKind::NotFound, why)
    })?;
    let names = env::var_os("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.to_string_lossy();
    let names = names.split(':').map(str::to_owned).chain(iter::repeat(String::new()));
    Ok(fds.into_iter().zip(names).map(|(fd, name)| Activated { name, fd }).collect())
}

/// The number that a variable is set to.
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
