//! The server: handles calls.

mod call;
mod context;
mod items;
mod responder;
mod service;
mod session;
mod threads;

pub use self::call::{Answering, Call};
pub use self::context::Context;
pub(crate) use self::context::Running;
pub use self::items::{ItemError, ItemSender};
pub use self::responder::Responder;
pub use self::service::Service;
pub(crate) use self::session::Session;
pub use self::threads::{Server, Stopper};
