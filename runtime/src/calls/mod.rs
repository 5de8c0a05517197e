//! Calls: requests with answers.

mod client;
mod outlet;
mod park;
mod protocol;
mod server;
mod status;

pub use self::client::{Answer, Client, Items};
pub use self::protocol::{Answers, Protocol, Reply};
pub use self::server::{
    Answering, Call, Context, ItemError, ItemSender, Responder, Server, Service, Stopper,
};
pub use crate::error::{CallError, Outcome};
