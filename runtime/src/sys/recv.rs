//! Receives: the peek, which returns a datagram's length, and the read, which takes the datagram.
//!
//! `MSG_TRUNC` makes a call return the datagram's real length even where the buffer is shorter (on
//! datagram sockets: on a TCP socket it discards data *without writing the buffer*, which is why
//! [`recv`] takes a [`DatagramFd`]). `MSG_PEEK` leaves the datagram queued. See recv(2).
//!
//! A peek has no control buffer: with one, it would install a copy of every attached descriptor.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::{Ancillary, CAPACITY, Control};
use super::errno::{length, retry};
use super::kind::Kind;
use super::lane::Lane;
use super::name::Name;
use super::socket::DatagramFd;

/// The result of a peek at the next datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peeked {
    /// Its length, in bytes.
    pub(crate) len: usize,
    /// Its first bytes, padded with zeros.
    first: [u8; PEEK_LEN],
}

impl Peeked {
    /// Returns its first bytes.
    pub(crate) fn first(&self) -> &[u8] {
        self.first.get(..self.len).unwrap_or(&self.first)
    }
}

/// The number of bytes that a peek reads: a head, and the length of a bundle's first frame.
const PEEK_LEN: usize = 24;

/// Destinations for the first bytes of a datagram, before the lane.
#[derive(Debug)]
pub(crate) struct Scatter<'b> {
    pub(crate) head: &'b mut [u8],
    /// The bytes after the head are appended here, within the capacity.
    pub(crate) room: &'b mut Vec<u8>,
    /// The most that is appended, in bytes.
    pub(crate) max: usize,
}

/// Waits for the next datagram, and peeks at it. Returns `None` if the kernel cannot peek: on AF_VSOCK before
/// Linux 6.6.
///
/// `ssize_t recv(int sockfd, void *buf, size_t len, int flags)` with `MSG_PEEK | MSG_TRUNC`. `block`
/// waits, unless the descriptor is non-blocking. Fails with EINTR after a signal.
pub(crate) fn peek(fd: &DatagramFd, block: bool) -> io::Result<Option<Peeked>> {
    let mut first = [0; PEEK_LEN];
    let flags = libc::MSG_PEEK | libc::MSG_TRUNC | if block { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: the pointer and the length are those of initialised bytes, exclusively borrowed for the
    // call. `fd` is open for the call, as it is borrowed.
    let len = unsafe { libc::recv(fd.as_raw_fd(), first.as_mut_ptr().cast(), first.len(), flags) };
    match length(len) {
        Ok(len) => Ok(Some(Peeked { len, first })),
        // Old kernels report every failure of a vsock transport as ENOMEM (net/vmw_vsock/af_vsock.c).
        Err(error) => match (fd.kind(), error.raw_os_error()) {
            (Kind::VsockSeqpacket, Some(libc::ENOMEM | libc::EOPNOTSUPP)) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Returns the length of the next datagram of a socket of any family; `None` if the family does not report
/// lengths.
///
/// Not every family supports `MSG_TRUNC` as a flag of the call, but all set it in the result (recvmsg(2)). A
/// peek of 1 byte that returns 1 and is truncated means that the family does not report the length.
pub(crate) fn peek_len(fd: BorrowedFd<'_>, block: bool) -> io::Result<Option<usize>> {
    let flags = libc::MSG_PEEK | libc::MSG_TRUNC | if block { 0 } else { libc::MSG_DONTWAIT };
    let mut first = 0_u8;
    let mut slice = libc::iovec { iov_base: (&raw mut first).cast(), iov_len: 1 };
    // SAFETY: msghdr is plain numbers and pointers, for which zero bytes are valid.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut slice;
    message.msg_iovlen = 1;
    let len = retry(|| {
        // SAFETY: `message` points to one iovec, which describes one initialised byte, both
        // exclusively borrowed for the call, and to no name and no control data. `fd` is open for
        // the call, as it is borrowed.
        unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) }
    })?;
    let truncated = message.msg_flags & libc::MSG_TRUNC != 0;
    Ok(Some(len.cast_unsigned()).filter(|&len| len != 1 || !truncated))
}

/// Reads the next datagram: its first bytes to `scatter`, if given, the rest to `lane`, and its ancillary data
/// to `ancillary`. Returns the datagram's full length.
///
/// `scatter` and `lane` together get at most `cap` bytes. `block` waits, unless the descriptor is non-blocking.
/// Fails with EINTR after a signal.
///
/// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)` with `MSG_TRUNC` and
/// `MSG_CMSG_CLOEXEC`, or the cheaper `recvfrom` for only the lane and a name. `MSG_CTRUNC` means that the
/// kernel could not install some descriptors, because there is room for as many as a datagram can carry.
#[inline]
pub(crate) fn recv(
    fd: &DatagramFd,
    scatter: Option<&mut Scatter<'_>>,
    lane: &mut Lane,
    cap: usize,
    ancillary: Option<&mut Ancillary>,
    block: bool,
) -> io::Result<usize> {
    let flags = libc::MSG_TRUNC | if block { 0 } else { libc::MSG_DONTWAIT };
    if scatter.is_some() || ancillary.is_some() && fd.kind().is_unix() {
        return recv_message(fd, scatter, lane, cap, ancillary, flags);
    }
    let libc::iovec { iov_base: start, iov_len: room } = lane.room(cap);
    let mut name = ancillary.map(|ancillary| &mut ancillary.name);
    let mut name_len = Name::CAPACITY as libc::socklen_t;
    let (to_name, to_len) = match &mut name {
        Some(name) => (name.as_mut_ptr(), &raw mut name_len),
        None => (ptr::null_mut(), ptr::null_mut()),
    };
    // SAFETY: the iovec describes writable memory of the lane. `to_name` points to `name_len` writable bytes,
    // or is null like `to_len`. All of that is exclusively borrowed for the call. `fd` is open for the call,
    // as it is borrowed.
    let len = unsafe { libc::recvfrom(fd.as_raw_fd(), start, room, flags, to_name, to_len) };
    let len = length(len)?;
    lane.fill(len.min(room));
    if let Some(name) = name {
        name.set_len(name_len);
    }
    Ok(len)
}

fn recv_message(
    fd: &DatagramFd,
    mut scatter: Option<&mut Scatter<'_>>,
    lane: &mut Lane,
    cap: usize,
    mut ancillary: Option<&mut Ancillary>,
    flags: libc::c_int,
) -> io::Result<usize> {
    let (mut head, mut room) = (EMPTY, EMPTY);
    if let Some(scatter) = &mut scatter {
        let len = scatter.head.len();
        head = libc::iovec { iov_base: scatter.head.as_mut_ptr().cast(), iov_len: len };
        let spare = scatter.room.spare_capacity_mut();
        let len = spare.len().min(scatter.max).min(cap.saturating_sub(len));
        room = libc::iovec { iov_base: spare.as_mut_ptr().cast(), iov_len: len };
    }
    let (head_len, room_len) = (head.iov_len, room.iov_len);
    let spill = lane.room(cap.saturating_sub(head_len + room_len));
    let mut slices = [head, room, spill];
    // The kernel copies and checks each iovec, even an empty one.
    let first = if scatter.is_some() { 0 } else { 2 };
    let slices = slices.get_mut(first..).unwrap_or_default();
    // SAFETY: msghdr is plain numbers and pointers, for which zero bytes are valid.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = slices.as_mut_ptr();
    message.msg_iovlen = slices.len() as _;
    // On a connection, the peer's name is always empty.
    let has_name = !fd.kind().is_connection();
    if let Some(ancillary) = ancillary.as_deref_mut().filter(|_| has_name) {
        message.msg_name = ancillary.name.as_mut_ptr().cast();
        message.msg_namelen = Name::CAPACITY as libc::socklen_t;
    }
    let mut control = Control::uninit();
    let has_control = ancillary.is_some() && fd.kind().is_unix();
    if has_control {
        message.msg_control = control.as_mut_ptr();
        message.msg_controllen = CAPACITY as _;
    }
    let flags = flags | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: `message` points to iovecs of writable memory (the head, spare capacity of the room, the
    // lane) and to a name and control messages of the lengths given; all of it is exclusively borrowed for
    // the call. `fd` is open for the call, as it is borrowed.
    let len = length(unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) })?;
    if let Some(ancillary) = ancillary {
        if has_name {
            ancillary.name.set_len(message.msg_namelen);
        }
        if has_control {
            // SAFETY: this recvmsg has filled `control` up to the length that it reports.
            unsafe { control.parse(message.msg_controllen as usize, ancillary) };
        }
        ancillary.truncated = message.msg_flags & libc::MSG_CTRUNC != 0;
    }
    let mut left = len.saturating_sub(head_len);
    if let Some(Scatter { room, .. }) = scatter {
        let filled = room.len() + left.min(room_len);
        // SAFETY: `filled` is within the capacity. The bytes before `room.len()` were already initialised, and
        // the kernel wrote the others: a `DatagramFd` is a datagram socket, and on one, the kernel fills the
        // slices in order with as much of the datagram as they hold (recv(2)).
        unsafe { room.set_len(filled) };
        left -= left.min(room_len);
    }
    lane.fill(left.min(spill.iov_len));
    Ok(len)
}

const EMPTY: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
