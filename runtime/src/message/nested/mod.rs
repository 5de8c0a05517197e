//! Messages in messages: each travels as its own frame, after its length.

mod field;
mod frame;

pub use self::field::{Nested, NestedType, NestedValue, NoDescriptors};
