//! The message that every way moves: a sequence number, and bytes that are borrowed, or owned where an API
//! cannot lend.

use std::borrow::Cow;
use std::fmt;

use datagrammar::Message;
use serde::de::{Deserialize, Deserializer};
use serde::{Serialize, Serializer};

/// The message, borrowed.
#[derive(Debug, Clone, Copy, Message, serde::Serialize, serde::Deserialize)]
pub(crate) enum Note<'a> {
    #[message(tag = 1)]
    Sample {
        seq: u64,
        #[serde(borrow, with = "serde_bytes")]
        payload: &'a [u8],
    },
}

/// The same for ways that decode to owned data only. The sender's borrows, so that no way pays for a copy
/// that its user would not make.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) enum Held {
    Sample { seq: u64, payload: Bytes },
}

/// Borrowed by senders, owned by receivers.
#[derive(Clone)]
pub(crate) struct Bytes(pub(crate) Cow<'static, [u8]>);

impl From<Note<'static>> for Held {
    fn from(Note::Sample { seq, payload }: Note<'static>) -> Self {
        Self::Sample { seq, payload: Bytes(Cow::Borrowed(payload)) }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = serde_bytes::ByteBuf::deserialize(deserializer)?;
        Ok(Self(Cow::Owned(bytes.into_vec())))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
