//! Control messages: the ancillary data of a datagram, in the kernel's layout.
//!
//! Each is a header (`size_t` length including the header, `int` level, `int` type), its data, and padding to
//! a multiple of `size_t`; see cmsg(3) and unix(7). Encoding and decoding bytes needs `unsafe` only for
//! what the kernel wrote, and for taking over descriptors.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::slice;

use super::identity::Credentials;
use super::name::Name;

/// The most descriptors of one datagram: `SCM_MAX_FD` of include/net/scm.h.
pub(crate) const MAX_DESCRIPTORS: usize = 253;

/// `sizeof(struct cmsghdr)`: a length and two integers.
const HEADER: usize = size_of::<usize>() + 2 * size_of::<libc::c_int>();

/// The size of the buffer for control messages: room for the most descriptors, which the kernel puts into one message,
/// for the credentials and the pidfd of their sender, and about as much again for messages that this crate does not
/// request.
pub(super) const CAPACITY: usize = 2048;

/// The pidfd of a datagram's sender: include/linux/socket.h, since Linux 6.5.
const SCM_PIDFD: libc::c_int = 4;

/// The ancillary data of a datagram.
#[derive(Debug)]
pub(crate) struct Ancillary {
    /// The sender's name; unnamed on a connection.
    pub(crate) name: Name,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Who sent it, if the socket asks for credentials.
    pub(crate) credentials: Option<Credentials>,
    /// Whether the kernel could not install some descriptors.
    pub(crate) truncated: bool,
}

impl Default for Ancillary {
    fn default() -> Self {
        Self { name: Name::UNNAMED, descriptors: Vec::new(), credentials: None, truncated: false }
    }
}

/// Memory for control messages, aligned as the kernel requires. It has no length beside it, and no `Option` around
/// it: the compiler would then write zeros to all of it.
#[repr(C, align(8))]
pub(super) struct Control([MaybeUninit<u8>; CAPACITY]);

impl Control {
    /// Creates room for messages.
    #[inline]
    pub(super) fn uninit() -> Self {
        Self([MaybeUninit::uninit(); CAPACITY])
    }

    /// Writes one `SCM_RIGHTS` message with these descriptors, and returns its bytes, all of them written. `None` for
    /// more than [`MAX_DESCRIPTORS`].
    pub(super) fn rights(
        &mut self,
        descriptors: &[BorrowedFd<'_>],
    ) -> Option<&mut [MaybeUninit<u8>]> {
        if descriptors.len() > MAX_DESCRIPTORS {
            return None;
        }
        let mut len = 0;
        let mut push = |bytes: &[u8]| {
            if let Some(place) = self.0.get_mut(len..len + bytes.len()) {
                place.write_copy_of_slice(bytes);
                len += bytes.len();
            }
        };
        push(&(HEADER + size_of_val(descriptors)).to_ne_bytes());
        push(&libc::SOL_SOCKET.to_ne_bytes());
        push(&libc::SCM_RIGHTS.to_ne_bytes());
        for descriptor in descriptors {
            push(&descriptor.as_raw_fd().to_ne_bytes());
        }
        // The padding, which sendmsg also reads.
        let end = len.next_multiple_of(size_of::<usize>());
        self.0.get_mut(len..end)?.fill(MaybeUninit::new(0));
        self.0.get_mut(..end)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::c_void {
        self.0.as_mut_ptr().cast()
    }

    /// Parses what the kernel wrote, and moves it to `ancillary`.
    ///
    /// # Safety
    ///
    /// A successful `recvmsg` has filled this with `len` bytes of control messages, and their descriptors have
    /// not been taken over before.
    pub(super) unsafe fn parse(&mut self, len: usize, ancillary: &mut Ancillary) {
        let (mut cred, mut pidfd) = (None, None);
        let mut rest = self.0.get(..len).unwrap_or_default();
        // SAFETY: `rest` begins with a message that the kernel wrote, or is empty.
        while let Some((kind, data, next)) = unsafe { split(rest) } {
            rest = next;
            let (numbers, _) = data.as_chunks();
            let numbers = numbers.iter().map(|number| RawFd::from_ne_bytes(*number));
            match kind {
                libc::SCM_CREDENTIALS => cred = credentials(data),
                libc::SCM_RIGHTS | SCM_PIDFD => {
                    // A pidfd is a negative error number if the process is gone.
                    let numbers = numbers.filter(|&number| number >= 0);
                    // SAFETY: the kernel has installed this descriptor for us alone (unix(7),
                    // SCM_RIGHTS), and by this function's contract it has not been taken over before.
                    let mut owned = numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) });
                    match kind {
                        SCM_PIDFD => pidfd = owned.next(),
                        _ => ancillary.descriptors.extend(owned),
                    }
                }
                _ => {}
            }
        }
        ancillary.credentials = cred.map(|cred| Credentials::new(cred, pidfd));
    }
}

/// `struct ucred`: three integers.
fn credentials(data: &[u8]) -> Option<libc::ucred> {
    let (pid, rest) = data.split_first_chunk()?;
    let (uid, rest) = rest.split_first_chunk()?;
    let gid = rest.first_chunk()?;
    let pid = libc::pid_t::from_ne_bytes(*pid);
    Some(libc::ucred { pid, uid: u32::from_ne_bytes(*uid), gid: u32::from_ne_bytes(*gid) })
}

/// A message's type, its data, and the bytes after it.
type Message<'b> = (libc::c_int, &'b [u8], &'b [MaybeUninit<u8>]);

/// Splits off the first message.
///
/// # Safety
///
/// The kernel wrote `bytes`: a header wherever a message begins, and its data.
unsafe fn split(bytes: &[MaybeUninit<u8>]) -> Option<Message<'_>> {
    let header = bytes.get(..HEADER)?;
    // SAFETY: the kernel wrote all of a header (net/core/scm.c, put_cmsg).
    let header = unsafe { slice::from_raw_parts(header.as_ptr().cast::<u8>(), HEADER) };
    let (len, rest) = header.split_first_chunk()?;
    let (level, rest) = rest.split_first_chunk()?;
    let len = usize::from_ne_bytes(*len);
    let data = bytes.get(HEADER..len)?;
    // SAFETY: as above, all of the data. Only the padding after it is left unwritten.
    let data = unsafe { slice::from_raw_parts(data.as_ptr().cast::<u8>(), data.len()) };
    // The last message may have no padding.
    let next = bytes.get(len.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
    // Every message that our sockets can get has this level. Other levels have different types.
    let is_socket = libc::c_int::from_ne_bytes(*level) == libc::SOL_SOCKET;
    let kind = if is_socket { libc::c_int::from_ne_bytes(*rest.first_chunk()?) } else { 0 };
    Some((kind, data, next))
}
