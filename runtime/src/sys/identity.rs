//! The identity of a connection's peer, or of a datagram's sender.
//!
//! See unix(7) and socket(7).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use super::kind::Kind;
use super::options::{get, get_int, set};
use super::socket::DatagramFd;

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

impl DatagramFd {
    /// Returns the peer, as it was when it connected or called listen(2); EOPNOTSUPP except for UNIX connections.
    pub(crate) fn peer(&self) -> io::Result<Credentials> {
        self.check_kind(Kind::UnixSeqpacket)?;
        let fd = self.as_fd();
        let mut cred = [libc::ucred { pid: 0, uid: 0, gid: 0 }];
        get(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, &mut cred)?;
        // Also fails for a process that has been reaped.
        let pidfd = get_int(fd, libc::SO_PEERPIDFD).ok().filter(|&pidfd| pidfd >= 0);
        // SAFETY: the kernel has installed this descriptor, closed on exec, for this call alone.
        let pidfd = pidfd.map(|pidfd| unsafe { OwnedFd::from_raw_fd(pidfd) });
        Ok(Credentials { groups: peer_groups(fd)?, ..Credentials::new(cred[0], pidfd) })
    }

    /// Makes the kernel attach its sender to each datagram, since Linux 6.5 with a pidfd; EOPNOTSUPP except for UNIX
    /// datagram sockets.
    pub(crate) fn identify_senders(&self) -> io::Result<()> {
        self.check_kind(Kind::UnixDatagram)?;
        set(self.as_fd(), libc::SO_PASSCRED, &1_i32)?;
        _ = set(self.as_fd(), libc::SO_PASSPIDFD, &1_i32);
        Ok(())
    }

    fn check_kind(&self, kind: Kind) -> io::Result<()> {
        match self.kind() == kind {
            true => Ok(()),
            false => Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
        }
    }
}

/// Returns the supplementary groups of the peer when it connected or called listen(2). Empty if the kernel
/// lacks the option (before Linux 4.13, and emulators).
fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    // NGROUPS_MAX of include/uapi/linux/limits.h: no process has more.
    const MAX: usize = 65_536;
    let mut groups = vec![0_u32; 32];
    loop {
        match get(fd, libc::SOL_SOCKET, libc::SO_PEERGROUPS, &mut groups) {
            Ok(len) => {
                groups.truncate(len / size_of::<u32>());
                return Ok(groups);
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::ERANGE) if groups.len() < MAX => groups.resize(groups.len() * 2, 0),
                Some(libc::ENOPROTOOPT) => return Ok(Vec::new()),
                _ => return Err(error),
            },
        }
    }
}
