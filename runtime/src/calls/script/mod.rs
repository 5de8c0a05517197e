//! A scripted server, to test clients.

mod check;
mod error;
mod play;
mod replies;
mod server;
mod step;

pub use self::error::ScriptError;
pub use self::server::{Playing, Script};
pub use self::step::Expected;
