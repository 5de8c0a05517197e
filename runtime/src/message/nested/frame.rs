//! The frame of a message in another one: its own encoding, up to a length or to the end.

use crate::codec::{Codec, MAX_DEPTH};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::message::{Decoder, Descriptors, Encoder, Message};

impl<'m> Encoder<'m> {
    /// Writes a `nested` field that is the `rest` too: its message's frame, up to the end of this one.
    ///
    /// # Errors
    ///
    /// As [`nested`](Self::nested).
    pub fn nested_rest<M: Message>(
        &mut self,
        field: &'static str,
        message: &'m M,
    ) -> Result<(), EncodeError> {
        if self.nested >= MAX_DEPTH {
            let reason = Fault::TooDeep { limit: MAX_DEPTH }.to_string().into();
            return Err(EncodeError::Field { field, reason });
        }
        let before = self.len();
        self.nested += 1;
        let result = message.encode(self);
        self.nested -= 1;
        result?;
        match self.len() - before {
            0 => Err(EncodeError::Empty),
            _ => Ok(()),
        }
    }

    /// Writes a message as a frame in this one. Its length is known once it has been written: it is then moved
    /// up by as many bytes as the length takes.
    pub(super) fn frame_behind_length<C: Codec, M: Message>(
        &mut self,
        field: &'static str,
        message: &'m M,
    ) -> Result<(), EncodeError> {
        let (from, borrowed, before) = (self.buffer.len(), self.count, self.len());
        self.nested_rest(field, message)?;
        let (to, len) = (self.buffer.len(), self.len() - before);
        self.u64::<C>(field, &(len as u64))?;
        let moved = self.buffer.len() - to;
        if let Some(frame_and_length) = self.buffer.get_mut(from..) {
            frame_and_length.rotate_right(moved);
        }
        for place in self.borrowed.get_mut(borrowed..self.count).unwrap_or_default() {
            place.at += moved;
        }
        Ok(())
    }
}

impl<'f, C: Codec> Decoder<'f, C> {
    /// A decoder at the start of `frame`, which is in another one that `descriptors` came with.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    #[doc(hidden)]
    pub fn nested_in(frame: &'f [u8], descriptors: &Descriptors) -> Result<Self, DecodeError> {
        let (nested, empty_elements) = descriptors.nesting();
        Ok(Self { nested, empty_elements, ..Self::new(frame)? })
    }

    /// Hands on what is counted across nested frames, at the end of one.
    #[doc(hidden)]
    pub fn leave(&self, descriptors: &mut Descriptors) {
        descriptors.left_nested(self.empty_elements, self.is_unknown || !self.is_at_end());
    }

    /// Reads a `nested` field that is the `rest` too: its message's frame, up to the end of this one.
    ///
    /// # Errors
    ///
    /// As [`nested`](Self::nested).
    pub fn nested_rest<M: Message>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        let offset = self.offset();
        let frame = self.rest();
        self.frame::<M>(field, offset, frame, descriptors)
    }

    pub(super) fn frame_behind_length<M: Message>(
        &mut self,
        field: &'static str,
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        let frame = self.read(field, Self::prefixed)?;
        let offset = self.offset() - frame.len();
        self.frame::<M>(field, offset, frame, descriptors)
    }

    fn frame<M: Message>(
        &mut self,
        field: &'static str,
        offset: usize,
        frame: &'f [u8],
        descriptors: &mut Descriptors,
    ) -> Result<M::Borrowed<'f>, DecodeError> {
        if self.nested >= MAX_DEPTH {
            return Err(self.error(field, offset, Fault::TooDeep { limit: MAX_DEPTH }));
        }
        descriptors.enter_nested(self.nested + 1, self.empty_elements);
        let result = M::decode_nested(frame, descriptors);
        (_, self.empty_elements) = descriptors.nesting();
        descriptors.enter_nested(self.nested, self.empty_elements);
        result.map_err(|error| error.in_field(field, offset, self.frame.len()))
    }
}
