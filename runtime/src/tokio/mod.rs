//! Async endpoints, for programs that run on [tokio](https://docs.rs/tokio).
//!
//! This module needs the feature `tokio`.
//!
//! The types have the names of the blocking ones, the same errors, limits and options, and the same bytes on the
//! wire. A [`Connection`], [`Listener`], [`Socket`] or [`Process`] converts from its blocking twin and back
//! (`from_blocking`, `into_blocking`), at any time, without losing unread frames and incomplete ones.
//! [The guide](crate::guide::awaiting) says what each future promises.
//!
//! | blocking | here |
//! | --- | --- |
//! | `recv()`, `send(&message)`, `accept()` | `recv().await`, `send(&message).await`, `accept().await` |
//! | `try_recv()`, `try_send(&message)`, `try_accept()` | the same, and a `try_` form of each method below |
//! | `recv_deadline(instant)` and so on | `recv_deadline(instant).await` (an instant of `std`), or any timeout of tokio |
//! | `flush(wait)` and others that take a [`Wait`](crate::Wait) | `flush().await`: no `Wait` |
//! | `Batch` | `Batch`, and a queue for many tasks: [`Sender::into_queue`] |
//! | none | streams: [`Receiver`], [`SocketReceiver`], [`Incoming`], for the `StreamExt` of `futures-util` or `tokio-stream` |
//! | `connection.into_fd()`, `listener.into_fd()` | `into_blocking().into_fd()` |
//!
//! ```
//! use datagrammar::Message;
//! use datagrammar::tokio::{Connection, Listener};
//!
//! /// What a client may ask.
//! #[derive(Message)]
//! enum Request<'a> {
//!     #[message(tag = 1)]
//!     Put {
//!         name: &'a str,
//!         #[message(rest)]
//!         content: &'a [u8],
//!     },
//! }
//!
//! /// What the server answers.
//! #[derive(Message)]
//! enum Reply {
//!     #[message(tag = 1)]
//!     Stored { len: usize },
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let address = "unix:@datagrammar-doc-tokio".parse()?;
//! let listener = Listener::<Reply, Request<'static>>::bind(&address)?;
//!
//! let server = tokio::spawn(async move {
//!     let (mut tx, mut rx) = listener.accept().await?.split();
//!     while let Some(frame) = rx.recv().await? {
//!         let Request::Put { name, content } = frame.decode()?;
//!         assert_eq!((name, content.len()), ("zeros", 100_000));
//!         tx.send(&Reply::Stored { len: content.len() }).await?;
//!     }
//!     Ok::<_, datagrammar::Error>(())
//! });
//!
//! let mut client = Connection::<Request<'static>, Reply>::connect(&address).await?;
//! client.send(&Request::Put { name: "zeros", content: &vec![0; 100_000] }).await?;
//! let Reply::Stored { len } = client.recv().await?.ok_or("the server is gone")?.decode()?;
//! assert_eq!(len, 100_000);
//! drop(client);
//! server.await??;
//! # Ok(())
//! # }
//! ```
//!
//! # Runtimes
//!
//! An endpoint belongs to the runtime in which it was created, as tokio's own sockets do, and works while that
//! runtime runs. Opening one panics unless the runtime has its I/O and time drivers (`enable_all`). Await it in a
//! runtime: deadlines, and sends that wait for room, need timers, and tokio's timers panic outside of one.
//!
//! Do not await one with another executor that blocks a worker thread of a runtime, as `futures::executor::block_on` in
//! a task does: tokio wakes tasks that yield only when that thread goes on. `tokio::task::block_in_place` avoids this.
//!
//! A copy of the process made by fork(2) shares the reactor with its parent. If the copy uses an endpoint or drops it,
//! the parent's endpoint may get no more events. Let the copy call execve(2) or _exit(2) at once, or use the blocking
//! endpoints there.

mod arrivals;
mod batch;
pub mod calls;
mod child;
mod connecting;
mod connection;
mod inbound;
mod incoming;
mod listener;
mod outbound;
mod queue;
mod receiver;
mod room;
mod sender;
mod socket;
mod streak;
mod unread;

pub use self::batch::Batch;
pub use self::child::{Child, Process};
pub use self::connection::Connection;
pub use self::incoming::Incoming;
pub use self::listener::Listener;
pub use self::queue::{Queue, QueueDriver};
pub use self::receiver::Receiver;
pub use self::sender::Sender;
pub use self::socket::{Socket, SocketReceiver, SocketSender};
