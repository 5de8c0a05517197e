//! Answers that panic while they are encoded.

use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{CallError, Context, ItemSender, Server};
use datagrammar::{Connection, Message, Protocol};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

#[derive(Debug)]
struct Broken;

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("as the test asks");
    }
}

impl<'de> Deserialize<'de> for Broken {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

#[derive(Message, Protocol)]
enum Breaks {
    #[message(tag = 1, reply = Broken)]
    Reply,
    #[message(tag = 2, items = Several)]
    List,
    #[message(tag = 3, reply = u64)]
    Work,
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Several(Broken);

struct Handler;

impl BreaksHandler for Handler {
    fn reply(&self, _: &Context) -> Broken {
        Broken
    }

    fn list(&self, _: &Context, mut items: ItemSender<Several>) {
        items.send(&Several(Broken)).unwrap();
    }

    fn work(&self, _: &Context) -> u64 {
        7
    }
}

fn check(client: &BreaksClient) {
    let client = client.deadline(Instant::now() + Duration::from_secs(60));
    assert!(matches!(client.reply(), Err(CallError::Failed)));
    assert!(matches!(client.list().unwrap().recv(), Err(CallError::Failed)));
    assert_eq!(client.work().unwrap(), 7);
    assert_eq!(client.calls.in_flight(), 0);
}

#[test]
fn callers_learn_that_the_handler_has_failed() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(|| Server::new(BreaksService(Handler)).threads(1).serve(server));
    let client = BreaksClient::new(client);
    check(&client);
    drop(client);
    server.join().unwrap().unwrap();
}

#[cfg(feature = "tokio")]
mod awaited {
    use datagrammar::tokio::calls as awaited;
    use datagrammar::{Connection, tokio as endpoints};

    use super::{Breaks, BreaksClient, BreaksTokioHandler, BreaksTokioService};
    use super::{Broken, Context, Handler, Several, check};

    impl BreaksTokioHandler for Handler {
        async fn reply(&self, _: &Context) -> Broken {
            Broken
        }

        async fn list(&self, _: &Context, mut items: awaited::ItemSender<Several>) {
            items.send(&Several(Broken)).await.unwrap();
        }

        async fn work(&self, _: &Context) -> u64 {
            7
        }
    }

    #[tokio::test]
    async fn callers_learn_that_the_handler_has_failed() {
        let (client, server) = Connection::pair().unwrap();
        let server: Connection<_, Breaks> = server;
        let server = endpoints::Connection::from_blocking(server).unwrap();
        let service = BreaksTokioService(Handler);
        let serving = tokio::spawn(async { awaited::Server::new(service).serve(server).await });
        let client = BreaksClient::new(client);
        tokio::task::spawn_blocking(move || check(&client)).await.unwrap();
        serving.await.unwrap().unwrap();
    }
}
