//! The differences between a script and the calls that came.

use std::fmt;
use std::panic::Location;

use super::check::Misfit;
use super::step::Given;
use crate::calls::returns::Returns;

/// The differences between a [`Script`](super::Script) and the calls that came.
///
/// An unexpected call is shown with its frame, so that text in its arguments can be read. The frame is escaped like a
/// byte string of Rust. After 100 bytes, only the number of the others is shown.
///
/// ```
/// use datagrammar::calls::Script;
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Lamp<'a> {
///     #[message(tag = 1)]
///     On { room: &'a str },
/// }
///
/// let (connection, mut script) = Script::<Lamp<'static>>::new()?;
/// script.expect(|call| matches!(call, Lamp::On { room: "attic" }));
/// let playing = script.play();
/// let client = LampClient::new(connection);
/// client.on("cellar")?;
/// let error = playing.finish().unwrap_err();
/// assert!(error.to_string().ends_with(r#"came On (tag 1): b"\x01\x06cellar""#), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScriptError(pub(super) Vec<Unexpected>);

#[derive(Debug)]
pub(super) enum Unexpected {
    /// Another call came.
    Other { expected: &'static Location<'static>, came: Came },
    /// No call came.
    Missing { expected: &'static Location<'static> },
    /// One call too many came.
    TooMany { came: Came },
    /// No expectation matches, in any order.
    NoMatch { came: Came },
    /// The call came, but the script does not fit it.
    Misfit { expected: &'static Location<'static>, came: String, returns: Returns, why: Misfit },
}

/// A call as the differences show it.
#[derive(Debug)]
pub(super) struct Came {
    name: String,
    frame: String,
}

/// The most bytes of a frame that are shown.
const SHOWN: usize = 100;

impl Came {
    pub(super) fn new(name: &str, frame: &[u8]) -> Self {
        let (shown, hidden) = frame.split_at_checked(SHOWN).unwrap_or((frame, &[]));
        let mut text = format!("b\"{}\"", shown.escape_ascii());
        if !hidden.is_empty() {
            text.push_str(&format!(" and {} more bytes", hidden.len()));
        }
        Self { name: name.to_owned(), frame: text }
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, unexpected) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            unexpected.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other { expected, came: Came { name, frame } } => {
                write!(f, "instead of the call expected at {expected} came {name}: {frame}")
            }
            Self::Missing { expected } => write!(f, "the call expected at {expected} did not come"),
            Self::TooMany { came: Came { name, frame } } => {
                write!(f, "no call was expected any more, and {name} came: {frame}")
            }
            Self::NoMatch { came: Came { name, frame } } => {
                write!(f, "no call still expected matches {name}, which came: {frame}")
            }
            Self::Misfit { expected, came, returns, why } => match why {
                Misfit::Other(Given { what, place }) => {
                    write!(f, "the script has {what} at {place}, but {came} has {returns}")
                }
                Misfit::NotAsked(Given { what, place }) => {
                    write!(f, "the script has {what} at {place}, but {came} asked for no answer")
                }
                Misfit::Late(Given { what, place }) => {
                    write!(f, "the script has {what} at {place}, but {came} has ended before")
                }
                Misfit::Endless => {
                    let end = if returns.has_items() { "`.end()`" } else { "`.answer(…)`" };
                    write!(
                        f,
                        "{came} has {returns}, but the script does not end the call expected at {expected}: write {end}, `.fail(…)` or `.die()`"
                    )
                }
            },
        }
    }
}

impl std::error::Error for ScriptError {}
