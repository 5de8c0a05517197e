//! The actions of a script for an expected call.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::replies::Replies;
use crate::calls::protocol::Reply;
use crate::calls::returns::Returns;
use crate::calls::status::Status;
use crate::error::{CallError, SendError};
use crate::message::Message;
use crate::owned_frame::OwnedFrame;
use crate::wire::CallKind;

type Matcher<P> = Box<dyn for<'r, 'f> Fn(&'r <P as Message>::Borrowed<'f>) -> bool + Send>;
type Sending = Box<dyn FnOnce(&mut Replies<'_>) -> Result<(), SendError> + Send>;

/// An expected call.
pub(super) struct Step<P: Message> {
    /// Where the script expects the call.
    pub(super) place: &'static Location<'static>,
    pub(super) matches: Matcher<P>,
    pub(super) actions: Vec<Action>,
}

pub(super) enum Action {
    Wait(Duration),
    Send { given: Given, send: Sending },
    Die,
}

impl Action {
    pub(super) fn is_wait(&self) -> bool {
        matches!(self, Self::Wait(_))
    }
}

/// An answer that the script gives, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given {
    pub(super) what: What,
    /// Where the script gives the answer.
    pub(super) place: &'static Location<'static>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// An answer, or an item.
    Value(Returns),
    /// The end of items.
    End,
    /// An error of the server.
    Error,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::End => f.write_str("`.end`"),
            Self::Error => f.write_str("`.fail`"),
        }
    }
}

/// Says how to answer an expected call: see [`Script::expect`](super::Script::expect).
pub struct Expected<'s, P: Message>(pub(super) &'s mut Step<P>);

impl<P: Message> Expected<'_, P> {
    /// Answers the call with `R`, the type that the derive generated for its answer. The name of `R` ends with
    /// `Answer`.
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
        let what = What::Value(Returns::answer::<R>());
        self.send(what, move |replies| replies.frame(CallKind::Reply, &answer))
    }

    /// Sends an item. Write [`end`](Self::end) after the last one.
    ///
    /// # Panics
    ///
    /// If the item cannot be encoded: the test is wrong.
    #[track_caller]
    pub fn item<I: Message + 'static>(self, item: &I::Borrowed<'_>) -> Self {
        let item = OwnedFrame::<I>::encode(item)
            .unwrap_or_else(|error| panic!("the item cannot be encoded: {error}"));
        let what = What::Value(Returns::items::<I>());
        self.send(what, move |replies| replies.frame(CallKind::Item, &item))
    }

    /// Ends the items, even if there were none.
    #[track_caller]
    pub fn end(self) -> Self {
        self.send(What::End, |replies| replies.status(CallKind::End, Status::Done))
    }

    /// Answers with an error of the server: [`NotSupported`](CallError::NotSupported),
    /// [`Malformed`](CallError::Malformed), [`Failed`](CallError::Failed), [`Cancelled`](CallError::Cancelled),
    /// [`TimedOut`](CallError::TimedOut), [`Busy`](CallError::Busy), [`Stopping`](CallError::Stopping) or
    /// [`TooLarge`](CallError::TooLarge). Any other error becomes [`Failed`](CallError::Failed).
    #[track_caller]
    pub fn fail(self, error: &CallError) -> Self {
        let status = Status::of_error(error);
        self.send(What::Error, move |replies| replies.status(CallKind::Reply, status))
    }

    /// Delays the next action for this call, such as an answer or [`die`](Self::die). Meanwhile, the script goes on with
    /// other calls, and a client with a deadline may give up.
    ///
    /// ```
    /// use std::thread;
    /// use std::time::Duration;
    ///
    /// use datagrammar::calls::Script;
    /// use datagrammar::{Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Sums {
    ///     #[message(tag = 1, reply = u64)]
    ///     Add { left: u64, right: u64 },
    /// }
    ///
    /// let (connection, mut script) = Script::<Sums>::new()?;
    /// let slow = script.expect(|call| matches!(call, Sums::Add { left: 1, .. }));
    /// slow.after(Duration::from_millis(20)).answer::<SumsAddAnswer>(Ok(3));
    /// script.expect(|call| matches!(call, Sums::Add { left: 5, .. })).answer::<SumsAddAnswer>(Ok(11));
    /// script.any_order();
    /// let playing = script.play();
    /// let client = SumsClient::new(connection);
    /// thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(client.add(1, 2).unwrap(), 3));
    ///     assert_eq!(client.add(5, 6).unwrap(), 11);
    /// });
    /// playing.finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after(self, time: Duration) -> Self {
        self.0.actions.push(Action::Wait(time));
        self
    }

    /// Closes the connection, as if the server died. Delayed answers to other calls are not sent.
    /// [`finish`](super::Playing::finish) does not report calls that are then still expected.
    pub fn die(self) {
        self.0.actions.push(Action::Die);
    }

    #[track_caller]
    fn send(
        self,
        what: What,
        send: impl FnOnce(&mut Replies<'_>) -> Result<(), SendError> + Send + 'static,
    ) -> Self {
        let given = Given { what, place: Location::caller() };
        self.0.actions.push(Action::Send { given, send: Box::new(send) });
        self
    }
}

impl<P: Message> fmt::Debug for Expected<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expected").field("place", &self.0.place).finish_non_exhaustive()
    }
}
