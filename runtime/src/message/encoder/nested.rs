//! What an encoder writes for nested messages, and for types that need no serde.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Encoder;
use crate::codec::{Codec, MAX_DEPTH, MAX_EMPTY_ELEMENTS, encode_checked};
use crate::error::{EncodeError, Fault};
use crate::message::{Message, Nested};

impl<'m> Encoder<'m> {
    /// Writes a `nested` field: the length of its message's frame, then the frame.
    ///
    /// # Errors
    ///
    /// Those of the nested message's [`encode`](Message::encode), and [`EncodeError::Field`] for one that
    /// is nested deeper than [`MAX_DEPTH`].
    #[inline]
    pub fn nested<C: Codec, T: Nested>(
        &mut self,
        field: &'static str,
        value: &'m T,
    ) -> Result<(), EncodeError> {
        value.write::<C>(field, self)
    }

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
    pub(in crate::message) fn frame_behind_length<C: Codec, M: Message>(
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

    /// Writes a field as [`field`](Self::field) does. In builds with debug assertions, it checks that the field
    /// is received as it is sent.
    #[inline]
    pub(in crate::message) fn checked<C: Codec, T: Serialize + DeserializeOwned>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let Self { buffer, nested, empty_elements, .. } = self;
        encode_checked::<C, T>(value, buffer, *nested, empty_elements)
            .map_err(|reason| EncodeError::Field { field, reason })
    }

    /// Writes a value that holds no others and takes at least a byte.
    #[inline]
    pub(in crate::message) fn scalar<C: Codec, T: Serialize>(
        &mut self,
        field: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        C::encode(value, &mut self.buffer).map_err(|reason| EncodeError::Field { field, reason })
    }

    #[inline]
    pub(in crate::message) fn copy_all(&mut self, bytes: impl Iterator<Item = u8>) {
        self.buffer.extend(bytes);
    }

    /// Counts as many elements of no bytes.
    pub(in crate::message) fn count_empty(
        &mut self,
        field: &'static str,
        count: usize,
    ) -> Result<(), EncodeError> {
        let left = MAX_EMPTY_ELEMENTS.saturating_sub(self.empty_elements);
        match u32::try_from(count) {
            Ok(count) if count <= left => {
                self.empty_elements += count;
                Ok(())
            }
            _ => {
                let fault = Fault::TooManyEmptyElements { limit: MAX_EMPTY_ELEMENTS };
                Err(EncodeError::Field { field, reason: fault.to_string().into() })
            }
        }
    }

    /// Writes whether an optional value is there.
    #[inline]
    pub(in crate::message) fn presence(&mut self, is_present: bool) {
        self.buffer.push(u8::from(is_present));
    }
}
