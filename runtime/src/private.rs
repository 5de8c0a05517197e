//! Items that generated code names, independent of what is in scope there.

pub use core::default::Default;
pub use core::marker::PhantomData;
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, str, u8, u32};
pub use core::result::Result::{self, Err, Ok};
pub use core::unreachable;
use std::os::fd::{AsFd, BorrowedFd};

pub use std::borrow::Cow;
pub use std::string::String;
pub use std::vec::Vec;

pub use serde::de::DeserializeOwned;
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::DecodeError;

/// Returns the descriptor that a field sends.
pub fn fd<T: AsFd>(value: &T) -> BorrowedFd<'_> {
    value.as_fd()
}

/// Returns the descriptor that an optional field sends.
pub fn optional_fd<T: AsFd>(value: &Option<T>) -> Option<BorrowedFd<'_>> {
    value.as_ref().map(T::as_fd)
}

/// Returns the descriptors that a field sends.
pub fn fds<T: AsFd>(values: &[T]) -> impl ExactSizeIterator<Item = BorrowedFd<'_>> {
    values.iter().map(T::as_fd)
}

/// Fails to decode a `BorrowedFd` field.
///
/// # Errors
///
/// Always.
pub fn borrowed_fd<T>(field: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError::BorrowedFd(field))
}

/// Returns the bytes that a field sends.
#[inline]
pub fn bytes<T: AsRef<[u8]> + ?Sized>(value: &T) -> &[u8] {
    value.as_ref()
}

/// Returns the text that a field sends.
#[inline]
pub fn text<T: AsRef<str> + ?Sized>(value: &T) -> &str {
    value.as_ref()
}
