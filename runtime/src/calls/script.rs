//! A scripted server, to test clients.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;
use std::net::Shutdown;
use std::panic::Location;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::protocol::{Answers, Encoded, Protocol, Reply};
use super::script_error::{ScriptError, Unexpected};
use super::status::Status;
use crate::connection::Connection;
use crate::error::{CallError, OpenError, SendError};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::sys::DatagramFd;
use crate::transport::Outgoing;
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind, HEAD_LEN};

type Matcher<P> = Box<dyn for<'r, 'f> Fn(&'r <P as Message>::Borrowed<'f>) -> bool + Send>;
type Sending = Box<dyn FnOnce(&mut Replies<'_>) -> Result<(), SendError> + Send>;

/// A server that expects calls in order and answers each as it was told, to test a client without the real server.
/// [The guide](crate::guide::calls#testing) has an example.
pub struct Script<P: Protocol> {
    connection: Connection<Answers<P>, P>,
    steps: VecDeque<Step<P>>,
}

struct Step<P: Message> {
    place: &'static Location<'static>,
    matches: Matcher<P>,
    actions: Vec<Action>,
}

enum Action {
    Wait(Duration),
    Send(Sending),
    Die,
}

/// What to do about an expected call: see [`Script::expect`].
pub struct Expected<'s, P: Message>(&'s mut Step<P>);

impl<P: Protocol + 'static> Script<P> {
    /// Creates a script without calls, and the connection for the client.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::pair`].
    pub fn new() -> Result<(Connection<P, Answers<P>>, Self), OpenError> {
        let (client, connection) = Connection::pair()?;
        Ok((client, Self { connection, steps: VecDeque::new() }))
    }

    /// Expects one more call, for which `matches` returns `true`. Say with the returned value how to answer it; a call
    /// that has no answer needs nothing more.
    #[track_caller]
    pub fn expect(
        &mut self,
        matches: impl for<'r, 'f> Fn(&'r P::Borrowed<'f>) -> bool + Send + 'static,
    ) -> Expected<'_, P> {
        let (place, matches) = (Location::caller(), Box::new(matches));
        self.steps.push_back(Step { place, matches, actions: Vec::new() });
        match self.steps.back_mut() {
            Some(step) => Expected(step),
            None => unreachable!("a step was just added"),
        }
    }

    /// Starts to play the script, on a thread of its own.
    pub fn play(self) -> Playing {
        let fd = self.connection.rx.fd().clone();
        Playing { fd, thread: Some(thread::spawn(move || self.run())) }
    }

    fn run(mut self) -> Vec<Unexpected> {
        let (sender, mut receiver) = self.connection.split();
        let mut sender = sender.cast();
        receiver.accept_calls();
        let mut unexpected = Vec::new();
        while let Some((id, mut frame)) = next(&mut receiver) {
            let step = self.steps.pop_front();
            let (came, is_expected) = match (frame.decode(), &step) {
                (Ok(request), Some(step)) => (name(&request), (step.matches)(&request)),
                (Ok(request), None) => (name(&request), false),
                (Err(error), _) => (format!("a request that cannot be decoded ({error})"), false),
            };
            if !is_expected {
                let expected = step.as_ref().map(|step| step.place);
                unexpected.push(Unexpected { expected, came: Some(came) });
            }
            let Some(step) = step else { continue };
            for action in step.actions {
                match action {
                    Action::Wait(time) => thread::sleep(time),
                    // If it fails, the client has gone.
                    Action::Send(send) => _ = send(&mut Replies { sender: &mut sender, id }),
                    Action::Die => {
                        // `Playing` still holds the descriptor. Fails only if the client has gone.
                        _ = receiver.shutdown(Shutdown::Both);
                        return unexpected;
                    }
                }
            }
        }
        _ = receiver.shutdown(Shutdown::Both);
        let missing = |step: Step<P>| Unexpected { expected: Some(step.place), came: None };
        unexpected.extend(self.steps.into_iter().map(missing));
        unexpected
    }
}

impl<P: Message> Expected<'_, P> {
    /// Answers it.
    ///
    /// # Panics
    ///
    /// If the value cannot be encoded: the test is wrong.
    #[track_caller]
    pub fn answer<'v, R: Reply + 'static>(
        self,
        result: Result<R::Value<'v>, R::Error<'v>>,
    ) -> Self {
        let answer = OwnedFrame::<R>::encode(&R::from_result(result));
        let answer = answer.unwrap_or_else(|error| panic!("the answer cannot be encoded: {error}"));
        self.send(move |replies| replies.frame(CallKind::Reply, &answer))
    }

    /// Sends an item.
    ///
    /// # Panics
    ///
    /// If the item cannot be encoded: the test is wrong.
    #[track_caller]
    pub fn item<I: Message + 'static>(self, item: &I::Borrowed<'_>) -> Self {
        let item = OwnedFrame::<I>::encode(item)
            .unwrap_or_else(|error| panic!("the item cannot be encoded: {error}"));
        self.send(move |replies| replies.frame(CallKind::Item, &item))
    }

    /// Ends the items.
    pub fn end(self) -> Self {
        self.send(|replies| replies.status(CallKind::End, Status::Done))
    }

    /// Answers with an error of the server: [`NotSupported`](CallError::NotSupported),
    /// [`Malformed`](CallError::Malformed), [`Failed`](CallError::Failed), [`Cancelled`](CallError::Cancelled),
    /// [`TimedOut`](CallError::TimedOut), [`Busy`](CallError::Busy), [`Stopping`](CallError::Stopping) or
    /// [`TooLarge`](CallError::TooLarge). Any other error becomes [`Failed`](CallError::Failed).
    pub fn fail(self, error: &CallError) -> Self {
        let status = Status::of_error(error);
        self.send(move |replies| replies.status(CallKind::Reply, status))
    }

    /// Waits before what follows.
    pub fn after(self, time: Duration) -> Self {
        self.0.actions.push(Action::Wait(time));
        self
    }

    /// Closes the connection, as a server that dies does.
    pub fn die(self) {
        self.0.actions.push(Action::Die);
    }

    fn send(
        self,
        send: impl FnOnce(&mut Replies<'_>) -> Result<(), SendError> + Send + 'static,
    ) -> Self {
        self.0.actions.push(Action::Send(Box::new(send)));
        self
    }
}

/// A script that plays: see [`Script::play`]. Call [`finish`](Self::finish) at the end of the test.
#[must_use = "finish it to learn what was not as expected"]
pub struct Playing {
    fd: DatagramFd,
    thread: Option<JoinHandle<Vec<Unexpected>>>,
}

impl Playing {
    /// Ends the script, after the calls that were already made.
    ///
    /// # Errors
    ///
    /// What was not as expected: calls that did not match, calls that did not come, and calls too many.
    pub fn finish(mut self) -> Result<(), ScriptError> {
        // Fails only if the client has gone.
        _ = self.fd.shutdown(Shutdown::Read);
        let played = self.thread.take().map(JoinHandle::join);
        let unexpected = match played {
            Some(Ok(unexpected)) => unexpected,
            // A matcher has panicked: its test fails with that.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Vec::new(),
        };
        if unexpected.is_empty() { Ok(()) } else { Err(ScriptError(unexpected)) }
    }
}

/// The way back to the client. Sends nothing for a call that wants no answer.
struct Replies<'s> {
    sender: &'s mut Sender<Encoded>,
    id: Option<u64>,
}

impl Replies<'_> {
    fn frame<M: Message>(
        &mut self,
        kind: CallKind,
        frame: &OwnedFrame<M>,
    ) -> Result<(), SendError> {
        let Some(id) = self.id else { return Ok(()) };
        let head = CallHead { kind, number: Status::Done as u32, id }.to_bytes();
        let sent = frame.send(|frame| {
            let mut slices = vec![IoSlice::new(&head)];
            slices.extend_from_slice(frame.slices);
            let len = HEAD_LEN + frame.len;
            let part = Outgoing { slices: &slices, descriptors: frame.descriptors, len };
            self.sender.send_outgoing(part, Wait::Block)
        });
        sent.map(|_len| ())
    }

    fn status(&mut self, kind: CallKind, status: Status) -> Result<(), SendError> {
        let Some(id) = self.id else { return Ok(()) };
        let head = CallHead { kind, number: status as u32, id }.to_bytes();
        let slices = [IoSlice::new(&head)];
        let part = Outgoing { slices: &slices, descriptors: &[], len: HEAD_LEN };
        self.sender.send_outgoing(part, Wait::Block)
    }
}

/// Receives the next request. `None` at the end of the connection.
fn next<P: Protocol>(receiver: &mut Receiver<P>) -> Option<(Option<u64>, OwnedFrame<P>)> {
    loop {
        let range = receiver.receive_range(Wait::Block).ok().flatten()?;
        let part = receiver.take_part(range);
        match part.head {
            None => return Some((None, part.into_frame())),
            Some(CallHead { kind: CallKind::Request, id, .. }) => {
                return Some((Some(id), part.into_frame()));
            }
            Some(_) => {}
        }
    }
}

fn name<M: Message>(request: &M) -> String {
    format!("{} (tag {})", request.name(), request.tag())
}

impl<P: Protocol> fmt::Debug for Script<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("calls", &self.steps.len()).finish_non_exhaustive()
    }
}

impl<P: Message> fmt::Debug for Expected<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("place", &self.0.place).finish_non_exhaustive()
    }
}

impl fmt::Debug for Playing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playing").finish_non_exhaustive()
    }
}
