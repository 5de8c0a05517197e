//! What answers a call.

use std::any::{TypeId, type_name};
use std::fmt;

/// What answers a call: see [`Protocol::returns`](super::Protocol::returns).
#[derive(Debug, Clone, Copy)]
pub struct Returns(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Unknown,
    Nothing,
    Answer(Type),
    Items(Type),
}

/// A type and its name. A function, so that the server asks for a word and not for the whole.
type Type = fn() -> (TypeId, &'static str);

impl Returns {
    /// What the protocol does not know, such as a call of a newer one.
    pub const fn unknown() -> Self {
        Self(Kind::Unknown)
    }

    /// Nothing: the call has no answer.
    pub const fn nothing() -> Self {
        Self(Kind::Nothing)
    }

    /// An answer, whose type is a [`Reply`](super::Reply).
    pub const fn answer<R: 'static>() -> Self {
        Self(Kind::Answer(of::<R>))
    }

    /// Items of this type.
    pub const fn items<I: 'static>() -> Self {
        Self(Kind::Items(of::<I>))
    }

    /// Returns whether it is items.
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
