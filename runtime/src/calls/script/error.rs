//! The differences between a script and the calls that came.

use std::fmt;
use std::panic::Location;

use super::check::Misfit;
use super::step::Given;
use crate::calls::returns::Returns;

/// The differences between a [`Script`](super::Script) and the calls that came.
///
/// ```
/// use datagrammar::calls::{CallError, Script};
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Switch {
///     #[message(tag = 1)]
///     On,
///     #[message(tag = 2)]
///     Off,
/// }
///
/// let (connection, mut script) = Script::<Switch>::new()?;
/// script.expect(|call| matches!(call, Switch::On));
/// let playing = script.play();
/// let client = SwitchClient::new(connection);
/// client.off()?;
/// drop(client);
/// let error = playing.finish().unwrap_err();
/// assert!(error.to_string().ends_with("came Off (tag 2)"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ScriptError(pub(super) Vec<Unexpected>);

#[derive(Debug)]
pub(super) enum Unexpected {
    /// Another call came.
    Other { expected: &'static Location<'static>, came: String },
    /// No call came.
    Missing { expected: &'static Location<'static> },
    /// One call too many came.
    TooMany { came: String },
    /// The call came, but the script does not fit it.
    Misfit { expected: &'static Location<'static>, came: String, returns: Returns, why: Misfit },
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
            Self::Other { expected, came } => {
                write!(f, "instead of the call expected at {expected} came {came}")
            }
            Self::Missing { expected } => write!(f, "the call expected at {expected} did not come"),
            Self::TooMany { came } => write!(f, "no call was expected any more, and {came} came"),
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
