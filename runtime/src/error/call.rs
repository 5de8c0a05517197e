//! Why a call has no answer.

use std::convert::Infallible;
use std::sync::Arc;

use thiserror::Error;

use super::{DecodeError, RecvError, SendError};

/// Why a call did not return a value. `E` is the protocol's own error, from `reply = Result<T, E>`.
///
/// [`outcome`](Self::outcome) says whether the call was executed, and so whether it may be repeated.
///
/// ```
/// use datagrammar::calls::{CallError, Outcome};
///
/// assert_eq!(CallError::<String>::Busy.outcome(), Outcome::NotExecuted);
/// assert_eq!(CallError::Answered("no such file").outcome(), Outcome::Executed);
/// assert_eq!(CallError::<String>::TimedOut.outcome(), Outcome::Unknown);
/// assert_eq!(
///     CallError::Answered("no such file").to_string(),
///     "the server answered with an error of the protocol: \"no such file\"",
/// );
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The server answered with an error of the protocol.
    #[error("the server answered with an error of the protocol: {0:?}")]
    Answered(E),

    /// The request could not be sent.
    #[error("the request was not sent")]
    NotSent(#[source] Arc<SendError>),

    /// The request is longer than the server's limit.
    #[error("the request is longer than the server's limit: see Limits::frame_len there")]
    TooLarge,

    /// The server does not know this call: it is older than the client.
    #[error("the server does not know this call")]
    NotSupported,

    /// The server could not decode the request.
    #[error("the server could not decode the request")]
    Malformed,

    /// The server has as many calls as it allows, or no memory for this one. Try again later.
    #[error("the server is busy: try again later")]
    Busy,

    /// The server stops, and takes no more calls.
    #[error("the server is stopping")]
    Stopping,

    /// The handler panicked, or gave no answer.
    #[error("the server's handler failed without an answer")]
    Failed,

    /// The call was cancelled, here or by the server.
    #[error("the call was cancelled")]
    Cancelled,

    /// The deadline passed before the answer came.
    #[error("no answer came before the deadline")]
    TimedOut,

    /// An answer was lost, and this call may have been its call.
    #[error("an answer was lost, perhaps that of this call")]
    Lost(#[source] Arc<RecvError>),

    /// The server's answer breaks the rules: it is not of the kind that the call wants, or has more items than the
    /// client has allowed. The server's version of the protocol is another one, or the server is faulty.
    #[error(
        "the server's answer breaks the rules: is its version of the protocol the same as this one?"
    )]
    Unexpected,

    /// The connection ended before the answer came. The source says why, unless the server closed it.
    #[error("the connection ended before the answer came")]
    Disconnected(#[source] Option<Arc<RecvError>>),

    /// The answer could not be decoded.
    #[error("the answer cannot be decoded")]
    Decode(#[source] DecodeError),
}

/// Whether a call was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not: it may be repeated.
    NotExecuted,
    /// It was, at least in part.
    Executed,
    /// Nobody knows. Repeat it only if executing it twice does no harm.
    Unknown,
}

impl<E> CallError<E> {
    /// Returns whether the call was executed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(_)
            | Self::TooLarge
            | Self::NotSupported
            | Self::Malformed
            | Self::Busy
            | Self::Stopping => Outcome::NotExecuted,
            Self::Answered(_) | Self::Failed | Self::Unexpected | Self::Decode(_) => {
                Outcome::Executed
            }
            Self::Cancelled | Self::TimedOut | Self::Lost(_) | Self::Disconnected(_) => {
                Outcome::Unknown
            }
        }
    }
}

impl CallError {
    /// Converts the error of a call without errors of its own to that of another call, so that one function can make
    /// both.
    ///
    /// ```
    /// use datagrammar::calls::CallError;
    ///
    /// fn both(
    ///     count: impl Fn() -> Result<u64, CallError>,
    ///     check: impl Fn(u64) -> Result<bool, CallError<String>>,
    /// ) -> Result<bool, CallError<String>> {
    ///     check(count().map_err(CallError::widen)?)
    /// }
    ///
    /// assert!(both(|| Ok(7), |count| Ok(count == 7))?);
    /// assert!(matches!(both(|| Err(CallError::Busy), |_| Ok(true)), Err(CallError::Busy)));
    /// # Ok::<(), CallError<String>>(())
    /// ```
    #[must_use]
    pub fn widen<E>(self) -> CallError<E> {
        match self {
            Self::Answered(never) => match never {},
            Self::NotSent(error) => CallError::NotSent(error),
            Self::TooLarge => CallError::TooLarge,
            Self::NotSupported => CallError::NotSupported,
            Self::Malformed => CallError::Malformed,
            Self::Busy => CallError::Busy,
            Self::Stopping => CallError::Stopping,
            Self::Failed => CallError::Failed,
            Self::Cancelled => CallError::Cancelled,
            Self::TimedOut => CallError::TimedOut,
            Self::Lost(error) => CallError::Lost(error),
            Self::Unexpected => CallError::Unexpected,
            Self::Disconnected(error) => CallError::Disconnected(error),
            Self::Decode(error) => CallError::Decode(error),
        }
    }
}
