//! An error as text, with its sources.

use std::error::Error;
use std::fmt;

/// Displays an error and its sources, one after the other.
///
/// (The `Display` of an error does not repeat its source.)
///
/// ```
/// use std::io::ErrorKind;
///
/// use datagrammar::SendError;
/// use datagrammar::error::Chain;
///
/// let error = SendError::Io { len: 10, source: ErrorKind::HostUnreachable.into() };
/// assert_eq!(error.to_string(), "sending a frame of 10 bytes failed");
/// assert_eq!(Chain(&error).to_string(), "sending a frame of 10 bytes failed: host unreachable");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Chain<'e>(pub &'e (dyn Error + 'e));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
