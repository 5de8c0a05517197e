//! The attributes and shapes of the derive, each with its bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod codecs;
mod debug_builds;
mod defaults;
mod descriptors;
mod fields;
mod generics;
mod large;
mod lints;
mod nested;
mod nested_descriptors;
mod other;
mod other_descriptors;
mod other_dropped;
mod recognised;
mod refusals;
mod shapes;
mod symmetry;
mod with;

use std::fmt::Debug;

use datagrammar::{Message, to_vec};

/// Checks that `message` encodes to `frame`, and that `frame` decodes to `message`.
#[track_caller]
fn is_sent_as<'f, M>(message: M, frame: &'f [u8])
where
    M: Message<Borrowed<'f> = M> + PartialEq + Debug,
{
    assert_eq!(to_vec(&message).unwrap(), frame);
    assert_eq!(M::decode(frame).unwrap(), message);
}
