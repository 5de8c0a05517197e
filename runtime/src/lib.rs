//! Typed, variable-length datagrams for Linux. (crate page being written)
#![forbid(unsafe_op_in_unsafe_fn)]
#![deny(unsafe_code)]

pub mod codec;
pub mod error;
mod message;
pub mod wire;

pub use datagrammar_macros::Message;

pub use crate::error::{
    AddressError, DecodeError, EncodeError, Fault, OpenError, RecvError, SendError,
};
pub use crate::message::{Bytes, Decoder, Encoder, Message, Unknown, to_vec};
