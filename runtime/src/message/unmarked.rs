//! Compile errors for fields that hold a message but are not marked `nested`.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::contract::Message;

/// The type of a field that is not marked `nested`.
#[derive(Debug)]
pub struct Unmarked<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Clone for Unmarked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Unmarked<T> {}

impl<T: ?Sized> Unmarked<T> {
    /// The only value.
    pub const FIELD: Self = Self(PhantomData);
}

impl<T: HoldsMessage + ?Sized> Unmarked<T> {
    #[doc(hidden)]
    pub fn __check(self)
    where
        T: MarkedNested,
    {
    }
}

/// Accepts a type that holds no message.
pub trait HoldsNone: Sized {
    #[doc(hidden)]
    #[inline(always)]
    fn __check(self) {}
}

impl<T: ?Sized> HoldsNone for Unmarked<T> {}

/// No type implements this trait, so the compiler reports the following error for a type that holds a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is or holds a message, but the field is not marked `nested`",
    label = "write #[message(nested)] before this field",
    note = "a nested message is a frame of its own: through serde, it would lose its tags, `rest`, `default` and `fd` fields",
    note = "`nested` takes a message, or a `Box`, `Option` or `Vec` of one: instead of a tuple or a map, write a `Vec` of a struct that derives `Message`"
)]
pub trait MarkedNested {}

/// A type that is a message, or holds one.
pub trait HoldsMessage {}

impl<M: Message> HoldsMessage for M {}
impl<T: HoldsMessage> HoldsMessage for [T] {}
impl<T: HoldsMessage, const N: usize> HoldsMessage for [T; N] {}
impl<T: HoldsMessage> HoldsMessage for Option<T> {}
impl<T: HoldsMessage> HoldsMessage for Vec<T> {}
impl<T: HoldsMessage> HoldsMessage for VecDeque<T> {}
impl<T: HoldsMessage + ?Sized> HoldsMessage for Arc<T> {}
impl<T: HoldsMessage + ?Sized> HoldsMessage for Rc<T> {}
impl<K, V: HoldsMessage> HoldsMessage for BTreeMap<K, V> {}
impl<K, V: HoldsMessage, S> HoldsMessage for HashMap<K, V, S> {}
