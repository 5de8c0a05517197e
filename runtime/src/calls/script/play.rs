//! Plays a script.

use std::net::Shutdown;
use std::os::fd::AsFd as _;

use super::check::check;
use super::error::{Came, Unexpected};
use super::replies::Replies;
use super::schedule::Schedule;
use super::step::{Action, Step};
use super::steps::{Steps, Taken};
use crate::calls::protocol::{Answers, Encoded, Protocol};
use crate::calls::status::Status;
use crate::connection::Connection;
use crate::error::RecvError;
use crate::message::Message as _;
use crate::owned_frame::OwnedFrame;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::sys::{self, Readiness};
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind};

/// Answers calls as the script says until the connection ends. Returns the differences.
pub(super) fn play<P: Protocol>(
    connection: Connection<Answers<P>, P>,
    steps: Steps<P>,
) -> Vec<Unexpected> {
    let (sender, mut receiver) = connection.split();
    receiver.accept_calls();
    let (sender, schedule) = (sender.cast(), Schedule::default());
    let mut player = Player { sender, steps, schedule, unexpected: Vec::new() };
    let has_died = player.play(&mut receiver);
    if !has_died {
        player.play_out(&receiver);
    }
    // `Playing` still holds the descriptor. Fails only if the client has disconnected.
    _ = receiver.shutdown(Shutdown::Both);
    let Player { steps, mut unexpected, .. } = player;
    // No call comes after the death of the server.
    if !has_died {
        let left = steps.into_left().into_iter();
        unexpected.extend(left.map(|step| Unexpected::Missing { expected: step.place }));
    }
    unexpected
}

struct Player<P: Protocol> {
    sender: Sender<Encoded>,
    steps: Steps<P>,
    schedule: Schedule,
    unexpected: Vec<Unexpected>,
}

/// What the script reacts to.
enum Event<P> {
    Request {
        id: Option<u64>,
        frame: OwnedFrame<P>,
    },
    Cancel {
        id: u64,
    },
    /// An action is due, or the received frame does not matter.
    Nothing,
    /// No more calls come.
    End,
}

impl<P: Protocol> Player<P> {
    /// Plays until no more calls come. Returns whether the server has died.
    fn play(&mut self, receiver: &mut Receiver<P>) -> bool {
        while !self.schedule.run(&mut self.sender) {
            match next(receiver, self.schedule.next().map_or(Wait::Block, Wait::Until)) {
                Event::Request { id, frame } => self.request(id, frame),
                Event::Cancel { id } => self.schedule.cancel(id),
                Event::Nothing => {}
                Event::End => return false,
            }
        }
        true
    }

    /// Gives the answers for which callers still wait.
    fn play_out(&mut self, receiver: &Receiver<P>) {
        self.schedule.forget_cancelled();
        while let Some(due) = self.schedule.next() {
            // If it fails, nothing can be sent either.
            let has_hung_up = sys::wait(receiver.as_fd(), Readiness::HungUp, Some(due));
            if has_hung_up.unwrap_or(true) || self.schedule.run(&mut self.sender) {
                return;
            }
        }
    }

    fn request(&mut self, id: Option<u64>, mut frame: OwnedFrame<P>) {
        // The request itself does not know its tag if its variant is an `other` without a field.
        let tag = frame.tag().unwrap_or_default();
        let returns = P::returns(tag);
        let (name, taken) = match frame.decode() {
            Ok(request) => {
                (format!("{} (tag {tag})", request.name()), self.steps.take(Some(&request)))
            }
            Err(error) => {
                (format!("a request that cannot be decoded ({error})"), self.steps.take(None))
            }
        };
        let came = Came::new(&name, frame.bytes());
        let (step, unexpected) = match taken {
            Taken::Match(step) => (Some(step), None),
            Taken::Mismatch(step) => {
                let expected = step.place;
                (Some(step), Some(Unexpected::Other { expected, came }))
            }
            Taken::Nothing => (None, Some(Unexpected::NoMatch { came })),
            Taken::TooMany => (None, Some(Unexpected::TooMany { came })),
        };
        let is_expected = unexpected.is_none();
        self.unexpected.extend(unexpected);
        let Some(Step { place: expected, mut actions, .. }) = step else { return self.fail(id) };
        if let Err(why) = check(&actions, returns, id.is_some()) {
            self.fail(id);
            actions.retain(|action| !matches!(action, Action::Send { .. }));
            if is_expected {
                self.unexpected.push(Unexpected::Misfit { expected, came: name, returns, why });
            }
        }
        self.schedule.add(id, actions);
    }

    /// Fails a call that the script does not answer, so that its caller does not wait.
    fn fail(&mut self, id: Option<u64>) {
        let mut replies = Replies { sender: &mut self.sender, id };
        // Fails only if the client has disconnected.
        _ = replies.status(CallKind::Reply, Status::Failed);
    }
}

/// Receives what comes next, and waits for it as `wait` says.
fn next<P: Protocol>(receiver: &mut Receiver<P>, wait: Wait) -> Event<P> {
    let range = match receiver.receive_range(wait) {
        Ok(Some(range)) => range,
        // The rest of a large frame may come later than the next action.
        Err(RecvError::TimedOut | RecvError::Unfinished { .. }) => return Event::Nothing,
        Ok(None) | Err(_) => return Event::End,
    };
    let part = receiver.take_part(range);
    match part.head {
        None => Event::Request { id: None, frame: part.into_frame() },
        Some(CallHead { kind: CallKind::Request, id, .. }) => {
            Event::Request { id: Some(id), frame: part.into_frame() }
        }
        Some(CallHead { kind: CallKind::Cancel, id, .. }) => Event::Cancel { id },
        Some(_) => Event::Nothing,
    }
}
