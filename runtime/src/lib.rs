#![doc = include_str!("lib.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, unused_imports, reason = "some of it serves the tokio endpoints alone")
)]

#[cfg(not(target_os = "linux"))]
compile_error!(
    "datagrammar supports only Linux: it needs MSG_PEEK | MSG_TRUNC, SEQPACKET and vsock"
);

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod activation;
mod address;
mod backlog;
mod backoff;
mod batch;
mod budget;
mod bundle;
pub mod calls;
mod child;
pub mod codec;
mod connection;
pub mod error;
mod frame;
pub mod guide;
mod limits;
mod listener;
mod memory;
mod message;
mod options;
mod outbox;
mod owned_frame;
mod peer;
mod policy;
mod receiver;
mod sender;
mod socket;
mod spare;
mod sys;
#[cfg(feature = "tokio")]
pub mod tokio;
mod transport;
mod wait;
pub mod wire;

#[doc = include_str!("derive.md")]
pub use datagrammar_macros::Message;
#[doc = include_str!("protocol.md")]
pub use datagrammar_macros::Protocol;

pub use crate::activation::{Activated, activated};
pub use crate::address::Address;
pub use crate::backoff::Backoff;
pub use crate::batch::Batch;
pub use crate::budget::Budget;
pub use crate::calls::Protocol;
pub use crate::child::{Child, Process};
pub use crate::connection::Connection;
pub use crate::error::{
    AcceptError, AddressError, BundleFault, DecodeError, EncodeError, Error, Fault, FragmentFault,
    MemoryFault, OpenError, RecvError, SendAllError, SendError,
};
pub use crate::frame::Frame;
pub use crate::limits::Limits;
pub use crate::listener::Listener;
pub use crate::memory::SharedBytes;
pub use crate::message::{Decoder, Descriptors, Encoder, Message, Unknown, to_vec};
pub use crate::options::Options;
pub use crate::owned_frame::OwnedFrame;
pub use crate::peer::Peer;
pub use crate::policy::Policy;
pub use crate::receiver::Receiver;
pub use crate::sender::Sender;
pub use crate::socket::{Socket, SocketReceiver, SocketSender};
pub use crate::transport::{peek_len, try_peek_len};
pub use crate::wait::Wait;
