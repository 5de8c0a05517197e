//! Deadlines of calls. They travel in milliseconds from now, 0 for none.

use std::time::{Duration, Instant};

use crate::error::CallError;

/// Returns whether there is a deadline, and it has passed.
#[inline]
pub(super) fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// Returns the time until a deadline in milliseconds. Rounds up, because a server that gives up before its caller
/// wastes the answer. Fails if the deadline has passed: then the request is not sent.
pub(super) fn to_millis(deadline: Option<Instant>) -> Result<u32, CallError> {
    let Some(deadline) = deadline else { return Ok(0) };
    let left = deadline.saturating_duration_since(Instant::now());
    match u32::try_from(left.as_nanos().div_ceil(1_000_000)) {
        Ok(0) => Err(CallError::TimedOut),
        millis => Ok(millis.unwrap_or(u32::MAX)),
    }
}

/// Returns the deadline of a request. The largest number stands for every later deadline, which only the caller knows.
pub(super) fn from_millis(millis: u32) -> Option<Instant> {
    (1..u32::MAX).contains(&millis).then(|| Instant::now() + Duration::from_millis(millis.into()))
}
