//! Receiving one frame: peek, policy, room, receive, and the check that it is the frame peeked.

use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::AsFd;

use super::assembly::Assembly;
use super::envelope::receive_memory;
use super::pool::{Loan, Width};
use super::wait::{MAX_PAUSE, NotReady};
use crate::backoff::Backoff;
use crate::error::RecvError;
use crate::limits::Limits;
use crate::message::Descriptors;
use crate::sys::{
    self, Credentials, DatagramFd, Kind, Lanes, Name, Peeked, Readiness, Received, UnixName,
};
use crate::wait::Wait;
use crate::wire::{HEAD_LEN, RESERVED_TAG};

/// Receives a frame from a connection into `buffer`, and the descriptors beside it if `descriptors`
/// may come; `None` at the end. What has come of a frame in pieces is kept in `assembly` between calls.
pub(super) fn receive(
    fd: &DatagramFd,
    assembly: &mut Assembly,
    buffer: &mut Vec<u8>,
    descriptors: bool,
    limits: Limits,
    wait: Wait,
) -> Result<Option<Descriptors>, RecvError> {
    let mut rounds = 0;
    loop {
        let peeked = peek(fd, wait)?;
        assembly.meet(&peeked)?;
        if is_reserved(&peeked) {
            match assembly.receive(fd, buffer, &peeked, limits)? {
                Some(descriptors) => return Ok(Some(descriptors)),
                // What has come is kept for the next call.
                None => wait.goes_on(&mut rounds)?,
            }
            continue;
        }
        if peeked.len == 0 {
            return Ok(None);
        }
        let taken = match Loan::take(Width::Single) {
            Some(mut lanes) => take_whole(fd, buffer, &mut lanes, peeked.len, descriptors, limits)?,
            None => take_exactly(fd, buffer, peeked.len, descriptors, limits)?,
        };
        let Some(descriptors) = taken else { continue };
        let taken = Peeked::of(buffer);
        if !is_reserved(&taken) {
            return Ok(Some(descriptors));
        }
        // A piece, in the place of what was peeked.
        let piece = mem::take(buffer);
        assembly.meet(&taken)?;
        if assembly.add(buffer, &taken, &piece, limits)? {
            return Ok(Some(descriptors));
        }
    }
}

/// Takes the peeked datagram, or another one if somebody else has taken it, whole: what does not fit the
/// room made for it goes to a lane. `None` when there is none.
fn take_whole(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    lanes: &mut Lanes,
    peeked: usize,
    descriptors: bool,
    limits: Limits,
) -> Result<Option<Descriptors>, RecvError> {
    buffer.clear();
    let expected = if peeked > limits.frame_len { 0 } else { peeked };
    buffer.try_reserve_exact(expected).map_err(|_| RecvError::NoMemory { len: peeked })?;
    let received =
        taken(fd, || sys::recv_spilling(fd, buffer, lanes, longest(limits), descriptors))?;
    let Some(received) = received.filter(|received| received.len > 0) else { return Ok(None) };
    let len = received.len;
    let descriptors = lost_descriptors(fd, received)?.descriptors.into();
    if len != peeked {
        not_as_peeked(fd)?;
    }
    let spilled = lanes.bytes(0);
    let is_piece = is_reserved(&Peeked::of(if buffer.is_empty() { spilled } else { buffer }));
    if len > limits.frame_len && !is_piece {
        return Err(too_large(len, limits));
    }
    if buffer.len() + spilled.len() < len {
        return Err(RecvError::Stolen { peeked, len });
    }
    buffer.try_reserve_exact(spilled.len()).map_err(|_| RecvError::NoMemory { len })?;
    buffer.extend_from_slice(spilled);
    Ok(Some(descriptors))
}

/// How much of a datagram may be needed, in bytes: those of a frame, or of a piece with its head.
pub(super) fn longest(limits: Limits) -> usize {
    limits.frame_len.saturating_add(HEAD_LEN)
}

/// Another holder has taken the datagram that was peeked, or has set a peek offset, which makes peeks report too
/// little or miss datagrams that are there: sees to the latter.
#[cold]
pub(super) fn not_as_peeked(fd: &DatagramFd) -> Result<(), RecvError> {
    Ok(fd.reset_peek_offset()?)
}

/// Takes the peeked datagram into exactly as much room. `None` when there is none.
fn take_exactly(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    peeked: usize,
    descriptors: bool,
    limits: Limits,
) -> Result<Option<Descriptors>, RecvError> {
    if !make_room(fd, buffer, peeked, limits)? {
        return Ok(None);
    }
    let (len, descriptors) = if descriptors {
        let Some(received) = take_message(fd, &mut [], buffer)? else { return Ok(None) };
        (received.len, received.descriptors.into())
    } else {
        let Some(len) = taken(fd, || sys::recv(fd, buffer))? else { return Ok(None) };
        (len, Descriptors::default())
    };
    if len == 0 {
        return Ok(None);
    }
    check(fd, buffer, peeked, len, limits)?;
    Ok(Some(descriptors))
}

/// Whether a datagram begins with tag 0: it is no message then, but the runtime's own.
#[inline]
pub(super) fn is_reserved(peeked: &Peeked) -> bool {
    const RESERVED: u8 = RESERVED_TAG as u8;
    matches!(peeked, Peeked { len: 1.., head: [RESERVED, ..] })
}

/// What comes with a frame on a unconnected socket.
pub(crate) struct Beside {
    pub(crate) name: Name,
    pub(crate) descriptors: Descriptors,
    pub(crate) sender: Option<Credentials>,
}

/// Receives a frame from a unconnected socket, and tells who sent it: with descriptors and
/// credentials if `all` of that may come, else with the name alone.
#[inline]
pub(crate) fn receive_from(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    all: bool,
    limits: Limits,
    wait: Wait,
) -> Result<Beside, RecvError> {
    let mut backoff = Backoff::up_to(MAX_PAUSE);
    loop {
        let peeked = peek(fd, wait)?;
        if is_reserved(&peeked) && fd.kind() == Kind::UnixDatagram {
            match receive_memory(fd, buffer, &peeked, limits)? {
                Some(received) => return Ok(received),
                None => continue,
            }
        }
        if !make_room(fd, buffer, peeked.len, limits)? {
            continue;
        }
        let taken = match all {
            true => take_message(fd, &mut [], buffer)?
                .map(|received| (received.len, Beside::from(received))),
            false => taken(fd, || sys::recv_from(fd, buffer))?.map(|(len, name)| {
                (len, Beside { name, descriptors: Descriptors::default(), sender: None })
            }),
        };
        let Some((len, beside)) = taken else {
            // Once a socket has been shut down, a peek that waits returns 0 without a datagram.
            if peeked.len == 0 {
                wait.pause(&mut backoff)?;
            }
            continue;
        };
        if len == 0 {
            return Err(RecvError::Empty);
        }
        check(fd, buffer, peeked.len, len, limits)?;
        return Ok(beside);
    }
}

impl From<Received> for Beside {
    fn from(Received { name, descriptors, sender, .. }: Received) -> Self {
        Self { name, descriptors: descriptors.into(), sender }
    }
}

/// Takes a datagram with its descriptors, all of them or none: its first bytes into `head`, the others
/// into `buffer` after what it holds. `None` when nothing is there yet.
pub(super) fn take_message(
    fd: &DatagramFd,
    head: &mut [u8],
    buffer: &mut Vec<u8>,
) -> Result<Option<Received>, RecvError> {
    let received = taken(fd, || sys::recv_message(fd, head, buffer))?;
    received.map(|received| lost_descriptors(fd, received)).transpose()
}

/// An error if descriptors were lost.
pub(super) fn lost_descriptors(fd: &DatagramFd, received: Received) -> Result<Received, RecvError> {
    if received.lacks_descriptors {
        // Asked while those that came are still open, and count.
        let limit = sys::open_file_limit(fd.as_fd());
        return Err(RecvError::DescriptorsLost { received: received.descriptors.len(), limit });
    }
    Ok(received)
}

/// The length and the first bytes of the next frame, which stays queued; a length of 0 at the end of
/// a connection.
#[inline]
pub(crate) fn peek(fd: &DatagramFd, wait: Wait) -> Result<Peeked, RecvError> {
    let peeked = match taken(fd, || sys::peek(fd, wait.blocks()))? {
        Some(peeked) => peeked,
        None => peek_when_ready(fd, wait)?,
    };
    if peeked.len == 0 && fd.kind() == Kind::UnixSeqpacket {
        // As for `is_over`. An empty datagram is still there.
        return Ok(taken(fd, || sys::peek(fd, false))?.unwrap_or(peeked));
    }
    Ok(peeked)
}

/// Whether the end has come when it has been told.
///
/// A UNIX socket may tell it too early, once: a receive that finds nothing, and after that that the peer has
/// closed, does not look again for what the peer has sent in between (net/unix/af_unix.c, unix_dgram_recvmsg).
#[cold]
pub(super) fn is_over(fd: &DatagramFd) -> Result<bool, RecvError> {
    if fd.kind() != Kind::UnixSeqpacket {
        return Ok(true);
    }
    Ok(taken(fd, || sys::peek(fd, false))?.is_none_or(|next| next.len == 0))
}

/// Peeks once the socket is ready.
#[cold]
fn peek_when_ready(fd: &DatagramFd, wait: Wait) -> Result<Peeked, RecvError> {
    let mut patience = Patience::new();
    loop {
        patience.wait(fd, wait)?;
        if let Some(peeked) = taken(fd, || sys::peek(fd, wait.blocks()))? {
            return Ok(peeked);
        }
    }
}

/// Waits until a socket is ready.
///
/// It may be ready, and have nothing to receive: another holder has taken the frame or set a peek
/// offset past it, or the socket stays ready for an error that is in a queue of its own, or because
/// it was shut down. So that this does not spin, pauses take over.
#[derive(Debug)]
pub(super) struct Patience(Option<Backoff>);

impl Patience {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    #[cold]
    pub(super) fn wait(&mut self, fd: &DatagramFd, wait: Wait) -> Result<(), RecvError> {
        match &mut self.0 {
            None => self.0 = Some(Backoff::up_to(MAX_PAUSE)),
            Some(backoff) => {
                fd.reset_peek_offset()?;
                wait.pause(backoff)?;
            }
        }
        Ok(wait.ready(fd.as_fd(), Readiness::Readable)?)
    }
}

impl From<NotReady> for RecvError {
    #[cold]
    fn from(reason: NotReady) -> Self {
        match reason {
            NotReady::WouldBlock => Self::WouldBlock,
            NotReady::TimedOut => Self::TimedOut,
            NotReady::Io(error) => Self::Io(error),
        }
    }
}

/// Makes room for the peeked frame, or drops it if it is over the limit. `false` when somebody else
/// has taken it by then.
#[inline]
fn make_room(
    fd: &DatagramFd,
    buffer: &mut Vec<u8>,
    peeked: usize,
    limits: Limits,
) -> Result<bool, RecvError> {
    if peeked > limits.frame_len {
        return match discard(fd)? {
            Some(0) | None => Ok(false),
            Some(len) if len > limits.frame_len => Err(too_large(len, limits)),
            Some(len) => Err(RecvError::Stolen { peeked, len }),
        };
    }
    buffer.clear();
    match buffer.try_reserve_exact(peeked) {
        Ok(()) => Ok(true),
        Err(_) => Err(RecvError::NoMemory { len: peeked }),
    }
}

/// Drops a datagram, and tells its length. `None` when nothing is there.
pub(super) fn discard(fd: &DatagramFd) -> Result<Option<usize>, RecvError> {
    taken(fd, || sys::discard(fd))
}

/// Checks that the frame received came whole: it need not be the one that was peeked.
#[inline]
fn check(
    fd: &DatagramFd,
    buffer: &[u8],
    peeked: usize,
    len: usize,
    limits: Limits,
) -> Result<(), RecvError> {
    if len == peeked {
        return Ok(());
    }
    not_as_peeked(fd)?;
    if len > buffer.len() {
        return Err(RecvError::Stolen { peeked, len });
    }
    if len > limits.frame_len {
        return Err(too_large(len, limits));
    }
    Ok(())
}

/// The result of a call that takes or peeks, or `None` when nothing is there yet.
#[inline]
pub(super) fn taken<T: Nothing>(
    fd: &DatagramFd,
    mut call: impl FnMut() -> io::Result<T>,
) -> Result<Option<T>, RecvError> {
    loop {
        match call() {
            Ok(taken) => return Ok(Some(taken)),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => return Ok(None),
                ErrorKind::ConnectionRefused => return Err(RecvError::Refused),
                // The peer closed without reading all that it was sent, and the kernel says so by
                // a reset. On a UNIX socket that is reported once, *before* frames that can still
                // be read (net/unix/af_unix.c, unix_release_sock): go on to them. On vsock it is
                // reported after them, and for ever: it is the end.
                ErrorKind::ConnectionReset if fd.kind() != Kind::VsockSeqpacket => {}
                ErrorKind::ConnectionReset => return Ok(Some(T::NOTHING)),
                _ => return Err(RecvError::Io(error)),
            },
        }
    }
}

/// What a call returns at the end.
pub(super) trait Nothing {
    const NOTHING: Self;
}

impl Nothing for usize {
    const NOTHING: Self = 0;
}

impl Nothing for (usize, Name) {
    const NOTHING: Self = (0, Name::Unix(UnixName::UNNAMED));
}

impl Nothing for Peeked {
    const NOTHING: Self = Self { len: 0, head: [0; _] };
}

impl Nothing for Received {
    const NOTHING: Self = Self::alone(0);
}

#[cold]
pub(super) fn too_large(len: usize, limits: Limits) -> RecvError {
    RecvError::TooLarge { len, limit: limits.frame_len }
}
