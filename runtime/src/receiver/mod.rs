//! The receiving half of a connection, and what it hands over for calls.

mod half;
mod part;

pub use self::half::Receiver;
pub(crate) use self::part::Part;
