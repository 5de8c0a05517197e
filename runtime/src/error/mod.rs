//! Every error of the crate, one type per thing that can be asked for.
//!
//! The doctrine: an error of the operating system stays an [`std::io::Error`] and is the *source*;
//! a condition that this crate detected is a variant with its numbers. A source is never repeated
//! in `Display`, and nothing that a peer sends becomes anything worse than one of these.

mod accept;
mod address;
mod any;
mod bundle;
mod decode;
mod encode;
mod fragment;
mod memory;
mod open;
mod recv;
mod send;

pub use accept::AcceptError;
pub use address::AddressError;
pub use any::Error;
pub use bundle::BundleFault;
pub use decode::{DecodeError, Fault};
pub use encode::EncodeError;
pub use fragment::FragmentFault;
pub use memory::MemoryFault;
pub use open::OpenError;
pub use recv::RecvError;
pub use send::{SendAllError, SendError};
