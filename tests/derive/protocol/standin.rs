//! A stand-in for the runtime's clients and services under tokio, until it has them. Only the types count: nothing
//! here runs.
#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    clippy::manual_async_fn,
    reason = "only derived code uses it"
)]

pub mod __private {
    pub use super::tokio;
    pub use datagrammar::__private::*;
    macro_rules! if_tokio { ($($t:tt)*) => { $($t)* } }
    pub(crate) use if_tokio;
}

pub mod tokio {
    pub use datagrammar::__private::calls::{
        Answering, Call, Context, ItemSender, Items, Responder,
    };
    use datagrammar::__private::{Answer, Answers, CallError, Protocol, Reply};
    pub use datagrammar::Connection;
    use datagrammar::{Address, Message, OpenError};
    use std::future::Future;
    use std::marker::PhantomData;
    use std::time::Instant;

    pub struct Client<P>(PhantomData<fn() -> P>);
    impl<P> std::fmt::Debug for Client<P> {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Ok(())
        }
    }
    impl<P> Clone for Client<P> {
        fn clone(&self) -> Self {
            unimplemented!()
        }
    }
    impl<P: Protocol> Client<P> {
        pub fn new(_: Connection<P, Answers<P>>) -> Self {
            unimplemented!()
        }
        pub async fn connect(_: &Address) -> Result<Self, OpenError> {
            unimplemented!()
        }
        pub fn deadline(&self, _: Instant) -> Self {
            unimplemented!()
        }
        pub fn notify(
            &self,
            _: &P::Borrowed<'_>,
        ) -> impl Future<Output = Result<(), CallError>> + Send + use<P> {
            async { unimplemented!() }
        }
        pub fn call<R: Reply>(
            &self,
            _: &P::Borrowed<'_>,
        ) -> impl Future<Output = Result<Answer<R>, CallError>> + Send + use<P, R> {
            async { unimplemented!() }
        }
        pub fn items<I: Message>(
            &self,
            _: &P::Borrowed<'_>,
        ) -> impl Future<Output = Result<Items<P, I>, CallError>> + Send + use<P, I> {
            async { unimplemented!() }
        }
    }
    pub fn owned<R, V, E>(
        answer: impl Future<Output = Result<Answer<R>, CallError>> + Send,
    ) -> impl Future<Output = Result<V, CallError<E>>> + Send
    where
        R: for<'f> Reply<Value<'f> = V, Error<'f> = E>,
    {
        async move { datagrammar::__private::calls::owned(answer.await) }
    }
    pub trait Service: Send + Sync {
        type Protocol: Protocol;
        fn handle(&self, call: Call<Self::Protocol>) -> impl Future<Output = ()> + Send;
    }
}
