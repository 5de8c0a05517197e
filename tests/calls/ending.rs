//! How items end, if a derived service sends them.

use std::sync::mpsc;
use std::thread;

use datagrammar::calls::{CallError, Context, ItemSender, Server};
use datagrammar::{Connection, Message, Protocol};

#[derive(Message, Protocol)]
enum Numbers {
    #[message(tag = 1, items = Number)]
    Count { how: u8 },
}

#[derive(Message)]
#[message(tag = 1)]
struct Number(u64);

/// The handler returns.
const RETURN: u8 = 0;
/// The sender is moved to another thread, which uses and ends it after the handler has returned.
const MOVE_AND_END: u8 = 1;
/// The same, without an end.
const MOVE_AND_DROP: u8 = 2;
const PANIC: u8 = 3;
/// The handler ends the items, and then panics.
const END_AND_PANIC: u8 = 4;
/// The handler waits forever.
#[cfg(feature = "tokio")]
const WAIT: u8 = 5;

/// Returns how the items end if the handler ends as `how` says.
fn expected(how: u8) -> Result<(), CallError> {
    match how {
        RETURN | MOVE_AND_END | END_AND_PANIC => Ok(()),
        _ => Err(CallError::Failed),
    }
}

struct Handler(mpsc::Sender<(u8, ItemSender<Number>)>);

impl NumbersHandler for Handler {
    fn count(&self, _: &Context, how: u8, mut items: ItemSender<Number>) {
        items.send(&Number(1)).unwrap();
        match how {
            RETURN => {}
            PANIC => panic!("as asked"),
            END_AND_PANIC => {
                items.end();
                panic!("as asked");
            }
            _ => self.0.send((how, items)).unwrap(),
        }
    }
}

#[test]
fn items_end_well_only_if_the_handler_does() {
    let (client, server) = Connection::pair().unwrap();
    let (moved, later) = mpsc::channel::<(u8, ItemSender<Number>)>();
    let serving = thread::spawn(move || Server::new(NumbersService(Handler(moved))).serve(server));
    let finishing = thread::spawn(move || {
        for (how, mut items) in later {
            thread::sleep(std::time::Duration::from_millis(30));
            items.send(&Number(2)).unwrap();
            if how == MOVE_AND_END {
                items.end();
            }
        }
    });
    let client = NumbersClient::new(client);
    for how in [RETURN, MOVE_AND_END, MOVE_AND_DROP, PANIC, END_AND_PANIC, RETURN] {
        let mut items = client.count(how).unwrap();
        let ended = loop {
            match items.recv() {
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(format!("{ended:?}"), format!("{:?}", expected(how)), "{how}");
    }
    drop(client);
    serving.join().unwrap().unwrap();
    finishing.join().unwrap();
}

#[cfg(feature = "tokio")]
mod awaited {
    use std::future::pending;
    use std::sync::Arc;
    use std::time::Duration;

    use datagrammar::calls::{Call, Context};
    use datagrammar::tokio::Connection;
    use datagrammar::tokio::calls::{ItemSender, Server, Service};
    use tokio::time::{sleep, timeout};

    use super::{
        END_AND_PANIC, MOVE_AND_DROP, MOVE_AND_END, Number, Numbers, NumbersTokioClient,
        NumbersTokioHandler, NumbersTokioService, PANIC, RETURN, WAIT, expected,
    };

    struct Handler;

    impl NumbersTokioHandler for Handler {
        async fn count(&self, _: &Context, how: u8, mut items: ItemSender<Number>) {
            items.send(&Number(1)).await.unwrap();
            tokio::task::yield_now().await;
            match how {
                RETURN => {}
                PANIC => panic!("as asked"),
                END_AND_PANIC => {
                    items.end();
                    panic!("as asked");
                }
                WAIT => pending().await,
                _ => {
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(30)).await;
                        items.send(&Number(2)).await.unwrap();
                        if how == MOVE_AND_END {
                            items.end();
                        }
                    });
                }
            }
        }
    }

    /// Drops slow handlers.
    struct Hasty(Arc<NumbersTokioService<Handler>>);

    impl Service for Hasty {
        type Protocol = Numbers;

        async fn handle(self: Arc<Self>, call: Call<Numbers>) {
            let service = Arc::clone(&self.0);
            _ = timeout(Duration::from_millis(50), service.handle(call)).await;
        }
    }

    #[tokio::test]
    async fn items_end_well_only_if_the_handler_does() {
        let (client, server) = Connection::pair().unwrap();
        let service = Hasty(Arc::new(NumbersTokioService(Handler)));
        let serving = tokio::spawn(async move { Server::new(service).serve(server).await });
        let client = NumbersTokioClient::new(client);
        for how in [RETURN, MOVE_AND_END, MOVE_AND_DROP, PANIC, END_AND_PANIC, WAIT, RETURN] {
            let mut items = client.count(how).unwrap();
            let ended = loop {
                match items.recv().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            assert_eq!(format!("{ended:?}"), format!("{:?}", expected(how)), "{how}");
        }
        drop(client);
        serving.await.unwrap().unwrap();
    }
}
