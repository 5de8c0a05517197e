//! Errors of the kernel: retries after signals, and a classification.

use std::io;

/// Errors that the layers above distinguish, and [`io::ErrorKind`] does not: see errno(3).
pub(crate) use libc::{
    EACCES, EALREADY, EINPROGRESS, EMSGSIZE, ENOTSOCK, EPERM, EPROTOTYPE, ETOOMANYREFS,
};

/// Returns whether descriptors or memory have run out.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    matches!(errno, Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

/// Returns whether the kernel lacks the family of a socket.
pub(crate) fn is_unsupported(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    matches!(
        errno,
        Some(libc::EAFNOSUPPORT | libc::ESOCKTNOSUPPORT | libc::EPROTONOSUPPORT | libc::ENODEV)
    )
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
                    | EPROTOTYPE
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
