//! The receiving half of a connection, and the parts of calls that it returns.

mod half;
mod part;

pub use self::half::Receiver;
pub(crate) use self::part::Part;
