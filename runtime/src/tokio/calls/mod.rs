//! Async calls. See [`calls`](crate::calls).
//!
//! ```
//! use datagrammar::calls::Context;
//! use datagrammar::tokio::Connection;
//! use datagrammar::tokio::calls::{ItemSender, Server};
//! use datagrammar::{Message, Protocol};
//!
//! #[derive(Message, Protocol)]
//! enum Words<'a> {
//!     #[message(tag = 1, reply = u64)]
//!     Count { text: &'a str },
//!     #[message(tag = 2, items = Word<'_>)]
//!     Split { text: &'a str },
//! }
//!
//! #[derive(Message)]
//! #[message(tag = 1)]
//! struct Word<'a>(&'a str);
//!
//! struct English;
//!
//! impl WordsTokioHandler for English {
//!     async fn count(&self, _: &Context, text: &str) -> u64 {
//!         text.split(' ').count() as u64
//!     }
//!
//!     async fn split(&self, _: &Context, text: &str, mut words: ItemSender<Word<'static>>) {
//!         for word in text.split(' ') {
//!             if words.send(&Word(word)).await.is_err() {
//!                 break; // the caller wants no more
//!             }
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (client, server) = Connection::pair()?;
//! tokio::spawn(async move { Server::new(WordsTokioService(English)).serve(server).await });
//!
//! let client = WordsTokioClient::new(client);
//! let (two, three) = (client.count("good evening"), client.count("how are you"));
//! assert_eq!((three.await?, two.await?), (3, 2));
//! let mut words = client.split("good evening")?;
//! assert_eq!(words.recv().await?.map(|word| word.0), Some("good"));
//! # Ok(())
//! # }
//! ```

#[cfg(all(test, not(datagrammar_loom)))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod awake;
mod busy_poll;
mod client;
mod connections;
mod context;
mod desk;
mod direct;
mod direct_items;
mod driver;
mod gate;
mod gathering;
mod held;
mod item_sender;
mod items;
mod link;
mod look;
#[cfg(all(test, datagrammar_loom))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod models;
mod server;
mod service;
mod spares;
mod stopper;
mod turn;
mod writer;

pub use self::client::Client;
pub use self::direct::Direct;
pub use self::direct_items::DirectItems;
pub use self::item_sender::ItemSender;
pub use self::items::Items;
pub use self::server::Server;
pub use self::service::Service;
pub use self::stopper::Stopper;
pub use crate::calls::{
    Answer, Answering, Answers, Call, CallError, Context, Handling, ItemError, Outcome, Protocol,
    Reply, Responder,
};
