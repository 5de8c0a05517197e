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
pub use self::items::{ItemError, ItemSender};
pub use self::responder::Responder;
pub use self::service::Service;
pub use self::threads::{Server, Stopper};
