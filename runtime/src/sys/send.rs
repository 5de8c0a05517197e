//! Sends one datagram, from one or several slices, with or without descriptors.

use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::Control;
use super::errno::retry;
use super::name::Name;
use super::socket::DatagramFd;

/// Sends `slices` as one datagram, with copies of `descriptors`, to `to` or to the connected peer. `block`
/// waits for room, unless the descriptor is non-blocking. Fails with EINVAL for more than
/// [`MAX_DESCRIPTORS`](super::MAX_DESCRIPTORS) descriptors, as the kernel does.
///
/// `ssize_t sendto(int sockfd, const void *buf, size_t len, int flags, const struct sockaddr *dest_addr,
/// socklen_t addrlen)`, or `ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags)` for more
/// than one slice and for descriptors; see send(2). `MSG_NOSIGNAL` is always set, so a closed peer causes EPIPE,
/// never SIGPIPE. A datagram is sent whole or not at all, except on AF_VSOCK, which uses
/// [`send_whole`](super::send_whole).
#[inline]
pub(crate) fn send(
    fd: &DatagramFd,
    slices: &[IoSlice<'_>],
    descriptors: &[BorrowedFd<'_>],
    to: Option<&Name>,
    block: bool,
) -> io::Result<()> {
    let flags = libc::MSG_NOSIGNAL | if block { 0 } else { libc::MSG_DONTWAIT };
    if let (&[slice], []) = (slices, descriptors) {
        let (name, name_len) = to.map_or((ptr::null(), 0), |name| (name.as_ptr(), name.len()));
        retry(|| {
            // SAFETY: the pointers and the lengths are those of one slice, and of a name or none; both
            // outlive the call and are only read. `fd` is open for the call, as it is borrowed.
            unsafe {
                libc::sendto(
                    fd.as_raw_fd(),
                    slice.as_ptr().cast(),
                    slice.len(),
                    flags,
                    name,
                    name_len,
                )
            }
        })?;
        return Ok(());
    }
    if descriptors.is_empty() {
        return send_message(fd, slices, &mut [], to, flags);
    }
    let mut control = Control::uninit();
    match control.rights(descriptors) {
        Some(control) => send_message(fd, slices, control, to, flags),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// `control` is empty or comes from [`Control::rights`].
#[inline]
fn send_message(
    fd: &DatagramFd,
    slices: &[IoSlice<'_>],
    control: &mut [MaybeUninit<u8>],
    to: Option<&Name>,
    flags: libc::c_int,
) -> io::Result<()> {
    let (name_ptr, name_len) = to.map_or((ptr::null(), 0), |name| (name.as_ptr(), name.len()));
    let mut message = message_of(slices);
    // sendmsg does not write through it.
    message.msg_name = name_ptr.cast_mut().cast();
    message.msg_namelen = name_len;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = control.len() as _;
    retry(|| {
        // SAFETY: `message` points to `name_len` bytes of name, to `control.len()` bytes of control messages,
        // which `Control::rights` wrote, and to `slices.len()` iovecs, each of which describes a slice; all of
        // them outlive the call and are only read. `fd` is open for the call, as it is borrowed.
        unsafe { libc::sendmsg(fd.as_raw_fd(), &raw const message, flags) }
    })?;
    Ok(())
}

/// Describes a datagram without a name and control data.
#[inline]
pub(super) fn message_of(slices: &[IoSlice<'_>]) -> libc::msghdr {
    // SAFETY: msghdr is plain numbers and pointers, for which zero bytes are valid: no name, no slices,
    // no control data.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    // IoSlice is documented to have the layout of iovec, and sendmsg does not write through it.
    message.msg_iov = slices.as_ptr().cast::<libc::iovec>().cast_mut();
    message.msg_iovlen = slices.len() as _;
    message
}
