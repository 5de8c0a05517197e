//! Types that need no serde: bytes, text, numbers, and what is made of them. They are recognised by what
//! they are, and the bytes are those that serde would write.
//!
//! Generated code asks [`Value`] and [`Of`]. For a type with [`Put`] or [`Get`] the compiler finds their
//! own method; for any other, that of [`PutChecked`], [`PutThroughSerde`] or [`GetThroughSerde`].

mod dispatch;
mod maps;
mod traits;
mod types;

pub use self::dispatch::{
    FieldType, GetThroughSerde, Nothing, Of, OwnedFieldType, OwnedValue, PutChecked,
    PutThroughSerde, Value,
};
pub use self::traits::{Get, Put};
