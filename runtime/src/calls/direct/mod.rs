//! A server that is called without a socket, to test it.

mod items;
mod local;
mod raw;
mod service;

pub use self::items::DirectItems;
pub use self::service::Direct;
