//! Why a call has no answer.

use std::convert::Infallible;
use std::sync::Arc;

use thiserror::Error;

use super::{DecodeError, RecvError, SendError};

/// Why a call returned no value.
///
/// `E` is the protocol's own error, from `reply = Result<T, E>`.
///
/// [`outcome`](Self::outcome) says whether the call was executed, and so whether it may be repeated.
/// [`is_fatal`](Self::is_fatal) says whether to connect again before that.
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

    /// The caller asked for another type of answer than the call has. The request was not sent.
    #[error("`{call}` has {returns}, not {asked}: make the call with the type of its answer")]
    WrongType {
        /// The name of the call's variant.
        call: &'static str,
        /// What the call has.
        returns: Box<str>,
        /// What the caller asked for.
        asked: Box<str>,
    },

    /// The request is longer than the server's limit.
    #[error("the request is longer than the server's limit: see Limits::frame_len there")]
    TooLarge,

    /// The server does not know this call: it is older than the client.
    #[error("the server does not know this call: it may be older than this client")]
    NotSupported,

    /// The server could not decode the request. At the server, [`Server::on_error`](crate::calls::Server::on_error)
    /// shows why.
    #[error(
        "the server could not decode the request: it may have another version of the protocol; its `Server::on_error` shows why"
    )]
    Malformed,

    /// The server runs as many calls as it allows, or has no memory, descriptors or [`Budget`](crate::Budget) for this
    /// one. Try again later.
    #[error("the server is busy: try again later")]
    Busy,

    /// The server is stopping, and takes no more calls.
    #[error("the server is stopping")]
    Stopping,

    /// The handler panicked, or ended without an answer.
    #[error("the server's handler panicked, or ended without an answer")]
    Failed,

    /// The call was cancelled, here or by the server.
    #[error("the call was cancelled")]
    Cancelled,

    /// The deadline passed before the answer came.
    #[error("no answer came before the deadline")]
    TimedOut,

    /// This side could not receive an answer, which may have been the answer to this call.
    #[error("an answer could not be received, perhaps the answer to this call")]
    Lost(#[source] Arc<RecvError>),

    /// The server's answer breaks the rules: it is of the wrong kind for this call, or has more items than the
    /// client allowed. The server has another version of the protocol, or is faulty.
    #[error(
        "the server's answer does not fit the call: it may have another version of the protocol"
    )]
    Unexpected,

    /// The connection ended before the answer came. The source says why, unless the server closed the connection. A
    /// server closes it at once if its [`Policy`](crate::Policy) rejects the client.
    #[error("the connection ended before the answer came")]
    Disconnected(#[source] Option<Arc<RecvError>>),

    /// The answer could not be decoded.
    #[error("the answer cannot be decoded")]
    Decode(#[source] DecodeError),
}

/// Whether a call was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The call was not executed, and may be repeated.
    NotExecuted,
    /// The call was executed, at least in part.
    Executed,
    /// The client cannot tell. Repeat the call only if executing it twice does no harm.
    Unknown,
}

impl<E> CallError<E> {
    /// Returns whether the call was executed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NotSent(_)
            | Self::WrongType { .. }
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

    /// Returns whether the client has become useless: connect again. All other errors concern a call, not the client.
    ///
    /// ```
    /// use datagrammar::calls::{Context, Server};
    /// use datagrammar::{Address, Listener, Message, Protocol};
    ///
    /// #[derive(Message, Protocol)]
    /// enum Lamp {
    ///     #[message(tag = 1, reply = bool)]
    ///     Set { on: bool },
    /// }
    /// # struct Bulb;
    /// # impl LampHandler for Bulb {
    /// #     fn set(&self, _cx: &Context, on: bool) -> bool {
    /// #         on
    /// #     }
    /// # }
    ///
    /// /// Sets the lamp, over a new connection if the server was started again. Setting it twice does no harm.
    /// fn set(
    ///     client: &mut LampClient,
    ///     address: &Address,
    ///     on: bool,
    /// ) -> Result<bool, Box<dyn std::error::Error>> {
    ///     match client.set(on) {
    ///         Err(error) if error.is_fatal() => {
    ///             *client = LampClient::connect(address)?;
    ///             Ok(client.set(on)?)
    ///         }
    ///         done => Ok(done?),
    ///     }
    /// }
    ///
    /// let address = "unix:@datagrammar-doc-is-fatal".parse()?;
    /// let listener = Listener::bind(&address)?;
    /// let mut client = LampClient::connect(&address)?;
    /// drop(listener.accept()?); // The server dies,
    /// std::thread::spawn(move || Server::new(LampService(Bulb)).run(&listener)); // and is started again.
    /// assert!(set(&mut client, &address, true)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Disconnected(_) => true,
            Self::NotSent(error) => error.is_fatal(),
            _ => false,
        }
    }
}

impl CallError {
    /// Converts the error of a call whose reply is not a `Result` to the error type of any other call, so that one
    /// function can make both calls.
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
            Self::WrongType { call, returns, asked } => {
                CallError::WrongType { call, returns, asked }
            }
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
