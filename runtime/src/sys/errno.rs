//! Errors of the kernel: retries after signals, and a classification.

use std::io;

/// Errors that the layers above distinguish, and [`io::ErrorKind`] does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errno {
    /// EMSGSIZE: the datagram is too long for the socket.
    TooLong,
    /// EMFILE, ENFILE, ENOBUFS, ENOMEM: descriptors or memory have run out.
    Exhausted,
    /// EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, ENODEV: the kernel lacks the family.
    Unsupported,
    /// EPROTOTYPE: a socket of another type is bound there.
    WrongType,
    /// ENOTSOCK: not a socket at all.
    NotASocket,
    /// ETOOMANYREFS: too many descriptors are in flight (unix(7)).
    TooManyInFlight,
    /// EPERM: the operation is not permitted.
    NotPermitted,
    /// EALREADY, EINPROGRESS: a connect is in progress.
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

/// Returns whether an error concerns a datagram's destination, and not the socket that sends it: a path or an address
/// that this process cannot reach, or may not use.
pub(crate) fn is_of_destination(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
        || matches!(
            error.raw_os_error(),
            Some(
                libc::EADDRNOTAVAIL
                    | libc::EAFNOSUPPORT
                    | libc::EHOSTDOWN
                    | libc::EHOSTUNREACH
                    | libc::EINVAL
                    | libc::ELOOP
                    | libc::ENAMETOOLONG
                    | libc::ENETDOWN
                    | libc::ENETUNREACH
                    | libc::ENOTDIR
                    | libc::EPROTOTYPE
            )
        )
}

/// Returns the length that a call returned, or its error.
#[inline]
pub(super) fn length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Repeats `call` while signals interrupt it. Returns the result or the error.
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
