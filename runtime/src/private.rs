//! What generated code names, so that it needs nothing of what its surroundings have in scope.

pub use core::default::Default;
pub use core::marker::PhantomData;
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, str, u8, u32};
pub use core::result::Result::{self, Err, Ok};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use std::borrow::Cow;
pub use std::string::String;
pub use std::vec::Vec;

pub use serde::de::DeserializeOwned;
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[cfg(feature = "bincode")]
pub use crate::codec::Bincode;
pub use crate::codec::Codec;
pub use crate::error::{DecodeError, EncodeError};
pub use crate::message::{
    Decoder, Descriptors, Encoder, Get, GetThroughSerde, HoldsMessage, HoldsNone, MarkedNested,
    Message, Nested, Of, OwnedValue, Put, PutChecked, PutThroughSerde, Unknown, Unmarked, Value,
};

/// What reading a message gives.
pub type Decoded<'f, M> = Result<<M as Message>::Borrowed<'f>, DecodeError>;

/// What generated code must not reach, as it stands beside an error.
///
/// # Panics
///
/// Always.
pub fn mistaken() -> ! {
    unreachable!("a derive with errors does not compile")
}

/// A function of its own for one variant. Without optimisations, one function for all of them needs stack
/// for the fields of each.
#[inline(always)]
pub fn apart<T>(variant: impl FnOnce() -> T) -> T {
    variant()
}

/// What an `fd` field is: it lends its descriptor, and is made of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no descriptor to send",
    label = "not an `OwnedFd`, a `File` or a socket, nor an `Option` or a `Vec` of one",
    note = "an `fd` field takes every type with `AsFd` and `TryFrom<OwnedFd>`: write `Vec<File>` instead of an array, `File` instead of a `Box` of one, `OwnedFd` instead of `RawFd`; a struct with a descriptor inside becomes a message of its own, in a field with #[message(nested)]"
)]
pub trait Sendable {
    /// The descriptor.
    fn descriptor(&self) -> BorrowedFd<'_>;
}

#[diagnostic::do_not_recommend]
impl<T: AsFd> Sendable for T {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

/// What is made of a descriptor that was received.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a descriptor that was received",
    label = "not an `OwnedFd`, a `File` or a socket, nor an `Option` or a `Vec` of one"
)]
pub trait Receivable: TryFrom<OwnedFd, Error: core::fmt::Display> {}

#[diagnostic::do_not_recommend]
impl<T: TryFrom<OwnedFd, Error: core::fmt::Display>> Receivable for T {}

/// Takes the next descriptor, for a field.
///
/// # Errors
///
/// Those of [`Descriptors::take`].
pub fn take<T: Receivable>(
    descriptors: &mut Descriptors,
    field: &'static str,
) -> Result<T, DecodeError> {
    descriptors.take(field)
}

/// Takes the next `count` descriptors, for a field that holds several.
///
/// # Errors
///
/// Those of [`Descriptors::take_many`].
pub fn take_many<T: Receivable>(
    descriptors: &mut Descriptors,
    field: &'static str,
    count: u64,
) -> Result<Vec<T>, DecodeError> {
    descriptors.take_many(field, count)
}

/// The descriptor that a field sends.
pub fn fd<T: Sendable>(value: &T) -> BorrowedFd<'_> {
    value.descriptor()
}

/// The descriptor that an optional field sends.
pub fn optional_fd<T: Sendable>(value: &Option<T>) -> Option<BorrowedFd<'_>> {
    value.as_ref().map(T::descriptor)
}

/// The descriptors that a field sends.
pub fn fds<T: Sendable>(values: &[T]) -> impl ExactSizeIterator<Item = BorrowedFd<'_>> {
    values.iter().map(T::descriptor)
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
