//! What every sending endpoint does: encode into a buffer that is kept, and send the slices.

use std::io::IoSlice;

use crate::error::SendError;
use crate::message::{Encoder, MAX_SLICES, Message};
use crate::socket::Parcel;

/// The buffer of a sending endpoint.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    buffer: Vec<u8>,
}

impl Outbox {
    /// Encodes `message` as one frame, which `transmit` sends. The frame's length.
    #[inline]
    pub(crate) fn send<M: Message>(
        &mut self,
        message: &M,
        transmit: impl FnOnce(Parcel<'_>) -> Result<(), SendError>,
    ) -> Result<usize, SendError> {
        let mut encoder = Encoder::new(&mut self.buffer);
        message.encode(&mut encoder)?;
        let len = encoder.check()?;
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let slices = encoder.slices(&mut slices);
        transmit(Parcel { slices, descriptors: encoder.descriptors(), len })?;
        Ok(len)
    }
}
