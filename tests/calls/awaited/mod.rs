//! Calls under tokio.

mod cancelling;
mod elsewhere;
mod floods;
mod forged;
mod lingering;
mod many;
mod observed;
mod serving;
mod shared;
mod wakers;

use std::fs::File;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, Call, CallError, ItemError};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{Client, ItemSender, Server, Service};
use tokio::time::{sleep, timeout};

use crate::protocol::{Counted, Echoed, Length, Opened, Sum, Sums};

type Protocol = Sums<'static>;
type Ours = Client<Protocol>;
type ServerEnd = Connection<Answers<Protocol>, Protocol>;

/// What the handlers have seen.
#[derive(Debug, Default)]
struct Seen {
    begun: AtomicU64,
    noted: AtomicU64,
    sent: AtomicU64,
    cancelled: AtomicU64,
}

impl Seen {
    fn cancelled(&self) -> u64 {
        self.cancelled.load(Ordering::SeqCst)
    }
}

/// Handles calls, after a pause if `yields`.
#[derive(Debug, Clone, Default)]
struct Handler {
    seen: Arc<Seen>,
    yields: bool,
}

impl Service for Handler {
    type Protocol = Protocol;

    async fn handle(self: Arc<Self>, mut call: Call<Protocol>) {
        self.seen.begun.fetch_add(1, Ordering::SeqCst);
        if self.yields {
            tokio::task::yield_now().await;
        }
        let Some((cx, request, answer)) = call.open() else { return };
        match request {
            Sums::Add { left, right } => {
                answer.reply::<Sum>(left.checked_add(right).ok_or("too much".into()));
            }
            Sums::Echo { text } => answer.responder::<Echoed<'static>>().send(Ok(text)).unwrap(),
            Sums::Count { to } => {
                let mut items = ItemSender::from(answer.items::<Counted>());
                for number in 0..to {
                    match items.send(&Counted(number)).await {
                        Ok(()) => self.seen.sent.fetch_add(1, Ordering::SeqCst),
                        Err(ItemError::Stopped) => {
                            self.seen.cancelled.fetch_add(1, Ordering::SeqCst);
                            break;
                        }
                        Err(error) => panic!("{error}"),
                    };
                }
                items.end();
            }
            Sums::Note(number) => {
                self.seen.noted.fetch_add(number, Ordering::SeqCst);
                answer.nothing();
            }
            Sums::Panic => panic!("as asked"),
            Sums::Slow { millis } => {
                let work = async {
                    match millis {
                        u64::MAX => pending().await,
                        millis => sleep(Duration::from_millis(millis)).await,
                    }
                };
                tokio::select! {
                    () = work => {}
                    () = cx.cancelled() => {
                        assert!(cx.is_cancelled());
                        self.seen.cancelled.fetch_add(1, Ordering::SeqCst);
                    }
                }
                answer.reply::<Sum>(Ok(u64::from(cx.is_cancelled())));
            }
            Sums::Measure { file } => answer.reply::<Length>(Ok(file.metadata().unwrap().len())),
            Sums::Open { path } => answer.reply::<Opened>(Ok(File::open(path).unwrap())),
        }
    }
}

/// Returns a client, and what the handlers of its server see.
fn pair_with(configure: impl FnOnce(Server<Handler>) -> Server<Handler>) -> (Ours, Arc<Seen>) {
    let (client, server) = Connection::pair().unwrap();
    let handler = Handler::default();
    let seen = Arc::clone(&handler.seen);
    spawn(configure(Server::new(handler)), server);
    (Client::new(client), seen)
}

fn spawn(server: Server<Handler>, connection: ServerEnd) {
    tokio::spawn(async move { server.serve(connection).await.unwrap() });
}

async fn add(client: &Ours, left: u64, right: u64) -> Result<u64, CallError<String>> {
    let answer = client.call::<Sum>(&Sums::Add { left, right });
    let answer = timeout(STALL, answer).await.expect("an answer");
    answer.map_err(CallError::widen)?.decode()
}

/// Longer than anything in these tests takes.
const STALL: Duration = Duration::from_secs(60);

/// Waits until `is_so`.
async fn until(is_so: impl Fn() -> bool) {
    let far = Instant::now() + STALL;
    while !is_so() {
        assert!(Instant::now() < far, "this takes too long");
        sleep(Duration::from_millis(1)).await;
    }
}

/// Polls a future once, and drops it.
async fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
