//! A protocol for unit tests.

use super::protocol::Protocol;
use super::returns::Returns;
use crate::codec::Bincode;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Encoder, Message};

/// A request, as the derive makes it.
pub(crate) struct Ask;

impl Message for Ask {
    type Borrowed<'f> = Self;

    fn tag(&self) -> u32 {
        1
    }

    fn name(&self) -> &'static str {
        "Ask"
    }

    fn tag_of(_frame: &[u8]) -> Result<u32, DecodeError> {
        Ok(1)
    }

    fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
        encoder.tag::<Bincode>(1)
    }

    fn decode(_frame: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

impl Protocol for Ask {
    const ANSWER_DESCRIPTORS: bool = false;

    fn returns(_tag: u32) -> Returns {
        Returns::unknown()
    }
}
