//! The server: handles calls.

mod call;
mod caller;
mod calls;
mod closing;
mod context;
mod crew;
mod ended;
mod handling;
mod items;
mod minder;
#[cfg(all(test, datagrammar_loom))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod models;
mod on_error;
mod request;
mod responder;
mod semaphore;
mod service;
mod session;
mod stopper;
mod threads;

pub use self::call::{Answering, Call};
pub use self::context::Context;
pub(crate) use self::context::Running;
pub use self::handling::Handling;
pub use self::items::{ItemError, ItemSender};
pub(crate) use self::on_error::OnError;
pub(crate) use self::request::Received;
pub use self::responder::Responder;
pub use self::service::Service;
pub(crate) use self::session::Session;
pub use self::stopper::Stopper;
pub(crate) use self::stopper::{FAREWELL, close};
pub use self::threads::Server;
