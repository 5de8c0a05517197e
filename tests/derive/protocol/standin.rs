//! A stand-in.
#![allow(missing_docs, dead_code, missing_debug_implementations)]
pub mod __private {
    pub use datagrammar::__private::*;
    pub use super::calls::{Answer, Answers, CallError, Protocol, Reply};
    pub use super::calls;
    pub use super::tokio;
    macro_rules! if_tokio { ($($t:tt)*) => { $($t)* } }
    pub(crate) use if_tokio;
}

pub mod calls {
    use std::convert::Infallible;
    use std::marker::PhantomData;
    use std::time::Instant;

    pub use datagrammar::Connection;
    use datagrammar::{Address, Message, OpenError, DecodeError, EncodeError, Encoder};

    pub trait Protocol: Message { const ANSWER_DESCRIPTORS: bool; }
    pub trait Reply: Message {
        type Value<'f>;
        type Error<'f>;
        fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>>;
        fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f>;
    }
    #[derive(Debug)]
    pub struct Answers<P>(Infallible, PhantomData<fn() -> P>);
    impl<P: Protocol> Message for Answers<P> {
        type Borrowed<'f> = Self;
        fn tag(&self) -> u32 { match self.0 {} }
        fn name(&self) -> &'static str { match self.0 {} }
        fn tag_of(frame: &[u8]) -> Result<u32, DecodeError> { P::tag_of(frame) }
        fn encode<'m>(&'m self, _encoder: &mut Encoder<'m>) -> Result<(), EncodeError> { match self.0 {} }
        fn decode<'f>(_: &'f [u8]) -> Result<Self, DecodeError> { unimplemented!() }
    }
    #[derive(Debug)]
    pub enum CallError<E = Infallible> { Answered(E), Other }
    pub struct Client<P>(PhantomData<fn() -> P>);
    impl<P> std::fmt::Debug for Client<P> { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
    impl<P> Clone for Client<P> { fn clone(&self) -> Self { unimplemented!() } }
    pub struct Answer<R>(Vec<u8>, PhantomData<fn() -> R>);
    impl<R: Reply> Answer<R> {
        pub fn decode(&mut self) -> Result<R::Value<'_>, CallError<R::Error<'_>>> {
            R::into_result(R::decode(&self.0).unwrap()).map_err(CallError::Answered)
        }
    }
    pub struct Items<P, I>(PhantomData<fn() -> (P, I)>);
    impl<P: Protocol> Client<P> {
        pub fn new(_: Connection<P, Answers<P>>) -> Self { unimplemented!() }
        pub fn connect(_: &Address) -> Result<Self, OpenError> { unimplemented!() }
        pub fn deadline(&self, _: Instant) -> Self { unimplemented!() }
        pub fn notify(&self, _: &P::Borrowed<'_>) -> Result<(), CallError> { unimplemented!() }
        pub fn call<R: Reply>(&self, _: &P::Borrowed<'_>) -> Result<Answer<R>, CallError> { unimplemented!() }
        pub fn items<I: Message>(&self, _: &P::Borrowed<'_>) -> Result<Items<P, I>, CallError> { unimplemented!() }
    }
    pub fn owned<R, V, E>(answer: Result<Answer<R>, CallError>) -> Result<V, CallError<E>>
    where R: for<'f> Reply<Value<'f> = V, Error<'f> = E> {
        match answer { Ok(mut answer) => answer.decode(), Err(_) => Err(CallError::Other) }
    }
    pub struct Context;
    pub struct Responder<R>(PhantomData<fn() -> R>);
    pub struct ItemSender<I>(PhantomData<fn() -> I>);
    pub struct Unanswered;
    impl Unanswered {
        pub fn answer<R: Reply>(self, _: Result<R::Value<'_>, R::Error<'_>>) {}
        pub fn responder<R: Reply>(self) -> Responder<R> { Responder(PhantomData) }
        pub fn items<I: Message>(self) -> ItemSender<I> { ItemSender(PhantomData) }
        pub fn nothing(self) {}
        pub fn not_supported(self) {}
    }
    pub trait Service: Send + Sync {
        type Protocol: Protocol;
        fn serve<'f>(&'f self, cx: &'f Context, request: <Self::Protocol as Message>::Borrowed<'f>, call: Unanswered);
    }
}

pub mod tokio {
    use std::convert::Infallible;
    use std::future::Future;
    use std::marker::PhantomData;
    use std::time::Instant;
    pub use datagrammar::Connection;
    use datagrammar::{Address, Message, OpenError};
    pub use super::calls::{Context, Unanswered, Responder, ItemSender, Items};
    use super::calls::{Answer, Answers, CallError, Protocol, Reply, owned as blocking_owned};

    pub struct Client<P>(PhantomData<fn() -> P>);
    impl<P> std::fmt::Debug for Client<P> { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
    impl<P> Clone for Client<P> { fn clone(&self) -> Self { unimplemented!() } }
    impl<P: Protocol> Client<P> {
        pub fn new(_: Connection<P, Answers<P>>) -> Self { unimplemented!() }
        pub async fn connect(_: &Address) -> Result<Self, OpenError> { unimplemented!() }
        pub fn deadline(&self, _: Instant) -> Self { unimplemented!() }
        pub fn notify(&self, _: &P::Borrowed<'_>) -> impl Future<Output = Result<(), CallError>> + Send + use<P> { async { unimplemented!() } }
        pub fn call<R: Reply>(&self, _: &P::Borrowed<'_>) -> impl Future<Output = Result<Answer<R>, CallError>> + Send + use<P, R> { async { unimplemented!() } }
        pub fn items<I: Message>(&self, _: &P::Borrowed<'_>) -> impl Future<Output = Result<Items<P, I>, CallError>> + Send + use<P, I> { async { unimplemented!() } }
    }
    pub fn owned<R, V, E>(answer: impl Future<Output = Result<Answer<R>, CallError>> + Send) -> impl Future<Output = Result<V, CallError<E>>> + Send
    where R: for<'f> Reply<Value<'f> = V, Error<'f> = E> {
        async move { blocking_owned(answer.await) }
    }
    pub trait Service: Send + Sync {
        type Protocol: Protocol;
        fn serve<'f>(&'f self, cx: &'f Context, request: <Self::Protocol as Message>::Borrowed<'f>, call: Unanswered) -> impl Future<Output = ()> + Send;
    }
    type _X = Infallible;
}
