//! What came instead of what a script expected.

use std::fmt;
use std::panic::Location;

/// What was not as a [`Script`](super::Script) expected.
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
pub(super) struct Unexpected {
    /// Where the call is expected, `None` for a call too many.
    pub(super) expected: Option<&'static Location<'static>>,
    /// What came instead.
    pub(super) came: Option<String>,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Unexpected { expected, came }) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            match (expected, came) {
                (Some(place), Some(came)) => {
                    write!(f, "instead of the call expected at {place} came {came}")?;
                }
                (Some(place), None) => write!(f, "the call expected at {place} did not come")?,
                (None, Some(came)) => write!(f, "no call was expected any more, and {came} came")?,
                (None, None) => {}
            }
        }
        Ok(())
    }
}

impl std::error::Error for ScriptError {}
