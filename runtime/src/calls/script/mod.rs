//! A scripted server, to test clients.

mod check;
mod error;
mod play;
mod replies;
mod schedule;
mod server;
mod step;
mod steps;

pub use self::error::ScriptError;
pub use self::server::{Playing, Script};
pub use self::step::Expected;
