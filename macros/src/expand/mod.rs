//! The implementation of `Message`, once everything is known to be right.
//!
//! It is in a block of its own, where `__private` is what the runtime has for generated code: every path
//! starts from there, and every function is called by its path, so that nothing the user has in scope can
//! be meant instead. Names of our own start with `__`: a constant or a type of the user's that is in scope
//! under the same name would be taken for them, whatever their span.

mod context;
mod decode;
mod encode;
mod implementation;
mod names;
mod properties;
mod with;

pub(crate) use self::context::at_frame;
pub(crate) use self::implementation::{implementation, in_block, message};
