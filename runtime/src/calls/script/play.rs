//! Plays a script.

use std::collections::VecDeque;
use std::net::Shutdown;
use std::thread;

use super::check::check;
use super::error::Unexpected;
use super::replies::Replies;
use super::step::{Action, Step};
use crate::calls::protocol::{Answers, Protocol};
use crate::calls::status::Status;
use crate::connection::Connection;
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::receiver::Receiver;
use crate::wait::Wait;
use crate::wire::{CallHead, CallKind};

/// Answers calls as the script says until the connection ends. Returns the differences.
pub(super) fn play<P: Protocol>(
    connection: Connection<Answers<P>, P>,
    mut steps: VecDeque<Step<P>>,
) -> Vec<Unexpected> {
    let (sender, mut receiver) = connection.split();
    let mut sender = sender.cast();
    receiver.accept_calls();
    let mut unexpected = Vec::new();
    while let Some((id, mut frame)) = next(&mut receiver) {
        let mut replies = Replies { sender: &mut sender, id };
        // The request itself does not know its tag if its variant is an `other` without a field.
        let tag = frame.tag().unwrap_or_default();
        let returns = P::returns(tag);
        let step = steps.pop_front();
        let (came, is_expected) = match (frame.decode(), &step) {
            (Ok(request), Some(step)) => (name(&request, tag), (step.matches)(&request)),
            (Ok(request), None) => (name(&request, tag), false),
            (Err(error), _) => (format!("a request that cannot be decoded ({error})"), false),
        };
        let Some(Step { place, actions, .. }) = step else {
            unexpected.push(Unexpected::TooMany { came });
            fail(&mut replies);
            continue;
        };
        let checked = check(&actions, returns, id.is_some());
        if checked.is_err() {
            fail(&mut replies);
        }
        match checked {
            _ if !is_expected => unexpected.push(Unexpected::Other { expected: place, came }),
            Err(why) => {
                unexpected.push(Unexpected::Misfit { expected: place, came, returns, why });
            }
            Ok(()) => {}
        }
        for action in actions {
            match action {
                Action::Wait(time) => thread::sleep(time),
                // Fails only if the client has disconnected.
                Action::Send { send, .. } if checked.is_ok() => _ = send(&mut replies),
                Action::Send { .. } => {}
                Action::Die => {
                    // `Playing` still holds the descriptor. Fails only if the client has disconnected.
                    _ = receiver.shutdown(Shutdown::Both);
                    return unexpected;
                }
            }
        }
    }
    _ = receiver.shutdown(Shutdown::Both);
    unexpected.extend(steps.into_iter().map(|step| Unexpected::Missing { expected: step.place }));
    unexpected
}

/// Fails a call that the script does not answer, so that its caller does not wait.
fn fail(replies: &mut Replies<'_>) {
    // Fails only if the client has disconnected.
    _ = replies.status(CallKind::Reply, Status::Failed);
}

/// Receives the next request. Returns `None` at the end of the connection.
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

fn name<M: Message>(request: &M, tag: u32) -> String {
    format!("{} (tag {tag})", request.name())
}
