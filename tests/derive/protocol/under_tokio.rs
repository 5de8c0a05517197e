//! The code that the derive generates for tokio: handlers are written as `async fn`, and futures are `Send` and borrow
//! nothing.

use std::fs::File;

use datagrammar::calls::{CallError, Context, Responder};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{ItemSender, Server, Service};
use datagrammar::{Message, Protocol};

use crate::blobs::{Blob, Change, Refused};

#[derive(Message, Protocol)]
enum Blobs<'a> {
    #[message(tag = 1, reply = Result<u64, Refused>)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
    #[message(tag = 2, reply = Result<Blob<'_>, Refused>)]
    Get { name: &'a str },
    #[message(tag = 3, items = Change<'_>)]
    Watch { prefix: &'a str },
    #[message(tag = 4, reply = ())]
    Import {
        name: &'a str,
        #[message(fd)]
        file: File,
    },
    #[message(tag = 5)]
    Touch { name: &'a str },
    #[message(tag = 6, reply = File)]
    Export { name: &'a str },
}

struct Store;

impl BlobsTokioHandler for Store {
    async fn put(&self, _: &Context, _name: &str, content: &[u8]) -> Result<u64, Refused> {
        std::future::ready(()).await;
        Ok(content.len() as u64)
    }

    async fn get(&self, _: &Context, name: &str, to: Responder<BlobsGetAnswer<'static>>) {
        to.send(Ok(Blob { name, content: b"" })).unwrap();
    }

    async fn watch(&self, _: &Context, prefix: &str, mut items: ItemSender<Change<'static>>) {
        items.send(&Change::Added(prefix)).await.unwrap();
    }

    async fn import(&self, _: &Context, _name: &str, file: File) {
        drop(file);
    }

    async fn touch(&self, _: &Context, name: &str) {
        std::future::ready(()).await;
        assert!(!name.is_empty());
    }

    async fn export(&self, _: &Context, name: &str) -> File {
        File::open(name).unwrap()
    }
}

fn is_service(service: impl Service) {
    drop(service);
}

fn keeps_nothing<F: Future + Send + 'static>(call: impl Fn(&BlobsTokioClient, &str) -> F) {
    drop(call);
}

#[test]
fn futures_are_send_and_static() {
    is_service(BlobsTokioService(Store));
    keeps_nothing(|client, name| client.put(name, b""));
    keeps_nothing(|client, name| client.get(name));
    keeps_nothing(|client, name| client.import(name, tempfile::tempfile().unwrap()));
    keeps_nothing(|client, name| client.touch(name));
    keeps_nothing(|client, name| client.export(name));
}

#[tokio::test]
async fn derived_clients_call_derived_services() {
    let (client, server) = Connection::pair().unwrap();
    tokio::spawn(async move { Server::new(BlobsTokioService(Store)).serve(server).await });
    let client = BlobsTokioClient::new(client);
    assert_eq!(client.put("a", b"xyz").await.unwrap(), 3);
    let mut answer = client.get("a").await.unwrap();
    assert_eq!(answer.decode().unwrap().name, "a");
    let mut items = client.watch("b").unwrap();
    assert!(matches!(items.recv().await.unwrap(), Some(Change::Added("b"))));
    assert!(items.recv().await.unwrap().is_none());
    client.import("a", tempfile::tempfile().unwrap()).await.unwrap();
    client.touch("a").await.unwrap();
    let file = client.export("/proc/self/exe").await.unwrap();
    assert!(file.metadata().unwrap().len() > 0);
    assert!(matches!(client.export("/nowhere").await, Err(CallError::Failed)));
}
