//! Connects, and creates connected pairs.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use super::failure::{Target, failed};
use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::sys::{self, DatagramFd, EALREADY, EINPROGRESS};

/// Connects to a listener.
pub(crate) fn connect(address: &Address, options: &Options) -> Result<DatagramFd, OpenError> {
    let connecting = Connecting::new(address, options)?;
    connecting.connect(options.deadline)?;
    connecting.finish()
}

/// A socket that is not connected yet.
#[derive(Debug)]
pub(crate) struct Connecting<'a> {
    fd: DatagramFd,
    target: Target<'a>,
    server_uid: Option<u32>,
}

/// The result of an attempt to connect without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    Connected,
    /// The backlog is full, and the kernel does not report when it has room.
    BacklogFull,
    /// The socket becomes writable when it is connected, or has failed.
    InProgress,
}

impl<'a> Connecting<'a> {
    /// Opens a socket that can connect to `address`.
    pub(crate) fn new(address: &'a Address, options: &Options) -> Result<Self, OpenError> {
        let target = Target::connection(address)?;
        target.check_identity(options.server_uid.is_some())?;
        let fd = DatagramFd::open(target.kind).map_err(target.failed("opening"))?;
        options.set_buffers(&fd).map_err(target.failed("setting the buffers of"))?;
        Ok(Self { fd, target, server_uid: options.server_uid })
    }

    /// Connects with a blocking call, which waits in the kernel for room in the backlog. A send timeout also
    /// bounds a connect (socket(7), SO_SNDTIMEO).
    fn connect(&self, deadline: Option<Instant>) -> Result<(), OpenError> {
        let failed = |source| self.target.not_connected(source);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some() {
                sys::set_send_timeout(self.as_fd(), left).map_err(failed)?;
            }
            match self.fd.connect(self.target.address.name()) {
                Ok(()) if left.is_some() => {
                    return sys::set_send_timeout(self.as_fd(), None).map_err(failed);
                }
                Ok(()) => return Ok(()),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted | ErrorKind::WouldBlock => {}
                    _ if is_in_progress(&error) => {}
                    _ => return Err(failed(error)),
                },
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Err(self.timed_out());
            }
        }
    }

    /// Begins or continues to connect, without waiting.
    pub(crate) fn attempt(&self) -> Result<Attempt, OpenError> {
        match self.fd.try_connect(self.target.address.name()) {
            Ok(()) => Ok(Attempt::Connected),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Attempt::BacklogFull),
            Err(error) if is_in_progress(&error) => Ok(Attempt::InProgress),
            Err(error) => Err(self.target.not_connected(error)),
        }
    }

    /// Returns the error of a deadline that has passed.
    pub(crate) fn timed_out(&self) -> OpenError {
        OpenError::TimedOut { address: self.target.address.to_string() }
    }

    /// Returns the connected socket, after checking who the server is.
    pub(crate) fn finish(self) -> Result<DatagramFd, OpenError> {
        if let Some(required) = self.server_uid {
            let found = self.fd.peer().map_err(self.target.failed("identifying"))?.uid;
            if found != required {
                let address = self.target.address.to_string();
                return Err(OpenError::WrongServer { address, required, found });
            }
        }
        Ok(self.fd)
    }
}

impl AsFd for Connecting<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn is_in_progress(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EALREADY | EINPROGRESS))
}

/// Creates two connected ends.
pub(crate) fn pair(options: &Options) -> Result<(DatagramFd, DatagramFd), OpenError> {
    let (left, right) = DatagramFd::pair().map_err(failed("making a pair of sockets"))?;
    for fd in [&left, &right] {
        options.set_buffers(fd).map_err(failed("setting the buffers of a pair"))?;
    }
    Ok((left, right))
}
