//! The names of enum variants, as they are sent and as they would be received.

use std::cell::{Cell, RefCell};

use serde::de::value::U32Deserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IntoDeserializer};

/// The serialised variants in order, and the number of variants deserialised so far.
#[derive(Default)]
pub(super) struct Names {
    sent: RefCell<Vec<(&'static str, &'static str)>>,
    received: Cell<usize>,
    /// The variant names of the enum that is being deserialised.
    of: Cell<&'static [&'static str]>,
    pub(super) mistaken: Cell<Option<Mistaken>>,
    pub(super) checks: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Mistaken {
    pub(super) of: &'static str,
    pub(super) sent: &'static str,
    /// `None` for none of the variants.
    pub(super) received: Option<&'static str>,
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

    /// Compares a variant with the one that was sent. A name that the receiver does not have is no mismatch:
    /// serde renamed it.
    fn received(&self, index: u32) {
        let (at, of) = (self.received.get(), self.of.get());
        self.received.set(at + 1);
        let received = usize::try_from(index).ok().and_then(|index| of.get(index)).copied();
        if let Some(&(name, sent)) = self.sent.borrow().get(at)
            && received != Some(sent)
            && of.contains(&sent)
        {
            self.mistaken.set(Some(Mistaken { of: name, sent, received }));
        }
    }
}

/// A seed for the number of a variant, which it notes.
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
