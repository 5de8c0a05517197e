//! The message that every way moves: a sequence number, and bytes that are borrowed, or owned where an API
//! cannot lend.

use std::borrow::Cow;

use datagrammar::Message;
use serde::de::{Deserialize as _, Deserializer};
use serde_bytes::ByteBuf;

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
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Held {
    Sample {
        seq: u64,
        #[serde(serialize_with = "serde_bytes::serialize", deserialize_with = "owned")]
        payload: Cow<'static, [u8]>,
    },
}

impl From<Note<'static>> for Held {
    fn from(Note::Sample { seq, payload }: Note<'static>) -> Self {
        Self::Sample { seq, payload: Cow::Borrowed(payload) }
    }
}

fn owned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, [u8]>, D::Error> {
    Ok(Cow::Owned(ByteBuf::deserialize(deserializer)?.into_vec()))
}
