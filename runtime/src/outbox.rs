//! What every sending endpoint does: encode into a buffer that is kept, and send the pieces.

use std::io::IoSlice;

use crate::error::{EncodeError, SendError};
use crate::message::{Encoder, MAX_PIECES, Message};
use crate::socket::{Parcel, Wait, transmit};
use crate::sys::{DatagramFd, Name};

/// The buffer of a sending endpoint.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    buffer: Vec<u8>,
}

impl Outbox {
    /// Sends `message` as one frame: to `to`, or to the connected peer. The frame's length.
    #[inline]
    pub(crate) fn send<M: Message>(
        &mut self,
        fd: &DatagramFd,
        message: &M,
        to: Option<&Name>,
        wait: Wait,
    ) -> Result<usize, SendError> {
        let mut encoder = Encoder::new(&mut self.buffer);
        message.encode(&mut encoder)?;
        let len = encoder.len();
        if len == 0 {
            return Err(EncodeError::Empty.into());
        }
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let pieces = encoder.pieces(&mut pieces);
        transmit(fd, Parcel { pieces, descriptors: encoder.descriptors(), len }, to, wait)?;
        Ok(len)
    }
}
