//! Children: processes that get one end of a connection, and no other descriptor but their output.

use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{self, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::backoff::Backoff;
use crate::connection::Connection;
use crate::error::OpenError;
use crate::message::Message;
use crate::sys::{self, Fate, Readiness};

/// A child process and the connection to it, which sends messages of type `Tx` and receives messages of
/// type `Rx`.
///
/// The child has its end as its standard input, where [`Connection::inherited`] takes it over. Of its
/// parent's other descriptors it inherits its standard output and error alone, and these as the
/// [`Command`] says; all others are closed, whether or not they are marked so. When it ends, however that
/// comes about, so does the connection, and [`Process::wait`] says how.
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
/// // The child, which is the same program under another argument.
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
/// let (mut child, mut process) = Child::<Ask, Tell>::spawn(command.arg("child"))?.into_parts();
/// child.send(&Ask::Double(21))?;
/// match child.recv()? {
///     Some(frame) => {
///         let Tell::Doubled(number) = frame.decode()?;
///         assert_eq!(number, 42);
///     }
///     None => println!("the child has ended: {}", process.wait()?),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Child<Tx, Rx> {
    connection: Connection<Tx, Rx>,
    process: Process,
}

impl<Tx: Message, Rx: Message> Child<Tx, Rx> {
    /// Starts a child. The command's standard input is replaced, and left empty afterwards, so that the
    /// command can be used again. Where the command says [`Stdio::piped`], the pipes are in the [`Process`].
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] when the program cannot be started, or its descriptors cannot be kept from it:
    /// then nothing was started. [`OpenError::Exhausted`].
    ///
    /// # Panics
    ///
    /// The standard library does where SIGCHLD is ignored, if the program cannot be started then.
    pub fn spawn(command: &mut Command) -> Result<Self, OpenError> {
        let program = command.get_program().to_owned();
        let failed = |source| OpenError::Io { action: format!("starting {program:?}"), source };
        let (connection, theirs) = Connection::<Tx, Rx>::pair()?;
        let (theirs, _) = theirs.into_fd().map_err(failed)?;
        sys::inherit_streams_alone(command).map_err(|source| {
            let action = format!("keeping descriptors from {program:?} (close_range)");
            OpenError::Io { action, source }
        })?;
        let started = command.stdin(Stdio::from(theirs)).spawn();
        // Otherwise the command would keep the child's end open, and the connection with it.
        command.stdin(Stdio::null());
        Ok(Self { connection, process: Process::new(started.map_err(failed)?) })
    }

    /// The connection to the child.
    pub fn connection(&mut self) -> &mut Connection<Tx, Rx> {
        &mut self.connection
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Both, to be used independently.
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

/// A child's process. Dropping it kills the child if it has not ended, and waits for that: no child
/// outlives its handle, and none is left as a zombie. (One that this process may not kill, as it has given
/// up its user, is left to end with its connection.)
///
/// The child is known by its descriptor ([`Process::pidfd`]), so that nothing is done to another process,
/// whatever becomes of its number.
///
/// It belongs to the process that spawned it. In a forked copy of that process, dropping it does nothing,
/// and killing and waiting are errors: [`ErrorKind::PermissionDenied`].
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
    /// What the child writes to its standard output, if the [`Command`] says [`Stdio::piped`].
    pub stdout: Option<ChildStdout>,
    /// What the child writes to its standard error, if the [`Command`] says [`Stdio::piped`].
    pub stderr: Option<ChildStderr>,
    child: process::Child,
    /// Nothing where pidfd_open(2) is refused, or the child had ended and left nothing to wait for. Then the
    /// child's number serves: it is no other's until the child has been waited for.
    pidfd: Option<OwnedFd>,
    /// What has become of it, as far as that is known.
    fate: Fate,
    /// The process that it is a child of.
    parent: u32,
}

/// The longest pause between looks at a child that has no descriptor.
const MAX_PAUSE: Duration = Duration::from_millis(10);

impl Process {
    fn new(mut child: process::Child) -> Self {
        Self {
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            pidfd: sys::pidfd_of(&child).ok(),
            child,
            fate: Fate::Runs,
            parent: process::id(),
        }
    }

    /// Its number. Another process may have it after it has been waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its descriptor, readable from the child's end on, for pollers. `None` where the system refuses
    /// pidfd_open(2), as some sandboxes do; everything else works there, too.
    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(OwnedFd::as_fd)
    }

    /// Waits for the child to end, and says how it did.
    ///
    /// A child whose output is piped may wait for that to be read, and not end before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if the child has ended, and how it did is lost: something else in this process
    /// has waited for it, or SIGCHLD is ignored. Others are those of the system call.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.status(true)? {
                return Ok(status);
            }
        }
    }

    /// How the child has ended, if it has.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.status(false)
    }

    /// Waits for the child to end, until `deadline` at most: `None` if it has not by then.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
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

    /// Kills the child, if it has not ended.
    ///
    /// # Errors
    ///
    /// Of kill(2): `EPERM` if this process has given up the user that it would need.
    pub fn kill(&mut self) -> io::Result<()> {
        match self.fate(false)? {
            Fate::Runs => sys::kill(&mut self.child, self.pidfd.as_ref().map(OwnedFd::as_fd)),
            Fate::Ended(_) | Fate::Lost => Ok(()),
        }
    }

    fn status(&mut self, block: bool) -> io::Result<Option<ExitStatus>> {
        match self.fate(block)? {
            Fate::Runs => Ok(None),
            Fate::Ended(status) => Ok(Some(status)),
            Fate::Lost => Err(io::Error::new(
                ErrorKind::NotFound,
                "the child has ended, and how it did is lost: something else in this process has waited for it, or SIGCHLD is ignored",
            )),
        }
    }

    /// What has become of the child. An end is kept: afterwards its number may be another's.
    fn fate(&mut self, block: bool) -> io::Result<Fate> {
        let (own, parent) = (process::id(), self.parent);
        if own != parent {
            let why = format!(
                "the child belongs to process {parent}, which spawned it, not to its copy {own}"
            );
            return Err(io::Error::new(ErrorKind::PermissionDenied, why));
        }
        if let Fate::Runs = self.fate {
            let pidfd = self.pidfd.as_ref().map(OwnedFd::as_fd);
            self.fate = sys::wait_for(&mut self.child, pidfd, block)?;
        }
        Ok(self.fate)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that could not be killed would be waited for without end.
        if self.kill().is_ok() {
            _ = self.wait();
        }
    }
}
