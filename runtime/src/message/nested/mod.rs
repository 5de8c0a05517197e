//! Messages in messages: each travels as a frame of its own, behind its length.

mod field;
mod frame;

pub use self::field::{Nested, NestedType, NestedValue, NoDescriptors};
