//! The client: calls and their answers.

mod answer;
mod call;
mod core;
mod handle;
mod items;
mod link;
#[cfg(test)]
mod model;
mod table;

pub use self::answer::Answer;
pub(crate) use self::core::{Accepted, Core};
pub use self::handle::Client;
pub use self::items::Items;
