//! Calls, awaited. See [`calls`](crate::calls).

mod client;
mod context;
mod desk;
mod driver;
mod gate;
mod held;
mod item_sender;
mod items;
mod link;
mod server;
mod service;
mod spares;
mod stopper;
mod writer;

pub use self::client::Client;
pub use self::item_sender::ItemSender;
pub use self::items::Items;
pub use self::server::Server;
pub use self::service::Service;
pub use self::stopper::Stopper;
pub use crate::calls::{
    Answer, Answering, Answers, Call, CallError, Context, ItemError, Outcome, Protocol, Reply,
    Responder,
};
