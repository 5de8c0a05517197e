//! Messages: typed values, the encoder that writes them to frames, and the decoder that reads them.

mod answer;
mod argument;
mod contract;
mod decoder;
mod descriptors;
mod direct;
mod encoder;
mod extent;
mod framing;
mod nested;
mod primitives;
mod unknown;
mod unmarked;

pub use self::answer::{AnswerOf, AnswerType, AnswerValue};
pub use self::argument::{
    Argument, DefaultArgument, NestedArgument, OwnedArgument, OwnedFieldType,
};
pub use self::contract::Message;
pub use self::decoder::Decoder;
pub use self::descriptors::Descriptors;
pub use self::direct::{
    FieldType, Get, GetThroughSerde, GetUnmarked, Nothing, Of, OwnedValue, Put, PutChecked,
    PutThroughSerde, Value,
};
pub use self::encoder::Encoder;
pub(crate) use self::extent::{Borrowed, Extent, MAX_BORROWED, MAX_SLICES};
pub use self::framing::to_vec;
pub use self::nested::{Nested, NestedType, NestedValue, NoDescriptors};
pub use self::unknown::Unknown;
pub use self::unmarked::{HoldsMessage, HoldsNone, MarkedNested, Unmarked};
