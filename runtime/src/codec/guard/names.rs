//! A check of builds with debug assertions: a value that is sent is received as the same variants, and
//! from the same bytes.
//!
//! serde counts all variants of an enum where it serialises, and where it deserialises those alone that
//! are not skipped. So `#[serde(skip)]` on one makes another of each that comes after it, in silence.

use std::cell::{Cell, RefCell};

use serde::de::value::U32Deserializer;
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer};

use super::{Guard, Meter};
use crate::codec::Codec;
use crate::error::Fault;

/// The variants that were serialised, in order, and where deserialising has got to.
#[derive(Default)]
pub(super) struct Names {
    sent: RefCell<Vec<(&'static str, &'static str)>>,
    received: Cell<usize>,
    /// The variants of the enum that is being deserialised.
    of: Cell<&'static [&'static str]>,
    mistaken: Cell<Option<Mistaken>>,
    pub(super) checks: bool,
}

#[derive(Clone, Copy)]
struct Mistaken {
    of: &'static str,
    sent: &'static str,
    received: &'static str,
}

impl Names {
    pub(super) fn sent(&self, of: &'static str, variant: &'static str) {
        if self.checks {
            self.sent.borrow_mut().push((of, variant));
        }
    }

    pub(super) fn receive(&self, variants: &'static [&'static str]) {
        self.of.set(variants);
    }

    /// Compares a variant with the one that was sent. (A name that the receiver does not have was
    /// given another one.)
    fn received(&self, index: u32) {
        let (at, of) = (self.received.get(), self.of.get());
        self.received.set(at + 1);
        let received = usize::try_from(index).ok().and_then(|index| of.get(index));
        if let (Some(&(name, sent)), Some(&received)) = (self.sent.borrow().get(at), received)
            && sent != received
            && of.contains(&sent)
        {
            self.mistaken.set(Some(Mistaken { of: name, sent, received }));
        }
    }
}

/// A seed of a variant's number, which is noted.
pub(super) struct Index<'g, S> {
    pub(super) inner: S,
    pub(super) names: &'g Names,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Index<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        if !self.names.checks {
            return self.inner.deserialize(deserializer);
        }
        let index = u32::deserialize(deserializer)?;
        self.names.received(index);
        let index: U32Deserializer<D::Error> = index.into_deserializer();
        self.inner.deserialize(index)
    }
}

/// Says what is wrong with `bytes`, to which a `T` was encoded under `meter`.
pub(super) fn check<C: Codec, T: DeserializeOwned>(
    meter: Meter,
    bytes: &[u8],
    nested: u32,
) -> Result<(), Box<str>> {
    let meter = Meter { names: meter.names, ..Meter::new(bytes.len(), 0) };
    let seed = Guard::outermost(std::marker::PhantomData::<T>, &meter, nested);
    let decoded = C::decode(seed, bytes);
    let text = match (decoded, meter.names.mistaken.get()) {
        (_, Some(Mistaken { of, sent, received })) => format!(
            "`{of}::{sent}` would be received as `{of}::{received}`: an enum with `#[serde(skip)]` on a variant counts its variants in two ways"
        ),
        (Ok((_, taken)), None) if taken < bytes.len() => format!(
            "{taken} bytes would be read of the {} that were written: the type deserialises something else than it serialises",
            bytes.len()
        ),
        (Err(fault), None) => match meter.fault(fault) {
            fault @ Fault::SelfDescribing => fault.to_string(),
            Fault::Short { .. } => format!(
                "more bytes would be read than the {} that were written: the type serialises less than it deserialises",
                bytes.len()
            ),
            // A type may refuse what it likes.
            _ => return Ok(()),
        },
        (Ok(_), None) => return Ok(()),
    };
    Err(text.into())
}
