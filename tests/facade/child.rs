//! Child processes that get one end of a connection.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::Instant;

use datagrammar::tokio as awaited;
use datagrammar::{Message, OpenError, Options};

use crate::connection::Connection;
use crate::runtime::{block_on, block_until, enter};

/// See [`datagrammar::Child`].
pub struct Child<Tx, Rx> {
    connection: Connection<Tx, Rx>,
    process: Process,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl<Tx: Message, Rx: Message> Child<Tx, Rx> {
    pub fn spawn(command: &mut Command) -> Result<Self, OpenError> {
        Self::spawn_with(command, &Options::new())
    }

    pub fn spawn_with(command: &mut Command, options: &Options) -> Result<Self, OpenError> {
        let child = enter(|| awaited::Child::spawn_with(command, options))?;
        let (connection, process) = child.into_parts();
        Ok(Self { connection: Connection::new(connection), process: Process::new(process) })
    }

    pub fn connection(&mut self) -> &mut Connection<Tx, Rx> {
        &mut self.connection
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

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

/// See [`datagrammar::Process`].
#[derive(Debug)]
pub struct Process {
    /// The child's standard output, if it is piped.
    pub stdout: Option<ChildStdout>,
    /// The child's standard error output, if it is piped.
    pub stderr: Option<ChildStderr>,
    inner: awaited::Process,
}

#[expect(missing_docs, reason = "they are those of the blocking endpoint")]
impl Process {
    fn new(process: awaited::Process) -> Self {
        // The blocking process has the pipes.
        let mut process = process.into_blocking();
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        Self { stdout, stderr, inner: enter(|| awaited::Process::from_blocking(process)) }
    }

    #[must_use]
    pub fn id(&self) -> u32 {
        self.inner.id()
    }

    #[must_use]
    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.inner.pidfd()
    }

    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        block_on(self.inner.wait())
    }

    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.inner.try_wait()
    }

    pub fn wait_deadline(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        match self.inner.try_wait()? {
            None => block_until(deadline, self.inner.wait()).transpose(),
            status => Ok(status),
        }
    }

    pub fn kill(&mut self) -> io::Result<()> {
        self.inner.kill()
    }
}
