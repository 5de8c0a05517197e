//! The client: calls and their answers.

mod abandoned;
mod accept;
mod answer;
mod begun;
mod call;
mod check;
mod core;
mod handle;
mod items;
mod link;
#[cfg(test)]
mod model;
#[cfg(all(test, datagrammar_loom))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod models;
mod pending;
mod table;
mod wakers;

pub(crate) use self::accept::Accepted;
pub use self::answer::Answer;
pub(crate) use self::check::check;
pub(crate) use self::core::Core;
#[cfg(feature = "tokio")]
pub(crate) use self::core::Sending;
pub use self::handle::Client;
pub use self::items::Items;
pub use self::pending::PendingCall;
#[cfg(feature = "tokio")]
pub(crate) use self::wakers::Wakers;
