//! Types that need no serde: bytes, text, numbers, and containers of them. The compiler recognises them under
//! any name, and their bytes are the same as through serde.
//!
//! Derived code calls the methods of [`Value`] and [`Of`]. For a type with [`Put`] or [`Get`], the compiler
//! finds their inherent methods. For other types, it finds the methods of the traits [`PutChecked`],
//! [`PutThroughSerde`] and [`GetThroughSerde`].

mod dispatch;
mod maps;
mod traits;
mod types;

pub use self::dispatch::{
    FieldType, GetThroughSerde, GetUnmarked, Nothing, Of, OwnedValue, PutChecked, PutThroughSerde,
    Value,
};
pub use self::traits::{Get, Put};
