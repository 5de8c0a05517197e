//! The identity of a connection's peer, or of a datagram's sender.
//!
//! See [unix(7)] and [socket(7)].
//!
//! [unix(7)]: https://man7.org/linux/man-pages/man7/unix.7.html
//! [socket(7)]: https://man7.org/linux/man-pages/man7/socket.7.html

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::errno::retry;
use super::options::{get, get_int, set};

/// A process and its user and groups.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// The supplementary groups of a connection's peer; empty for a datagram's sender.
    pub(crate) groups: Vec<u32>,
    /// 0 for a process outside our PID namespace.
    pub(crate) pid: u32,
    pub(crate) pidfd: Option<OwnedFd>,
}

impl Credentials {
    pub(super) fn new(cred: libc::ucred, pidfd: Option<OwnedFd>) -> Self {
        let libc::ucred { pid, uid, gid } = cred;
        Self { uid, gid, groups: Vec::new(), pid: pid.cast_unsigned(), pidfd }
    }

    /// Duplicates the credentials. Drops the pidfd if the process is out of descriptors.
    pub(crate) fn duplicate(&self) -> Self {
        let pidfd = self.pidfd.as_ref().and_then(|pidfd| pidfd.try_clone().ok());
        Self { groups: self.groups.clone(), pidfd, ..*self }
    }
}

/// Returns the peer of a connected UNIX socket, as it was when it connected or called listen(2).
pub(super) fn peer(fd: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut cred = libc::ucred { pid: 0, uid: 0, gid: 0 };
    get(fd, libc::SO_PEERCRED, &mut cred)?;
    // Also fails for a process that has been reaped.
    let pidfd = get_int(fd, libc::SO_PEERPIDFD).ok().filter(|&pidfd| pidfd >= 0);
    // SAFETY: the kernel has installed this descriptor, closed on exec, for this call alone.
    let pidfd = pidfd.map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) });
    Ok(Credentials { groups: peer_groups(fd)?, ..Credentials::new(cred, pidfd) })
}

/// Returns the supplementary groups of the peer when it connected or called listen(2). Empty if the kernel
/// lacks the option (before Linux 4.13, and emulators).
fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    // NGROUPS_MAX of include/uapi/linux/limits.h: no process has more.
    const MAX: usize = 65_536;
    let mut groups = vec![0_u32; 32];
    loop {
        let mut len = size_of_val(&*groups) as libc::socklen_t;
        // SAFETY: `groups` is `len` bytes, exclusively borrowed for the call, and of numbers, which are
        // valid whatever bytes the kernel writes; the kernel writes no more than `len`. `fd` is open for
        // the call, as it is borrowed.
        let result = retry(|| unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut len,
            )
        });
        let count = usize::try_from(len).unwrap_or(usize::MAX) / size_of::<u32>();
        match result {
            Ok(_) => {
                groups.truncate(count);
                return Ok(groups);
            }
            // The kernel has written how many bytes it needs (net/core/sock.c, sk_getsockopt).
            Err(error)
                if error.raw_os_error() == Some(libc::ERANGE)
                    && (groups.len() + 1..=MAX).contains(&count) =>
            {
                groups.resize(count, 0);
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
}

/// Makes the kernel attach its sender to each datagram, since Linux 6.5 with a pidfd.
pub(super) fn identify_senders(fd: BorrowedFd<'_>) -> io::Result<()> {
    set(fd, libc::SO_PASSCRED, &1_i32)?;
    _ = set(fd, libc::SO_PASSPIDFD, &1_i32);
    Ok(())
}
