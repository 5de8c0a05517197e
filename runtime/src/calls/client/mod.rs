//! The client: calls and their answers.

mod answer;
mod handle;
mod items;
mod link;
#[cfg(test)]
mod model;
mod table;

pub use self::answer::Answer;
pub use self::handle::Client;
pub use self::items::Items;
