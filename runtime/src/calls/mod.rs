//! Calls: requests with answers.

mod bell;
mod client;
mod ids;
mod outlet;
mod park;
mod protocol;
mod room;
mod script;
mod server;
mod status;

pub(crate) use self::bell::Bell;
pub(crate) use self::client::{Accepted, Core};
pub use self::client::{Answer, Client, Items};
pub(crate) use self::outlet::Outlet;
pub use self::protocol::{Answers, Protocol, Reply};
pub(crate) use self::room::Room;
pub use self::script::{Expected, Playing, Script, ScriptError};
pub use self::server::{
    Answering, Call, Context, Handling, ItemError, ItemSender, Responder, Server, Service, Stopper,
};
pub(crate) use self::server::{Received, Session, close};
pub(crate) use self::status::Status;
pub use crate::error::{CallError, Outcome};
