//! The traits of protocols with answers, which the derive implements.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::returns::Returns;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Encoder, Message};

/// An enum whose variants are calls.
///
/// Implement it with `#[derive(Message, Protocol)]`.
///
/// [The derive](macro@crate::Protocol) explains the attributes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a protocol with answers",
    note = "derive it: #[derive(datagrammar::Message, datagrammar::Protocol)]"
)]
pub trait Protocol: Message {
    /// Whether an answer or an item can carry descriptors.
    const ANSWER_DESCRIPTORS: bool;

    /// Returns the type of answer of the call with this tag. [`Script`](super::Script) and [`Direct`](super::Direct)
    /// check tests against it. A server only uses whether the call is answered with items.
    fn returns(tag: u32) -> Returns;
}

/// The answer of a call as a message.
///
/// The derive generates one for each variant with `reply`.
pub trait Reply: Message {
    /// The value, which may borrow from the answer.
    type Value<'f>;

    /// The protocol's error, or [`Infallible`] if the reply is not a `Result`.
    type Error<'f>;

    /// Converts the message to its value or its error.
    ///
    /// # Errors
    ///
    /// The protocol's error, if that is the answer.
    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>>;

    /// Creates the message of a value or an error.
    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f>;
}

/// The answers and items that the client of a protocol receives.
///
/// It is the `Rx` of a client's [`Connection`](crate::Connection), and the `Tx` of the server's. It has no values,
/// because a [`Client`](super::Client) decodes each answer by the type of its call.
#[derive(Debug)]
pub struct Answers<P> {
    never: Infallible,
    protocol: PhantomData<fn() -> P>,
}

/// The type of a sender that sends only parts of calls, which are encoded elsewhere.
#[derive(Debug)]
pub(crate) enum Encoded {}

impl Message for Encoded {
    type Borrowed<'f> = Self;

    fn tag(&self) -> u32 {
        match *self {}
    }

    fn name(&self) -> &'static str {
        match *self {}
    }

    fn tag_of(_frame: &[u8]) -> Result<u32, DecodeError> {
        Err(DecodeError::Empty)
    }

    fn encode<'m>(&'m self, _encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
        match *self {}
    }

    fn decode(_frame: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::Empty)
    }
}

#[diagnostic::do_not_recommend]
impl<P: Protocol> Message for Answers<P> {
    const DESCRIPTORS: bool = P::ANSWER_DESCRIPTORS;

    type Borrowed<'f> = Self;

    fn tag(&self) -> u32 {
        match self.never {}
    }

    fn name(&self) -> &'static str {
        match self.never {}
    }

    fn tag_of(frame: &[u8]) -> Result<u32, DecodeError> {
        P::tag_of(frame)
    }

    fn encode<'m>(&'m self, _encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
        match self.never {}
    }

    fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        Err(DecodeError::UnknownTag(P::tag_of(frame)?))
    }
}
