//! Child processes that get one end of a connection, and no other descriptor except their output.

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{self, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::error::OpenError;
use crate::message::Message;
use crate::options::Options;
use crate::sys::{self, ChildState, Readiness};

/// A child process and the connection to it, which sends messages of type `Tx` and receives messages of
/// type `Rx`.
///
/// The child's standard input is its end of the connection. [`Connection::inherited`] takes it over there.
/// The child also gets a standard output and error, as the [`Command`] says. Every other descriptor is
/// closed, even if it is not marked close-on-exec. When the child ends for any reason, the connection ends,
/// and [`Process::wait`] returns the exit status.
///
/// ```no_run
/// use std::process::Command;
///
/// use datagrammar::{Child, Connection, Message};
///
/// #[derive(Message)]
/// enum Ask {
///     #[message(tag = 1)]
///     Double(u32),
/// }
/// #[derive(Message)]
/// enum Tell {
///     #[message(tag = 1)]
///     Doubled(u32),
/// }
///
/// // The child: the same program with another argument.
/// if std::env::args().nth(1).as_deref() == Some("child") {
///     let mut parent = Connection::<Tell, Ask>::inherited()?;
///     while let Some(frame) = parent.recv()? {
///         let Ask::Double(number) = frame.decode()?;
///         parent.send(&Tell::Doubled(2 * number))?;
///     }
///     return Ok(());
/// }
///
/// // The parent.
/// let mut command = Command::new(std::env::current_exe()?);
/// let mut child = Child::<Ask, Tell>::spawn(command.arg("child"))?;
/// child.connection().send(&Ask::Double(21))?;
/// match child.connection().recv()? {
///     Some(frame) => {
///         let Tell::Doubled(number) = frame.decode()?;
///         assert_eq!(number, 42);
///     }
///     None => println!("the child has ended: {}", child.process().wait()?),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Child<Tx, Rx> {
    connection: Connection<Tx, Rx>,
    process: Process,
}

impl<Tx: Message, Rx: Message> Child<Tx, Rx> {
    /// Starts a child.
    ///
    /// Pipes requested with [`Stdio::piped`] are in the [`Process`]. The command's standard input is replaced;
    /// afterwards it is [`Stdio::null`], and the command can be used again. Each use adds a
    /// [`pre_exec`](std::os::unix::process::CommandExt::pre_exec) step that all later children run. So create a new
    /// command for each child if you spawn many.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] if the program cannot be started, or if it would get other descriptors: then no
    /// child runs. [`OpenError::Exhausted`].
    ///
    /// # Panics
    ///
    /// The standard library panics if SIGCHLD is ignored and the program cannot be started.
    pub fn spawn(command: &mut Command) -> Result<Self, OpenError> {
        Self::spawn_with(command, &Options::new())
    }

    /// Starts a child, with options: `limits`, `budget` and `eager` for this end of the connection, and
    /// `recv_buffer` and `send_buffer` for both ends. The child sets its own with [`Connection::inherited_with`].
    ///
    /// ```no_run
    /// use std::process::Command;
    ///
    /// use datagrammar::{Child, Limits, Options};
    /// # #[derive(datagrammar::Message)]
    /// # enum Ask { #[message(tag = 1)] Double(u32) }
    ///
    /// let options = Options::new().limits(Limits::new().frame_len(64 << 20));
    /// let mut command = Command::new("/usr/libexec/doubler");
    /// let child = Child::<Ask, Ask>::spawn_with(&mut command, &options)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    pub fn spawn_with(command: &mut Command, options: &Options) -> Result<Self, OpenError> {
        let program = command.get_program().to_owned();
        let failed = |source| OpenError::Io { action: format!("starting {program:?}"), source };
        let (connection, theirs) = Connection::<Tx, Rx>::pair_with(options)?;
        let (theirs, _) = theirs.into_fd().map_err(failed)?;
        sys::inherit_only_stdio(command).map_err(|source| {
            let action = format!("keeping descriptors from {program:?} (close_range)");
            OpenError::Io { action, source }
        })?;
        let started = command.stdin(Stdio::from(theirs)).spawn();
        // Otherwise the command keeps the child's end open, and the connection does not end.
        command.stdin(Stdio::null());
        Ok(Self { connection, process: Process::new(started.map_err(failed)?) })
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
/// Dropping it kills the child and waits for its end, so no child outlives its handle or stays a zombie. A
/// child that this process may not kill, because it has changed its user, is left alone: it sees the end of
/// its connection.
///
/// A descriptor identifies the child ([`Process::pidfd`]). So no other process is killed or waited for,
/// even if the kernel reuses the child's process id.
///
/// The handle belongs to the process that spawned the child. In a forked copy of that process, dropping it
/// does nothing, and killing and waiting fail with [`ErrorKind::PermissionDenied`].
///
/// ```no_run
/// use std::io::read_to_string;
/// use std::process::{Command, Stdio};
/// # #[derive(datagrammar::Message)]
/// # enum Ask { #[message(tag = 1)] Double(u32) }
///
/// let mut command = Command::new("/usr/libexec/doubler");
/// let mut child = datagrammar::Child::<Ask, Ask>::spawn(command.stderr(Stdio::piped()))?;
/// let stderr = child.process().stderr.take().expect("it is piped");
/// println!("the child says: {}", read_to_string(stderr)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Process {
    /// The pipe from the child's standard output, if the [`Command`] has [`Stdio::piped`].
    pub stdout: Option<ChildStdout>,
    /// The pipe from the child's standard error, if the [`Command`] has [`Stdio::piped`].
    pub stderr: Option<ChildStderr>,
    child: process::Child,
    /// `None` if pidfd_open(2) is refused, or if the child had already been reaped. The process id then
    /// identifies the child: the kernel does not reuse it before the child is waited for.
    pidfd: Option<OwnedFd>,
    /// The last known state of the child.
    state: ChildState,
    /// The id of the process that spawned the child.
    parent: u32,
}

/// The longest pause between checks of a child that has no descriptor.
const MAX_PAUSE: Duration = Duration::from_millis(10);

impl Process {
    fn new(mut child: process::Child) -> Self {
        Self {
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            pidfd: sys::pidfd_open(child.id()).ok(),
            child,
            state: ChildState::Running,
            parent: process::id(),
        }
    }

    /// Returns the child's process id. The kernel may reuse it after the child has been waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the child's descriptor, for pollers. It becomes readable when the child ends. `None` if the
    /// system refuses pidfd_open(2), as some sandboxes do. Everything else works without it.
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(OwnedFd::as_fd)
    }

    /// Waits for the child to end, and returns its exit status.
    ///
    /// Read piped output first: a child blocks on a full pipe, and does not end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if the child has ended and its exit status is lost: something else in this
    /// process has waited for it, or SIGCHLD is ignored. The errors of waitid(2).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.status(true)? {
                return Ok(status);
            }
        }
    }

    /// Returns the child's exit status, or `None` if the child still runs.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.status(false)
    }

    /// Waits for the child to end until `deadline`. Returns its exit status, or `None` if the child still
    /// runs.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait).
    pub fn wait_deadline(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        let mut backoff = Backoff::up_to(MAX_PAUSE);
        loop {
            let status = self.status(false)?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            match self.pidfd() {
                Some(pidfd) => _ = sys::wait(pidfd, Readiness::Readable, Some(deadline))?,
                None => _ = backoff.wait_until(Some(deadline)),
            }
        }
    }

    /// Kills the child, unless it has ended.
    ///
    /// # Errors
    ///
    /// The errors of kill(2), such as `EPERM` if this process has changed its user and may no longer kill the child.
    pub fn kill(&mut self) -> io::Result<()> {
        match self.state(false)? {
            ChildState::Running => {
                sys::kill(&mut self.child, self.pidfd.as_ref().map(OwnedFd::as_fd))
            }
            ChildState::Ended(_) | ChildState::Lost => Ok(()),
        }
    }

    fn status(&mut self, block: bool) -> io::Result<Option<ExitStatus>> {
        match self.state(block)? {
            ChildState::Running => Ok(None),
            ChildState::Ended(status) => Ok(Some(status)),
            ChildState::Lost => Err(io::Error::new(
                ErrorKind::NotFound,
                "the child has ended, and its exit status is lost: something else in this process has waited for it, or SIGCHLD is ignored",
            )),
        }
    }

    /// Returns the child's state. Remembers an end, because the kernel may reuse the process id afterwards.
    fn state(&mut self, block: bool) -> io::Result<ChildState> {
        let (own, parent) = (process::id(), self.parent);
        if own != parent {
            let why = format!(
                "the child belongs to process {parent}, which spawned it, not to its copy {own}"
            );
            return Err(io::Error::new(ErrorKind::PermissionDenied, why));
        }
        if let ChildState::Running = self.state {
            let pidfd = self.pidfd.as_ref().map(OwnedFd::as_fd);
            self.state = sys::wait_for(&mut self.child, pidfd, block)?;
        }
        Ok(self.state)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Waiting for a child that cannot be killed could block forever.
        if self.kill().is_ok() {
            _ = self.wait();
        }
    }
}
