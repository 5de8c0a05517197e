//! `sendmsg` and `recvmsg`, with bincode by hand.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::raw;

use super::Carrier;
use crate::feed::Inbox;
use crate::message::Note;
use crate::ways::codec;

struct Plain {
    left: OwnedFd,
    right: OwnedFd,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

pub(super) fn connect() -> Result<Box<dyn Carrier>> {
    let (left, right) = raw::pair()?;
    Ok(Box::new(Plain { left, right, outgoing: vec![0; 4096], incoming: vec![0; 4096] }))
}

impl Carrier for Plain {
    fn send(&mut self, note: Note<'static>, fd: BorrowedFd<'_>) -> Result<()> {
        let bytes = codec::encode(&note, &mut self.outgoing)?;
        let mut slice = IoSlice::new(bytes);
        let mut control = Control::with(fd);
        let mut header = header(ptr::from_mut(&mut slice).cast(), &mut control);
        // SAFETY: the header points to one slice, laid out as an iovec, and to `control`, of the length that
        // it says; both outlive the call. `left` is open.
        let sent =
            unsafe { libc::sendmsg(self.left.as_raw_fd(), &raw mut header, libc::MSG_NOSIGNAL) };
        ensure!(sent >= 0, "{}", io::Error::last_os_error());
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox) -> Result<()> {
        let mut slice = IoSliceMut::new(&mut self.incoming);
        let mut control = Control::with(self.right.as_fd());
        let mut header = header(ptr::from_mut(&mut slice).cast(), &mut control);
        let flags = libc::MSG_CMSG_CLOEXEC;
        // SAFETY: the header points to one slice, laid out as an iovec, whose memory is lent exclusively, and
        // to `control`, of the length that it says; both outlive the call. `right` is open.
        let received = unsafe { libc::recvmsg(self.right.as_raw_fd(), &raw mut header, flags) };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        ensure!(header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) == 0, "something was cut");
        ensure!(header.msg_controllen >= size_of::<Control>() - 4, "no descriptor came");
        ensure!(control.kind == libc::SCM_RIGHTS, "what came beside is no descriptor");
        // SAFETY: the kernel says that it has put a descriptor there, which is nobody else's.
        drop(unsafe { OwnedFd::from_raw_fd(control.fd) });
        codec::decode(self.incoming.get(..received).context("more than fits")?, inbox)
    }
}

/// A control message of one descriptor; see [cmsg(3)]. The header's length is that of a `size_t` and two
/// integers, so nothing is padded but the end.
///
/// [cmsg(3)]: https://man7.org/linux/man-pages/man3/cmsg.3.html
#[repr(C)]
struct Control {
    len: usize,
    level: libc::c_int,
    kind: libc::c_int,
    fd: RawFd,
    _padding: u32,
}

impl Control {
    fn with(fd: BorrowedFd<'_>) -> Self {
        // Without the padding.
        let len = size_of::<Self>() - size_of::<u32>();
        let (level, kind) = (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        Self { len, level, kind, fd: fd.as_raw_fd(), _padding: 0 }
    }
}

fn header(slice: *mut libc::iovec, control: &mut Control) -> libc::msghdr {
    // SAFETY: an msghdr is numbers and pointers, for which zero bytes are valid.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = slice;
    header.msg_iovlen = 1;
    header.msg_controllen = size_of::<Control>();
    header.msg_control = ptr::from_mut(control).cast();
    header
}
