//! A call whose answer is not taken yet.

use std::fmt;
use std::marker::PhantomData;
use std::time::Instant;

use super::answer::Answer;
use super::begun::Begun;
use crate::calls::protocol::{Protocol, Reply};
use crate::calls::trace::SpanOutcome;
use crate::error::CallError;

/// A call that was made, and whose answer is not taken yet: see [`Client::start`](super::Client::start).
///
/// Dropping this cancels the call.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use datagrammar::calls::{Client, Script};
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Sums {
///     #[message(tag = 1, reply = u64)]
///     Add { left: u64, right: u64 },
/// }
///
/// let (connection, mut script) = Script::<Sums>::new()?;
/// script.expect(|_| true).answer::<SumsAddAnswer>(Ok(3));
/// script.expect(|_| true).answer::<SumsAddAnswer>(Ok(7));
/// let playing = script.play();
///
/// let client = Client::<Sums>::new(connection);
/// // Both are in flight at the same time.
/// let first = client.start::<SumsAddAnswer>(&Sums::Add { left: 1, right: 2 })?;
/// let mut second = client.start::<SumsAddAnswer>(&Sums::Add { left: 3, right: 4 })?;
/// while !second.wait_deadline(Instant::now() + Duration::from_millis(100)) {
///     // Check for other work here. To give up, drop `second`.
/// }
/// assert_eq!(second.wait()?.decode()?, 7);
/// assert_eq!(first.wait()?.decode()?, 3);
/// playing.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it cancels the call"]
pub struct PendingCall<P: Protocol, R> {
    call: Begun<P>,
    reply: PhantomData<fn() -> R>,
}

impl<P: Protocol, R> PendingCall<P, R> {
    pub(super) fn new(call: Begun<P>) -> Self {
        Self { call, reply: PhantomData }
    }

    /// Waits until [`wait`](Self::wait) can return at once (with the answer or an error), or until `deadline`. Returns
    /// whether it can. With a deadline that has passed, this receives what is already in the socket, and only checks.
    /// Takes `&mut self` because only one thread can wait.
    pub fn wait_deadline(&mut self, deadline: Instant) -> bool {
        self.call.wait_deadline(deadline)
    }
}

impl<P: Protocol, R: Reply> PendingCall<P, R> {
    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// A [`CallError`].
    pub fn wait(mut self) -> Result<Answer<R>, CallError> {
        let answered = self.call.wait_for_answer().map(|part| part.into_frame());
        self.call.end(|| SpanOutcome::of_answer(&answered));
        answered.map(Answer::new)
    }
}

impl<P: Protocol, R> fmt::Debug for PendingCall<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PendingCall").field(&self.call).finish()
    }
}
