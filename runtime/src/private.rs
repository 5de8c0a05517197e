//! What generated code names, so that it needs nothing of what its surroundings have in scope.

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

/// The descriptor that a field sends.
pub fn fd<T: AsFd>(value: &T) -> BorrowedFd<'_> {
    value.as_fd()
}

/// The descriptor that an optional field sends.
pub fn optional_fd<T: AsFd>(value: &Option<T>) -> Option<BorrowedFd<'_>> {
    value.as_ref().map(T::as_fd)
}

/// The descriptors that a field sends.
pub fn fds<T: AsFd>(values: &[T]) -> impl ExactSizeIterator<Item = BorrowedFd<'_>> {
    values.iter().map(T::as_fd)
}

/// What comes of decoding a field that is a `BorrowedFd`.
///
/// # Errors
///
/// Always.
pub fn borrowed_fd<T>(field: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError::BorrowedFd(field))
}

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
