//! The errors of the crate, one type for each operation.
//!
//! An error of the operating system stays an [`std::io::Error`], and is the *source*. A condition that this
//! crate detects is a variant with its numbers. `Display` does not repeat the source: print the whole
//! [`Chain`].
//!
//! Nothing that a peer sends causes a panic, only one of these errors.

mod accept;
mod address;
mod any;
mod bundle;
mod call;
mod chain;
pub(crate) mod count;
mod decode;
mod encode;
mod fragment;
mod io;
mod memory;
mod open;
mod recv;
mod send;

pub use accept::AcceptError;
pub use address::AddressError;
pub use any::Error;
pub use bundle::BundleFault;
pub use call::{CallError, Outcome};
pub use chain::Chain;
pub use decode::{DecodeError, Fault};
pub use encode::EncodeError;
pub use fragment::FragmentFault;
pub use memory::MemoryFault;
pub use open::OpenError;
pub use recv::RecvError;
pub use send::{SendAllError, SendError};
