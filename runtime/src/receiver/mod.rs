//! The receiving half of a connection, and the parts of calls that it returns.

mod endpoint;
mod part;

pub use self::endpoint::Receiver;
pub(crate) use self::part::Part;
