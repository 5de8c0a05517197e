//! Receiving: the peek that tells a datagram's length, and the receives that take it.
//!
//! `ssize_t recv(int sockfd, void *buf, size_t len, int flags)`; see [recv(2)]. `MSG_TRUNC` makes
//! the call return the datagram's real length even where the buffer is shorter (on datagram
//! sockets: on a TCP socket it discards data *without writing the buffer*, which is why the calls
//! that fill a buffer take a [`DatagramFd`]); `MSG_PEEK` leaves the datagram queued.
//!
//! The peek is a plain `recv`, without a control buffer: a peek with one would install a copy of
//! every attached descriptor in this process.
//!
//! [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::control::{Control, Taken};
use super::errno::retry;
use super::identity::Credentials;
use super::lanes::Lanes;
use super::name::{Name, RawName, UnixName};
use super::socket::DatagramFd;

/// What a peek tells of the next datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peeked {
    /// Its length, in bytes.
    pub(crate) len: usize,
    /// Its first bytes; 0 where it has none.
    pub(crate) head: [u8; HEAD_LEN],
}

impl Peeked {
    /// What a peek would have told of a datagram of these bytes.
    #[inline]
    pub(crate) fn of(datagram: &[u8]) -> Self {
        let mut head = [0; HEAD_LEN];
        match datagram.first_chunk() {
            Some(first) => head = *first,
            None => head.iter_mut().zip(datagram).for_each(|(place, byte)| *place = *byte),
        }
        Self { len: datagram.len(), head }
    }
}

/// How many of a datagram's bytes a peek shows.
pub(super) const HEAD_LEN: usize = 14;

/// Looks at the next datagram, which stays queued. `block` waits for one, unless the descriptor
/// itself is non-blocking.
#[inline]
pub(crate) fn peek(fd: &DatagramFd, block: bool) -> io::Result<Peeked> {
    if let Some(lane) = fd.lane() {
        return lane.peek(fd.as_fd(), block);
    }
    let wait = if block { 0 } else { libc::MSG_DONTWAIT };
    let mut head = [0; HEAD_LEN];
    match recv_head(fd.as_fd(), &mut head, libc::MSG_PEEK | libc::MSG_TRUNC | wait) {
        Ok(len) => Ok(Peeked { len, head }),
        Err(error) => match fd.lane_instead_of(&error) {
            Some(lane) => lane.peek(fd.as_fd(), block),
            None => Err(error),
        },
    }
}

/// The length of the next datagram, as [`peek`] tells it, of a socket of any family; `None` where the
/// family does not tell.
///
/// Not all heed `MSG_TRUNC` as a flag of the call, but all set it in the result (recvmsg(2)): a
/// datagram of one byte is not cut by a peek into one.
pub(crate) fn peek_len(fd: BorrowedFd<'_>, block: bool) -> io::Result<Option<usize>> {
    let wait = if block { 0 } else { libc::MSG_DONTWAIT };
    let flags = libc::MSG_PEEK | libc::MSG_TRUNC | wait;
    let mut first = 0_u8;
    let mut piece = libc::iovec { iov_base: (&raw mut first).cast(), iov_len: 1 };
    // SAFETY: msghdr is plain numbers and pointers, for which zero bytes are valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut piece;
    message.msg_iovlen = 1;
    let len = retry(|| {
        // SAFETY: `message` points to one iovec, which describes one initialised byte, both
        // exclusively borrowed for the call, and to no name and no control data. `fd` is open for
        // the call, as it is borrowed.
        unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, flags) }
    })?;
    let cut = message.msg_flags & libc::MSG_TRUNC != 0;
    Ok(Some(len.cast_unsigned()).filter(|&len| len != 1 || !cut))
}

/// Drops the next datagram, and returns the length that it had. Never waits.
///
/// Into one byte: on AF_VSOCK a receive into none returns at once, with 0.
pub(crate) fn discard(fd: &DatagramFd) -> io::Result<usize> {
    if let Some(len) = fd.lane().and_then(|lane| lane.take(<[u8]>::len)) {
        return Ok(len);
    }
    recv_head(fd.as_fd(), &mut [0], libc::MSG_TRUNC | libc::MSG_DONTWAIT)
}

#[inline]
fn recv_head(fd: BorrowedFd<'_>, head: &mut [u8], flags: libc::c_int) -> io::Result<usize> {
    retry(|| {
        // SAFETY: the pointer and the length are those of initialised bytes, exclusively borrowed for
        // the call: whatever kind of descriptor this is, no more is written. `fd` is open for the
        // call, as it is borrowed.
        unsafe { libc::recv(fd.as_raw_fd(), head.as_mut_ptr().cast(), head.len(), flags) }
    })
    .map(isize::cast_unsigned)
}

/// Takes the next datagram into `buffer`, replacing what it holds and using its capacity without
/// growing it. Never waits.
///
/// Returns the datagram's real length: where that is more than the capacity, the rest is lost.
#[inline]
pub(crate) fn recv(fd: &DatagramFd, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.clear();
    if let Some(len) = fd.lane().and_then(|lane| lane.take(|held| spill(held, &mut [], buffer))) {
        return Ok(len);
    }
    let room = buffer.spare_capacity_mut();
    let len = retry(|| {
        // SAFETY: `room` is writable memory of `room.len()` bytes, exclusively borrowed for the
        // call; the kernel only writes it. `fd` is open for the call, as it is borrowed.
        unsafe {
            libc::recv(
                fd.as_fd().as_raw_fd(),
                room.as_mut_ptr().cast(),
                room.len(),
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
            )
        }
    })?
    .cast_unsigned();
    let written = len.min(room.len());
    // SAFETY: `written` is within the capacity, and the kernel wrote that many bytes from the start
    // of it: on a datagram socket, which a `DatagramFd` is known to be, `recv` copies the shorter of
    // the datagram and the buffer, whatever it returns (recv(2), MSG_TRUNC).
    unsafe { buffer.set_len(written) };
    Ok(len)
}

/// As [`recv`], and tells who sent the datagram: an unnamed one for a family that this crate does not
/// speak.
///
/// `ssize_t recvfrom(int sockfd, void *buf, size_t len, int flags, struct sockaddr *src_addr,
/// socklen_t *addrlen)`.
#[inline]
pub(crate) fn recv_from(fd: &DatagramFd, buffer: &mut Vec<u8>) -> io::Result<(usize, Name)> {
    buffer.clear();
    let room = buffer.spare_capacity_mut();
    let mut name = RawName::empty();
    let mut name_len = 0;
    let len = retry(|| {
        name_len = RawName::CAPACITY as libc::socklen_t;
        // SAFETY: `room` is writable memory of `room.len()` bytes and `name` of `name_len` bytes,
        // both exclusively borrowed for the call; the kernel writes no more of the name than
        // `name_len` says at entry, and its length to `name_len`. `fd` is open for the call, as it
        // is borrowed.
        unsafe {
            libc::recvfrom(
                fd.as_fd().as_raw_fd(),
                room.as_mut_ptr().cast(),
                room.len(),
                libc::MSG_TRUNC | libc::MSG_DONTWAIT,
                name.as_mut_ptr(),
                &raw mut name_len,
            )
        }
    })?
    .cast_unsigned();
    let written = len.min(room.len());
    // SAFETY: as in `recv`.
    unsafe { buffer.set_len(written) };
    name.set_len(name_len);
    Ok((len, name.read().unwrap_or(Name::Unix(UnixName::UNNAMED))))
}

/// What a receive took.
#[derive(Debug)]
pub(crate) struct Received {
    /// The datagram's real length: where that is more than there was room for, the rest is lost.
    pub(crate) len: usize,
    pub(crate) name: Name,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Who sent it, if the socket was told to ask.
    pub(crate) sender: Option<Credentials>,
    /// Whether descriptors came that this process could not be given.
    pub(crate) lacks_descriptors: bool,
}

impl Received {
    /// A datagram with nothing beside it.
    pub(crate) const fn alone(len: usize) -> Self {
        Self {
            len,
            name: Name::Unix(UnixName::UNNAMED),
            descriptors: Vec::new(),
            sender: None,
            lacks_descriptors: false,
        }
    }
}

/// Takes the next datagram, its descriptors and the name of its sender: the first bytes into `head`,
/// the others into `buffer` after what it holds, using its capacity without growing it. Never waits.
pub(crate) fn recv_message(
    fd: &DatagramFd,
    head: &mut [u8],
    buffer: &mut Vec<u8>,
) -> io::Result<Received> {
    if let Some(len) = fd.lane().and_then(|lane| lane.take(|held| spill(held, head, buffer))) {
        return Ok(Received::alone(len));
    }
    let room = buffer.spare_capacity_mut();
    let mut pieces = [
        libc::iovec { iov_base: head.as_mut_ptr().cast(), iov_len: head.len() },
        libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() },
    ];
    // SAFETY: the iovecs describe `head` and `room`, which are exclusively borrowed for the call.
    let received = unsafe { recvmsg(fd, &mut pieces, true, false) }?;
    let written = received.len.saturating_sub(head.len()).min(room.len());
    let filled = buffer.len() + written;
    // SAFETY: `filled` is within the capacity; up to `buffer.len()` it was initialised before, and the
    // kernel wrote `written` bytes from there on, as `recvmsg` says.
    unsafe { buffer.set_len(filled) };
    Ok(received)
}

/// Takes the next datagram into `buffer`, replacing what it holds and using its capacity without growing it, and
/// what does not fit there into the first of `lanes`: of a datagram longer than `cap` bytes not all, perhaps. Never
/// waits. With `beside`, takes what comes beside the datagram, too.
pub(crate) fn recv_spilling(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    lanes: &mut Lanes,
    cap: usize,
    beside: bool,
) -> io::Result<Received> {
    buffer.clear();
    lanes.fill(0, 0, 0);
    let mut copy = |held: &[u8]| {
        // One that was held is as long as it was when there was made room for it, or longer than allowed.
        buffer.extend_from_slice(held.get(..buffer.capacity()).unwrap_or(held));
        held.len()
    };
    if let Some(len) = fd.lane().and_then(|lane| lane.take(&mut copy)) {
        return Ok(Received::alone(len));
    }
    let room = buffer.spare_capacity_mut();
    let mut pieces = [
        libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() },
        lanes.first(cap.saturating_sub(room.len())),
    ];
    let spill_len = pieces[1].iov_len;
    // SAFETY: the iovecs describe `room` and the first lane, which are exclusively borrowed for the call.
    let received = unsafe { recvmsg(fd, &mut pieces, beside, false) }?;
    let written = received.len.min(room.len());
    // SAFETY: `written` is within the capacity, and the kernel wrote that many bytes from the start of it,
    // as `recvmsg` says.
    unsafe { buffer.set_len(written) };
    lanes.fill(0, received.len - written, spill_len);
    Ok(received)
}

/// Takes the next datagram into `pieces`, and with `beside` what comes beside it. `block` waits for one,
/// unless the descriptor itself is non-blocking.
///
/// The kernel fills the pieces in order, with as much of the datagram as they hold: on a datagram
/// socket, which a `DatagramFd` is known to be.
///
/// `ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags)`, with `MSG_TRUNC` and
/// `MSG_CMSG_CLOEXEC`; see [recv(2)]. `MSG_CTRUNC` means that descriptors are missing: there always is
/// room for as many as can travel.
///
/// [recv(2)]: https://man7.org/linux/man-pages/man2/recv.2.html
///
/// # Safety
///
/// Each of `pieces` describes writable memory, which is exclusively borrowed for the call.
pub(super) unsafe fn recvmsg(
    fd: &DatagramFd,
    pieces: &mut [libc::iovec],
    beside: bool,
    block: bool,
) -> io::Result<Received> {
    // SAFETY: msghdr is plain numbers and pointers, for which zero bytes are valid.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = pieces.as_mut_ptr();
    message.msg_iovlen = pieces.len() as _;
    let wait = if block { 0 } else { libc::MSG_DONTWAIT };
    let flags = libc::MSG_TRUNC | libc::MSG_CMSG_CLOEXEC | wait;
    if !beside {
        let len = retry(|| {
            // SAFETY: `message` points to iovecs, which by this function's contract describe memory that may
            // be written to, and to no name and no control messages. `fd` is open for the call, as it is
            // borrowed.
            unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut message, flags) }
        })?;
        return Ok(Received::alone(len.cast_unsigned()));
    }
    let mut name = RawName::empty();
    let mut control = Control::empty();
    let len = retry(|| {
        message.msg_name = name.as_mut_ptr().cast();
        message.msg_namelen = RawName::CAPACITY as libc::socklen_t;
        message.msg_control = control.as_mut_ptr();
        message.msg_controllen = control.capacity() as _;
        // SAFETY: as above, and `message` points to a name and to control messages, each with the number of
        // bytes that may be written there, exclusively borrowed for the call.
        unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut message, flags) }
    })?
    .cast_unsigned();
    // SAFETY: this recvmsg has filled `control` up to the length that it reports.
    let Taken { descriptors, sender } = unsafe { control.take(message.msg_controllen as usize) };
    name.set_len(message.msg_namelen);
    Ok(Received {
        len,
        name: name.read().unwrap_or(Name::Unix(UnixName::UNNAMED)),
        descriptors,
        sender,
        lacks_descriptors: message.msg_flags & libc::MSG_CTRUNC != 0,
    })
}

/// Copies a held datagram as a receive would: into `head`, and then to the end of `buffer` as far as its
/// capacity goes. Its length.
fn spill(held: &[u8], head: &mut [u8], buffer: &mut Vec<u8>) -> usize {
    let (first, rest) = held.split_at(head.len().min(held.len()));
    for (place, byte) in head.iter_mut().zip(first) {
        *place = *byte;
    }
    let room = buffer.capacity() - buffer.len();
    buffer.extend_from_slice(rest.get(..room).unwrap_or(rest));
    held.len()
}
