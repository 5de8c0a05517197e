//! The types of answers of calls.

use std::any::{TypeId, type_name};
use std::fmt;

/// The type of answer of a call: see [`Protocol::returns`](super::Protocol::returns).
#[derive(Debug, Clone, Copy)]
pub struct Returns(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Unknown,
    Nothing,
    Answer(Type),
    Items(Type),
}

/// Returns a type and its name. A function pointer, because it is one word, and servers copy it without calling it.
type Type = fn() -> (TypeId, &'static str);

impl Returns {
    /// Returns the value for an unknown call, such as one of a newer version of the protocol.
    pub const fn unknown() -> Self {
        Self(Kind::Unknown)
    }

    /// Returns the value for a call without an answer.
    pub const fn nothing() -> Self {
        Self(Kind::Nothing)
    }

    /// Returns the value for a call with one answer, whose type is the [`Reply`](super::Reply) `R`.
    pub const fn answer<R: 'static>() -> Self {
        Self(Kind::Answer(of::<R>))
    }

    /// Returns the value for a call that is answered with items of the type `I`.
    pub const fn items<I: 'static>() -> Self {
        Self(Kind::Items(of::<I>))
    }

    /// Returns whether the call is answered with items.
    pub const fn has_items(self) -> bool {
        matches!(self.0, Kind::Items(_))
    }

    pub(crate) const fn is_nothing(self) -> bool {
        matches!(self.0, Kind::Nothing)
    }

    pub(crate) const fn is_unknown(self) -> bool {
        matches!(self.0, Kind::Unknown)
    }

    /// Returns whether both are the same, as far as they are known.
    pub(crate) fn fits(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Kind::Unknown, _) | (_, Kind::Unknown) | (Kind::Nothing, Kind::Nothing) => true,
            (Kind::Answer(one), Kind::Answer(other)) | (Kind::Items(one), Kind::Items(other)) => {
                one().0 == other().0
            }
            _ => false,
        }
    }
}

/// Completes "the call has".
impl fmt::Display for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Unknown => f.write_str("an unknown answer"),
            Kind::Nothing => f.write_str("no answer"),
            Kind::Answer(of) => write!(f, "the answer `{}`", of().1),
            Kind::Items(of) => write!(f, "items of the type `{}`", of().1),
        }
    }
}

fn of<T: 'static>() -> (TypeId, &'static str) {
    (TypeId::of::<T>(), type_name::<T>())
}
