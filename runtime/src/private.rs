//! The items that derived code uses. It names them by this path, whatever is in scope there.

pub use core::clone::Clone;
pub use core::convert::{AsRef, From, Infallible};
pub use core::default::Default;
pub use core::fmt::{self, Debug, DebugTuple, Formatter};
pub use core::future::Future;
pub use core::marker::{PhantomData, Send, Sync};
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, str, u8, u32};
pub use core::result::Result::{self, Err, Ok};
use std::error::Error;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use std::borrow::Cow;
pub use std::string::String;
pub use std::sync::Arc;
pub use std::time::Instant;
pub use std::vec::Vec;

pub use serde::de::DeserializeOwned;
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::__if_tokio as if_tokio;
pub use crate::address::Address;
pub use crate::calls::{Answer, Answers, CallError, Protocol, Reply, Returns};
#[cfg(feature = "bincode")]
pub use crate::codec::Bincode;
pub use crate::codec::Codec;
pub use crate::error::{DecodeError, EncodeError, OpenError};
pub use crate::message::{
    AnswerOf, AnswerType, AnswerValue, Argument, Decoder, DefaultArgument, Descriptors, Encoder,
    FieldType, Get, GetThroughSerde, GetUnmarked, HoldsMessage, HoldsNone, MarkedNested, Message,
    Nested, NestedArgument, NestedType, NestedValue, NoDescriptors, Nothing, Of, OwnedArgument,
    OwnedFieldType, OwnedValue, Put, PutChecked, PutThroughSerde, Unknown, Unmarked, Value,
};

/// The result of reading a message.
pub type Decoded<'f, M> = Result<<M as Message>::Borrowed<'f>, DecodeError>;

/// The body of functions that never run, because the derive or the compiler reports an error.
///
/// # Panics
///
/// Always.
pub fn mistaken() -> ! {
    unreachable!("a derive with errors does not compile")
}

/// Calls the function that writes one variant. In an unoptimised build, one function for all variants would
/// need stack for the fields of all of them.
#[inline(always)]
pub fn apart<T>(variant: impl FnOnce() -> T) -> T {
    variant()
}

/// A protocol whose answers have the types in `T`. The types stand here so that the compiler checks how they are
/// written.
pub trait AnsweredWith<T> {}

/// A type of `fd` fields: it lends its descriptor, and can be made from one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a descriptor",
    label = "not an `OwnedFd`, `File` or socket, nor an `Option` or `Vec` of one",
    note = "an `fd` field takes any type with `AsFd` and `TryFrom<OwnedFd>`: write `Vec<File>` instead of an array, `File` instead of `Box<File>`, `OwnedFd` instead of `RawFd`, `BorrowedFd<'a>` instead of `&'a File`, and `Vec<File>`, which may be empty, instead of an `Option` of one",
    note = "if this is a struct that holds a descriptor, derive `Message` for it, and mark the field #[message(nested)]",
    note = "if this is a type of your own with the name of a descriptor, write a path, such as `self::File`"
)]
pub trait Descriptor: AsFd + TryFrom<OwnedFd, Error: Into<Box<dyn Error + Send + Sync>>> {}

#[diagnostic::do_not_recommend]
impl<T: AsFd + TryFrom<OwnedFd, Error: Into<Box<dyn Error + Send + Sync>>>> Descriptor for T {}

/// Takes the next descriptor, for an `fd` field.
///
/// # Errors
///
/// Those of [`Descriptors::take`].
pub fn take<T: Descriptor>(
    descriptors: &mut Descriptors,
    field: &'static str,
) -> Result<T, DecodeError> {
    descriptors.take(field)
}

/// Takes the next `count` descriptors, for an `fd` field that holds several.
///
/// # Errors
///
/// Those of [`Descriptors::take_many`].
pub fn take_many<T: Descriptor>(
    descriptors: &mut Descriptors,
    field: &'static str,
    count: u64,
) -> Result<Vec<T>, DecodeError> {
    descriptors.take_many(field, count)
}

/// The value of an `fd` field, to be sent.
#[derive(Debug)]
pub struct Lent<'m, T: ?Sized>(pub &'m T);

impl<'m, T: AsFd> Lent<'m, T> {
    #[doc(hidden)]
    pub fn __fd(self) -> BorrowedFd<'m> {
        self.0.as_fd()
    }
}

impl<'m, T: AsFd> Lent<'m, Option<T>> {
    #[doc(hidden)]
    pub fn __optional_fd(self) -> Option<BorrowedFd<'m>> {
        self.0.as_ref().map(T::as_fd)
    }
}

impl<'m, T: AsFd> Lent<'m, Vec<T>> {
    #[doc(hidden)]
    pub fn __fds(self) -> impl ExactSizeIterator<Item = BorrowedFd<'m>> {
        self.0.iter().map(T::as_fd)
    }
}

/// Supplies the methods for types that are not descriptors, so that the compiler reports such a type only once,
/// where it is received.
pub trait LentNothing<'m>: Sized {
    #[doc(hidden)]
    fn __fd(self) -> BorrowedFd<'m> {
        mistaken()
    }

    #[doc(hidden)]
    fn __optional_fd(self) -> Option<BorrowedFd<'m>> {
        mistaken()
    }

    #[doc(hidden)]
    fn __fds(self) -> std::vec::IntoIter<BorrowedFd<'m>> {
        mistaken()
    }
}

impl<'m, T: ?Sized> LentNothing<'m> for Lent<'m, T> {}

/// Returns the error for a `BorrowedFd` field, which cannot be received.
///
/// # Errors
///
/// Always.
pub fn borrowed_fd<T>(field: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError::BorrowedFd(field))
}

/// Returns the bytes of a field.
#[inline]
pub fn bytes<T: AsRef<[u8]> + ?Sized>(value: &T) -> &[u8] {
    value.as_ref()
}

/// Returns the text of a field.
#[inline]
pub fn text<T: AsRef<str> + ?Sized>(value: &T) -> &str {
    value.as_ref()
}

/// A type of `rest` fields.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a `rest` field",
    label = "write `&'a [u8]`, `Vec<u8>`, `Cow<'a, [u8]>` or `Box<[u8]>`",
    note = "a `rest` field holds bytes: it takes any type with `AsRef<[u8]>` and `From<&[u8]>`"
)]
pub trait RestType<'f>: AsRef<[u8]> + From<&'f [u8]> {}

#[diagnostic::do_not_recommend]
impl<'f, T: AsRef<[u8]> + From<&'f [u8]>> RestType<'f> for T {}

/// Reads a `rest` field.
#[inline]
pub fn rest<'f, C: Codec, T: RestType<'f>>(decoder: &mut Decoder<'f, C>) -> T {
    decoder.rest()
}

/// The value of a `rest` field, to be sent.
#[derive(Debug)]
pub struct Rest<'m, T: ?Sized>(pub &'m T);

impl<'m, T: AsRef<[u8]> + ?Sized> Rest<'m, T> {
    #[doc(hidden)]
    #[inline]
    pub fn __bytes(self) -> &'m [u8] {
        self.0.as_ref()
    }
}

/// Supplies the method for types that do not hold bytes, so that the compiler reports such a type only once,
/// where it is received.
pub trait RestNothing<'m>: Sized {
    #[doc(hidden)]
    fn __bytes(self) -> &'m [u8] {
        mistaken()
    }
}

impl<'m, T: ?Sized> RestNothing<'m> for Rest<'m, T> {}

/// What the blocking clients and services of a protocol use.
pub mod calls {
    use super::{Answer, CallError, Reply};

    pub use crate::calls::{
        Answering, Call, Client, Context, Handling, ItemSender, Items, Responder, Service,
    };
    pub use crate::connection::Connection;

    /// Hands the items of a call over to a handler.
    pub fn items<I>(answering: Answering) -> (ItemSender<I>, Handling) {
        answering.handled_items()
    }

    /// Returns the value of an answer that borrows nothing.
    ///
    /// # Errors
    ///
    /// Those of the call, and of [`Answer::decode`].
    pub fn owned<R, V, E>(answer: Result<Answer<R>, CallError>) -> Result<V, CallError<E>>
    where
        R: for<'f> Reply<Value<'f> = V, Error<'f> = E>,
    {
        answer.map_err(CallError::widen)?.decode()
    }
}

/// What the awaited clients and services of a protocol use.
#[cfg(feature = "tokio")]
pub mod tokio {
    use super::{Answer, CallError, Reply};

    pub use crate::tokio::Connection;
    pub use crate::tokio::calls::{
        Answering, Call, Client, Context, Handling, ItemSender, Items, Responder, Service,
    };

    /// Returns the value of an answer that borrows nothing.
    ///
    /// # Errors
    ///
    /// Those of the call, and of [`Answer::decode`].
    pub async fn owned<R, V, E>(
        answer: impl Future<Output = Result<Answer<R>, CallError>>,
    ) -> Result<V, CallError<E>>
    where
        R: for<'f> Reply<Value<'f> = V, Error<'f> = E>,
    {
        super::calls::owned(answer.await)
    }

    /// Hands the items of a call over to a handler.
    pub fn items<I>(answering: Answering) -> (ItemSender<I>, Handling) {
        let (items, handling) = answering.handled_items();
        (ItemSender::from(items), handling)
    }
}

/// Expands to its tokens with the feature `tokio`, and to nothing without. The derive cannot see the feature.
#[cfg(feature = "tokio")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_tokio {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Expands to its tokens with the feature `tokio`, and to nothing without. The derive cannot see the feature.
#[cfg(not(feature = "tokio"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_tokio {
    ($($tokens:tt)*) => {};
}
