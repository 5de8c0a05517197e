//! Child processes that get one end of a connection.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use ::tokio::io::Interest;
use ::tokio::io::unix::AsyncFd;
use ::tokio::time::sleep;

use super::connecting::not_registered;
use super::connection::Connection;
use crate::child;
use crate::error::OpenError;
use crate::message::Message;
use crate::options::Options;
use crate::sys;

/// How often to check whether a child without a pidfd has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// A child process and the connection to it, which sends messages of type `Tx` and receives messages of type
/// `Rx`.
///
/// See [`Child`](crate::Child).
///
/// ```no_run
/// use std::process::Command;
///
/// use datagrammar::Message;
/// use datagrammar::tokio::Child;
///
/// #[derive(Message)]
/// enum Ask {
///     #[message(tag = 1)]
///     Double(u32),
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut command = Command::new("/usr/libexec/doubler");
/// let (mut child, mut process) = Child::<Ask, Ask>::spawn(&mut command)?.into_parts();
/// child.send(&Ask::Double(21)).await?;
/// match child.recv().await? {
///     Some(frame) => {
///         let Ask::Double(number) = frame.decode()?;
///         assert_eq!(number, 42);
///     }
///     None => println!("the child has ended: {}", process.wait().await?),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Child<Tx, Rx> {
    connection: Connection<Tx, Rx>,
    process: Process,
}

impl<Tx: Message, Rx: Message> Child<Tx, Rx> {
    /// Starts a child. See [`Child::spawn`](crate::Child::spawn).
    ///
    /// # Errors
    ///
    /// Those of [`Child::spawn`](crate::Child::spawn).
    ///
    /// # Panics
    ///
    /// Those of [`Child::spawn`](crate::Child::spawn). Like tokio's own sockets, outside a tokio runtime, or if
    /// its I/O or time driver is not enabled.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Result<Self, OpenError> {
        Self::spawn_with(command, &Options::new())
    }

    /// Starts a child, with options. See [`Child::spawn_with`](crate::Child::spawn_with).
    ///
    /// # Errors
    ///
    /// Those of [`Child::spawn`](crate::Child::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    #[track_caller]
    pub fn spawn_with(command: &mut Command, options: &Options) -> Result<Self, OpenError> {
        let (connection, process) = child::Child::spawn_with(command, options)?.into_parts();
        let connection = Connection::from_blocking(connection);
        let connection = connection.map_err(|(_, source)| not_registered(source))?;
        Ok(Self { connection, process: Process::from_blocking(process) })
    }

    /// Returns the connection to the child.
    pub fn connection(&mut self) -> &mut Connection<Tx, Rx> {
        &mut self.connection
    }

    /// Returns the child's process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Returns both, which can be used independently.
    #[must_use]
    pub fn into_parts(self) -> (Connection<Tx, Rx>, Process) {
        (self.connection, self.process)
    }
}

impl<Tx, Rx> fmt::Debug for Child<Tx, Rx> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("process", &self.process).finish_non_exhaustive()
    }
}

/// A child's process.
///
/// See [`Process`](crate::Process).
///
/// Dropping it kills the child, and blocks the thread until the child has ended. To avoid blocking, call
/// [`kill`](Self::kill) and [`wait`](Self::wait) first.
#[derive(Debug)]
pub struct Process {
    inner: child::Process,
    /// A duplicate of the pidfd, which becomes readable when the child ends.
    pidfd: Option<AsyncFd<OwnedFd>>,
}

impl Process {
    /// Registers a process with the current runtime.
    ///
    /// # Panics
    ///
    /// As [`Child::spawn`].
    #[must_use]
    #[track_caller]
    pub fn from_blocking(process: child::Process) -> Self {
        let pidfd = match process.pidfd() {
            // If it fails, `wait` checks from time to time.
            Some(pidfd) => sys::register_duplicate(pidfd, Interest::READABLE).ok(),
            None => None,
        };
        Self { inner: process, pidfd }
    }

    /// Returns the blocking process, which also has the pipes of the child's output.
    #[must_use]
    pub fn into_blocking(self) -> child::Process {
        self.inner
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    /// Returns the descriptor of the process: see [`Process::pidfd`](crate::Process::pidfd).
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.pidfd()
    }

    /// Waits until the child ends, and returns its exit status. Cancel-safe.
    ///
    /// # Errors
    ///
    /// Those of [`Process::wait`](crate::Process::wait).
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.inner.try_wait()? {
                return Ok(status);
            }
            let Some(pidfd) = &self.pidfd else {
                sleep(PAUSE).await;
                continue;
            };
            let mut ready = pidfd.readable().await?;
            if let Some(status) = self.inner.try_wait()? {
                return Ok(status);
            }
            ready.clear_ready();
        }
    }

    /// Returns the exit status if the child has ended.
    ///
    /// # Errors
    ///
    /// Those of [`Process::try_wait`](crate::Process::try_wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.inner.try_wait()
    }

    /// Kills the child (SIGKILL): see [`Process::kill`](crate::Process::kill).
    ///
    /// # Errors
    ///
    /// Those of [`Process::kill`](crate::Process::kill).
    pub fn kill(&mut self) -> io::Result<()> {
        self.inner.kill()
    }
}
