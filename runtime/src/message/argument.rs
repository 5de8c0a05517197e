//! Bounds on the type arguments of generic messages, and the compiler's words where one is not met.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contract::Message;

/// A type argument of a message, in a bound. The compiler writes fewer lines about a bound on this type than about
/// one on the argument itself.
#[derive(Debug)]
pub struct Argument<T>(PhantomData<T>);

/// Names the type behind an [`Argument`], so that a bound on the `Argument` is also a bound on the type.
#[expect(unnameable_types, reason = "only the traits below name it")]
pub trait Names {
    #[doc(hidden)]
    type Type;
}

impl<T> Names for Argument<T> {
    type Type = T;
}

/// An argument that serde can write and read, and that borrows nothing.
#[diagnostic::on_unimplemented(
    message = "`{T}` cannot be part of a field of a message",
    label = "`Serialize` or `Deserialize` is missing, or the type borrows",
    note = "for your own type, write #[derive(serde::Serialize, serde::Deserialize)] before it; for other bounds, write #[message(bound = \"…\")] on the message"
)]
pub trait OwnedArgument<T>: Names<Type = T> + Names<Type: Serialize + DeserializeOwned> {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> OwnedArgument<T> for Argument<T> {}

/// A type that serde can write and read, and that borrows nothing: for parameters that the user bounds by traits of
/// other crates. If such a trait asks for `Deserialize`, the compiler cannot choose between its bound and that of an
/// [`OwnedArgument`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a field of a message",
    label = "`Serialize` or `Deserialize` is missing, or the type borrows",
    note = "for your own type, write #[derive(serde::Serialize, serde::Deserialize)] before it; for other bounds, write #[message(bound = \"…\")] on the message"
)]
pub trait OwnedFieldType: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> OwnedFieldType for T {}

/// An argument that is a message.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not a message, so it cannot be `nested`",
    label = "this holds a `{T}`, which cannot travel as a frame",
    note = "derive it: #[derive(datagrammar::Message)], with #[message(tag = N)] on each variant"
)]
pub trait NestedArgument<T>: Names<Type = T> + Names<Type: Message> {}

#[diagnostic::do_not_recommend]
impl<T: Message> NestedArgument<T> for Argument<T> {}

/// An argument with a default, for `default` fields.
#[diagnostic::on_unimplemented(
    message = "`{T}` has no default, which a `default` field needs",
    label = "`Default` is missing",
    note = "for your own type, write #[derive(Default)] before it; for other bounds, write #[message(bound = \"…\")] on the message"
)]
pub trait DefaultArgument<T>: Names<Type = T> + Names<Type: Default> {}

#[diagnostic::do_not_recommend]
impl<T: Default> DefaultArgument<T> for Argument<T> {}
