//! Expands a checked message type into its implementation of `Message`.
//!
//! The implementation is in a block of its own, in which `__private` is the runtime's module for derived code.
//! Every path starts there, and every function is called by its path, so names in the user's scope have no
//! effect. Our own names start with `__`. A constant or a type of the user with such a name would still take
//! their place, whatever their span.

mod context;
mod decode;
mod encode;
mod implementation;
mod mistaken;
mod names;
mod properties;
mod protocol;
mod read_field;
mod with;

pub(crate) use self::context::at_frame;
pub(crate) use self::implementation::{implementation, in_block, message};
pub(crate) use self::mistaken::mistaken;
pub(crate) use self::protocol::protocol;
