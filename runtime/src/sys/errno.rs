//! What the kernel answered: retries after a signal, and names for the answers that matter.

use std::io;

/// The answers that the layers above tell apart and [`io::ErrorKind`] does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errno {
    /// EMSGSIZE: the datagram is larger than the socket carries.
    TooLong,
    /// EMFILE, ENFILE, ENOBUFS, ENOMEM: descriptors or memory have run out.
    Exhausted,
    /// EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, ENODEV: the kernel lacks the family.
    Unsupported,
    /// EPROTOTYPE: a socket of another type is bound there.
    WrongType,
    /// ENOTSOCK: not a socket at all.
    NotASocket,
    /// ETOOMANYREFS: too many descriptors are on their way (unix(7)).
    TooManyInFlight,
    /// EPERM: not allowed to.
    NotPermitted,
    /// EALREADY, EINPROGRESS: a connection is being made.
    InProgress,
    /// Anything else.
    Other,
}

/// Classifies an error of this module.
pub(crate) fn errno(error: &io::Error) -> Errno {
    match error.raw_os_error() {
        Some(libc::EMSGSIZE) => Errno::TooLong,
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => Errno::Exhausted,
        Some(libc::EAFNOSUPPORT | libc::ESOCKTNOSUPPORT | libc::EPROTONOSUPPORT | libc::ENODEV) => {
            Errno::Unsupported
        }
        Some(libc::EPROTOTYPE) => Errno::WrongType,
        Some(libc::ENOTSOCK) => Errno::NotASocket,
        Some(libc::ETOOMANYREFS) => Errno::TooManyInFlight,
        Some(libc::EPERM) => Errno::NotPermitted,
        Some(libc::EALREADY | libc::EINPROGRESS) => Errno::InProgress,
        _ => Errno::Other,
    }
}

/// Calls until no signal interrupts: the result, or the error.
#[inline]
pub(super) fn retry<T>(mut call: impl FnMut() -> T) -> io::Result<T>
where
    T: PartialEq + From<i8>,
{
    loop {
        let result = call();
        if result != T::from(-1) {
            return Ok(result);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
