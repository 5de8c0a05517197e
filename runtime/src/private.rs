//! What generated code names, so that it needs nothing of what its surroundings have in scope.

pub use core::default::Default;
pub use core::marker::PhantomData;
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{str, u8, u32};
pub use core::result::Result::{self, Err, Ok};
pub use core::unreachable;
pub use std::borrow::Cow;
pub use std::string::String;
pub use std::vec::Vec;

pub use serde::de::DeserializeOwned;
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes that a field is sent as.
#[inline]
pub fn bytes<T: AsRef<[u8]> + ?Sized>(value: &T) -> &[u8] {
    value.as_ref()
}

/// The text that a field is sent as.
#[inline]
pub fn text<T: AsRef<str> + ?Sized>(value: &T) -> &str {
    value.as_ref()
}
