//! Calls: requests with answers.

mod client;
mod direct;
mod frame;
mod memory;
mod outlet;
mod park;
mod protocol;
mod script;
mod server;
mod status;

pub use self::client::{Answer, Client, Items};
pub use self::direct::{Direct, DirectItems};
pub use self::frame::{CallFrame, CallFrameKind};
pub use self::protocol::{Answers, Protocol, Reply};
pub use self::script::{Expected, Playing, Script, ScriptError};
pub use self::server::{
    Answering, Call, Context, ItemError, ItemSender, Responder, Server, Service, Stopper,
};
pub use crate::error::{CallError, Outcome};
