//! Children: processes that get one end of a connection, and no other descriptor but their output.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{self, Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::connection::Connection;
use crate::error::OpenError;
use crate::message::Message;
use crate::sys::{self, Readiness};

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
    /// command can be used again.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] when the program cannot be started, or before Linux 5.11;
    /// [`OpenError::Exhausted`].
    pub fn spawn(command: &mut Command) -> Result<Self, OpenError> {
        let program = command.get_program().to_owned();
        let failed = |source| OpenError::Io { action: format!("starting {program:?}"), source };
        let (connection, theirs) = Connection::<Tx, Rx>::pair()?;
        let (theirs, _) = theirs.into_fd().map_err(failed)?;
        sys::inherit_streams_alone(command);
        let started = command.stdin(Stdio::from(theirs)).spawn();
        // Otherwise the command would keep the child's end open, and the connection with it.
        command.stdin(Stdio::null());
        let process = started.and_then(|child| Process::new(&child)).map_err(failed)?;
        Ok(Self { connection, process })
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
/// outlives its handle, and none is left as a zombie.
///
/// The child is known by its descriptor, so that nothing is done to another process, whatever becomes of
/// its number. The descriptor ([`AsFd`]) is readable from the child's end on, for pollers.
#[derive(Debug)]
pub struct Process {
    id: u32,
    pidfd: OwnedFd,
    /// How it has ended, once it has been waited for.
    status: Option<ExitStatus>,
}

impl Process {
    fn new(child: &process::Child) -> io::Result<Self> {
        Ok(Self { id: child.id(), pidfd: sys::pidfd_of(child)?, status: None })
    }

    /// Its number. Another process may have it after it has been waited for.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits for the child to end, and says how it did.
    ///
    /// # Errors
    ///
    /// Of the system call: `ECHILD` if something else in this process has waited for it.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.take_status(true)? {
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
        self.take_status(false)
    }

    /// Waits for the child to end, until `deadline` at most: `None` if it has not by then.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_deadline(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        sys::wait(self.pidfd.as_fd(), Readiness::Readable, Some(deadline))?;
        self.take_status(false)
    }

    /// Kills the child, if it has not ended.
    ///
    /// # Errors
    ///
    /// Of the system call.
    pub fn kill(&mut self) -> io::Result<()> {
        match self.status {
            Some(_) => Ok(()),
            None => sys::kill(self.pidfd.as_fd()),
        }
    }

    fn take_status(&mut self, block: bool) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            self.status = sys::wait_for(self.pidfd.as_fd(), block)?;
        }
        Ok(self.status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Neither fails for a child that has not been waited for, and for another neither is needed.
        _ = self.kill();
        _ = self.wait();
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
