//! Frames of nested messages, which have a length or extend to the end of the outer frame.

use crate::codec::{Codec, MAX_DEPTH};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::message::{Decoder, Descriptors, Encoder, Message};

impl<'m> Encoder<'m> {
    /// Writes a field that is `nested` and `rest`: the nested frame, without a length.
    ///
    /// # Errors
    ///
    /// Those of [`nested`](Self::nested).
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

    /// Writes the length of a nested frame, then the frame. The length is known only after the frame is written,
    /// so the frame then moves up by the bytes of the length.
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
    /// Returns a decoder at the start of `frame`, a nested frame. `descriptors` came with the outer frame.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    #[doc(hidden)]
    pub fn nested_in(frame: &'f [u8], descriptors: &Descriptors) -> Result<Self, DecodeError> {
        let (nested, empty_elements) = descriptors.nesting();
        Ok(Self { nested, empty_elements, ..Self::new(frame)? })
    }

    /// Ends a nested message: passes its counts on to the outer message.
    #[doc(hidden)]
    pub fn leave(&self, descriptors: &mut Descriptors) {
        descriptors.left_nested(self.empty_elements, self.is_unknown || !self.is_at_end());
    }

    /// Reads a field that is `nested` and `rest`: the nested frame is the rest of this frame.
    ///
    /// # Errors
    ///
    /// Those of [`nested`](Self::nested).
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
