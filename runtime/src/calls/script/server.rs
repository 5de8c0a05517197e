//! The scripted server, and the thread on which it runs.

use std::fmt;
use std::net::Shutdown;
use std::panic::Location;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::error::{ScriptError, Unexpected};
use super::play::play;
use super::step::{Expected, Step};
use super::steps::Steps;
use crate::backoff::Backoff;
use crate::calls::protocol::{Answers, Protocol};
use crate::connection::Connection;
use crate::error::OpenError;
use crate::sys::DatagramFd;

/// A server that expects calls in order and gives each its scripted answer, to test a client without the real server.
/// If calls race, expect them in [any order](Self::any_order). A [delay](Expected::after) delays only its own call.
///
/// The script must answer each call as the protocol says. If it does not, the call fails with
/// [`Failed`](crate::calls::CallError::Failed) instead of waiting, and [`Playing::finish`] says where and why. It
/// reports answers and items of the wrong type, one answer instead of items, items instead of one answer, an answer to
/// a call that has none, and calls that the script does not end. It also reports unexpected calls. The types come from
/// [`Protocol::returns`], which the derive implements.
///
/// [The guide](crate::guide::calls#testing) has an example.
pub struct Script<P: Protocol> {
    connection: Connection<Answers<P>, P>,
    steps: Steps<P>,
}

impl<P: Protocol + 'static> Script<P> {
    /// Creates a script without calls, and the connection for the client.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::pair`].
    pub fn new() -> Result<(Connection<P, Answers<P>>, Self), OpenError> {
        let (client, connection) = Connection::pair()?;
        Ok((client, Self { connection, steps: Steps::new() }))
    }

    /// Expects one more call, for which `matches` returns `true`. Use the returned value to say how to answer it. A
    /// call without an answer needs nothing more. Any other needs [`answer`](Expected::answer), items and
    /// [`end`](Expected::end), [`fail`](Expected::fail) or [`die`](Expected::die).
    ///
    /// In strict order, a call that does not match takes this expectation all the same, and gets its answer if the type
    /// fits. [`finish`](Playing::finish) then reports it.
    #[track_caller]
    pub fn expect(
        &mut self,
        matches: impl for<'r, 'f> Fn(&'r P::Borrowed<'f>) -> bool + Send + 'static,
    ) -> Expected<'_, P> {
        let (place, matches) = (Location::caller(), Box::new(matches));
        Expected(self.steps.push(Step { place, matches, actions: Vec::new() }))
    }

    /// Lets the expected calls come in any order, such as calls of threads or tasks that race. Each call takes the
    /// first expectation that matches it and that no call has taken. A call that matches none fails with
    /// [`Failed`](crate::calls::CallError::Failed), and takes none.
    ///
    /// A call is shown to several matchers, so they must not change anything, such as the position of a file.
    ///
    /// ```
    /// use std::thread;
    ///
    /// use datagrammar::calls::Script;
    /// use datagrammar::{Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Squares {
    ///     #[message(tag = 1, reply = u64)]
    ///     Square(u64),
    /// }
    ///
    /// let (connection, mut script) = Script::<Squares>::new()?;
    /// script.any_order();
    /// for root in 2..=3 {
    ///     script
    ///         .expect(move |Squares::Square(value)| *value == root)
    ///         .answer::<SquaresSquareAnswer>(Ok(root * root));
    /// }
    /// let playing = script.play();
    /// let client = SquaresClient::new(connection);
    /// thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(client.square(3).unwrap(), 9));
    ///     scope.spawn(|| assert_eq!(client.square(2).unwrap(), 4));
    /// });
    /// playing.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn any_order(&mut self) {
        self.steps.allow_any_order();
    }

    /// Starts the server on a thread of its own.
    pub fn play(self) -> Playing {
        let fd = self.connection.rx.fd().clone();
        Playing { fd, thread: Some(thread::spawn(move || play(self.connection, self.steps))) }
    }
}

/// A running script: see [`Script::play`].
///
/// Call [`finish`](Self::finish) at the end of the test.
///
/// If the test panics before, dropping this prints the differences so far, which may be the cause.
#[must_use = "call `finish` to check that the calls were as expected"]
pub struct Playing {
    fd: DatagramFd,
    thread: Option<JoinHandle<Vec<Unexpected>>>,
}

impl Playing {
    /// Ends the script, after the calls that were already made. Waits for delayed answers, unless their callers have
    /// given up.
    ///
    /// # Errors
    ///
    /// [`ScriptError`] with all differences: calls that did not match, missing calls, unexpected calls, and calls that
    /// the script does not answer as the protocol says.
    pub fn finish(mut self) -> Result<(), ScriptError> {
        // Fails only if the client has disconnected.
        _ = self.fd.shutdown(Shutdown::Read);
        let played = self.thread.take().map(JoinHandle::join);
        let unexpected = match played {
            Some(Ok(unexpected)) => unexpected,
            // A matcher has panicked: the test fails with its panic.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Vec::new(),
        };
        if unexpected.is_empty() { Ok(()) } else { Err(ScriptError(unexpected)) }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take().filter(|_| thread::panicking()) else { return };
        // Fails only if the client has disconnected.
        _ = self.fd.shutdown(Shutdown::Both);
        let (mut backoff, patience) = (Backoff::new(), Instant::now() + PATIENCE);
        while !thread.is_finished() && backoff.wait_until(Some(patience)) {}
        if !thread.is_finished() {
            return;
        }
        // If a matcher has panicked, that is printed already.
        let mut unexpected = thread.join().unwrap_or_default();
        unexpected.retain(|unexpected| !matches!(unexpected, Unexpected::Missing { .. }));
        if !unexpected.is_empty() {
            eprintln!("not as the script expects: {}", ScriptError(unexpected));
        }
    }
}

/// How long a panicking test waits for the script, which may be in a matcher or on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

impl<P: Protocol> fmt::Debug for Script<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("calls", &self.steps.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Playing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playing").finish_non_exhaustive()
    }
}
