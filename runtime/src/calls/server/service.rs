//! The trait that derived services implement.

use std::sync::Arc;

use super::call::Call;
use crate::calls::protocol::Protocol;

/// A service that a [`Server`](super::Server) calls.
///
/// The derive generates an implementation that wraps a handler.
///
/// To act on every call, implement this trait by hand, and forward the calls to the derived service:
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::thread;
///
/// use datagrammar::calls::{Call, Context, Server, Service};
/// use datagrammar::{Connection, Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Sums {
///     #[message(tag = 1, reply = u64)]
///     Add { left: u64, right: u64 },
/// }
///
/// struct Adder;
///
/// impl SumsHandler for Adder {
///     fn add(&self, _cx: &Context, left: u64, right: u64) -> u64 {
///         left + right
///     }
/// }
///
/// struct Counted<S>(S, AtomicU64);
///
/// impl<S: Service> Service for &Counted<S> {
///     type Protocol = S::Protocol;
///
///     fn handle(&self, call: Call<S::Protocol>) {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.handle(call);
///     }
/// }
///
/// let (client, server) = Connection::pair()?;
/// let service = Counted(SumsService(Adder), AtomicU64::new(0));
/// thread::scope(|scope| {
///     let serving = scope.spawn(|| Server::new(&service).serve(server));
///     let client = SumsClient::new(client);
///     assert_eq!(client.add(1, 2)?, 3);
///     drop(client);
///     serving.join().unwrap()?;
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// assert_eq!(service.1.into_inner(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service for `datagrammar::calls::Server`",
    label = "wrap the handler in the service that the derive makes, as in `NumbersService(handler)`",
    note = "a `…TokioService` is for `datagrammar::tokio::calls::Server`"
)]
pub trait Service: Send + Sync {
    /// The protocol.
    type Protocol: Protocol;

    /// Handles a call.
    fn handle(&self, call: Call<Self::Protocol>);
}

/// A shared service, so that the program can look at the state of its handler.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use datagrammar::calls::{Context, Direct};
/// use datagrammar::{Message, Protocol};
///
/// #[derive(Message, Protocol)]
/// enum Votes {
///     #[message(tag = 1)]
///     Vote,
/// }
///
/// struct Count(AtomicU64);
///
/// impl VotesHandler for Count {
///     fn vote(&self, _cx: &Context) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let service = Arc::new(VotesService(Count(AtomicU64::new(0))));
/// Direct::new(Arc::clone(&service)).notify(&Votes::Vote)?;
/// assert_eq!(service.0.0.load(Ordering::Relaxed), 1);
/// # Ok::<(), datagrammar::calls::CallError>(())
/// ```
impl<S: Service> Service for Arc<S> {
    type Protocol = S::Protocol;

    fn handle(&self, call: Call<S::Protocol>) {
        S::handle(self, call);
    }
}
