//! Compile errors for fields that hold a message but are not marked `nested`.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::num::{Saturating, Wrapping};
use std::ops::{Bound, Range, RangeFrom, RangeInclusive, RangeTo};
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

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

/// A type that is a message, or holds one. The derive looks for messages where a type alone does not show them: among
/// the values of a tuple, the keys of a map and the errors of a `Result`.
pub trait HoldsMessage {}

// Also a `Box` of a message, which is a message.
impl<M: Message> HoldsMessage for M {}

impl<T: HoldsMessage> HoldsMessage for [T] {}
impl<T: HoldsMessage, const N: usize> HoldsMessage for [T; N] {}
impl<T: HoldsMessage, E> HoldsMessage for Result<T, E> {}
impl<K, V: HoldsMessage> HoldsMessage for BTreeMap<K, V> {}
impl<K, V: HoldsMessage, S> HoldsMessage for HashMap<K, V, S> {}
impl<T: HoldsMessage, S> HoldsMessage for HashSet<T, S> {}
impl<T: HoldsMessage + ToOwned + ?Sized> HoldsMessage for Cow<'_, T> {}

impl<T: HoldsMessage> HoldsMessage for Box<[T]> {}
impl<T: HoldsMessage, const N: usize> HoldsMessage for Box<[T; N]> {}
impl<T: HoldsMessage, E> HoldsMessage for Box<Result<T, E>> {}
impl<K, V: HoldsMessage> HoldsMessage for Box<BTreeMap<K, V>> {}
impl<K, V: HoldsMessage, S> HoldsMessage for Box<HashMap<K, V, S>> {}
impl<T: HoldsMessage, S> HoldsMessage for Box<HashSet<T, S>> {}
impl<T: HoldsMessage + ToOwned + ?Sized> HoldsMessage for Box<Cow<'_, T>> {}

macro_rules! containers {
    ($($container:ident)*; ?Sized: $($pointer:ident)*) => {
        $(
            impl<T: HoldsMessage> HoldsMessage for $container<T> {}
            impl<T: HoldsMessage> HoldsMessage for Box<$container<T>> {}
        )*
        $(
            impl<T: HoldsMessage + ?Sized> HoldsMessage for $pointer<T> {}
            impl<T: HoldsMessage + ?Sized> HoldsMessage for Box<$pointer<T>> {}
        )*
    };
}

containers! {
    BinaryHeap Bound BTreeSet Cell LinkedList Option Range RangeFrom RangeInclusive RangeTo Reverse Saturating Vec
    VecDeque Wrapping;
    ?Sized: Arc Mutex Rc RefCell RwLock
}
