//! Calls a service without a socket, to test it.

mod items;
mod local;
mod raw;
mod received;
mod service;

pub use self::items::DirectItems;
pub(crate) use self::local::{Begun, answer, begin, check, notify};
pub(crate) use self::raw::{RECHECK, Raw};
pub(crate) use self::received::ReceivedItems;
pub use self::service::Direct;
