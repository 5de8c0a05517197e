//! A field that holds a message and is not marked `nested`: a mistake that the compiler can tell.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use super::contract::Message;

/// The type of a field without `nested`.
#[derive(Debug)]
pub struct Unmarked<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Unmarked<T> {
    /// The only one.
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

/// Finds nothing wrong with a type that holds no message.
pub trait HoldsNone: Sized {
    #[doc(hidden)]
    #[inline(always)]
    fn __check(self) {}
}

impl<T: ?Sized> HoldsNone for Unmarked<T> {}

/// What no message is, nor anything that holds one, unless its field says so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a message, or holds one, in a field that is not marked",
    label = "write #[message(nested)] before this field",
    note = "a message in a message is a frame of its own: through serde it would lose its tags, `rest`, `default` and `fd` fields (`nested` takes messages, and `Box`, `Option` and `Vec` of them; instead of a tuple or a map, write a `Vec` of a struct that is a message)"
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
