//! Calls and items that cannot be sent, and do not disturb others.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::thread;

use datagrammar::calls::{CallError, Context, ItemError, ItemSender, Server};
use datagrammar::{Connection, Message, Protocol, SendError};

#[derive(Message, Protocol)]
enum Files {
    #[message(tag = 1)]
    Keep {
        #[message(fd)]
        files: Vec<OwnedFd>,
    },
    #[message(tag = 2, reply = u64)]
    Count {
        #[message(fd)]
        files: Vec<OwnedFd>,
    },
    #[message(tag = 3, items = Several)]
    List,
}

#[derive(Message)]
#[message(tag = 1)]
struct Several(#[message(fd)] Vec<OwnedFd>);

/// The number of items that a server sends ahead.
const CREDIT: usize = 16;

struct Counter;

impl FilesHandler for Counter {
    fn keep(&self, _cx: &Context, files: Vec<OwnedFd>) {
        drop(files);
    }

    fn count(&self, _cx: &Context, files: Vec<OwnedFd>) -> u64 {
        files.len() as u64
    }

    fn list(&self, _cx: &Context, mut items: ItemSender<Several>) {
        for _ in 0..CREDIT {
            items.send(&Several(Vec::new())).unwrap();
        }
        assert_too_many(items.send(&Several(files(254))));
        items.send(&Several(files(3))).unwrap();
    }
}

fn assert_too_many(sent: Result<(), ItemError>) {
    let Err(ItemError::NotSent(error)) = sent else { panic!("{sent:?}") };
    assert!(matches!(error, SendError::TooManyDescriptors { count: 254, max: 253 }));
}

fn files(count: usize) -> Vec<OwnedFd> {
    (0..count).map(|_| File::open("/dev/null").unwrap().into()).collect()
}

#[test]
fn a_call_with_too_many_descriptors_fails_alone() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(FilesService(Counter)).serve(server));
    let client = FilesClient::new(client);
    for _ in 0..2 {
        let error = client.keep(files(254)).unwrap_err();
        let CallError::NotSent(error) = error else { panic!("{error}") };
        assert!(matches!(*error, SendError::TooManyDescriptors { count: 254, max: 253 }));
        let error = client.count(files(254)).unwrap_err();
        assert!(matches!(error, CallError::NotSent(_)));
        assert_eq!(client.count(files(3)).unwrap(), 3);
    }
    client.keep(files(253)).unwrap();
    assert_eq!(client.count(files(253)).unwrap(), 253);
    drop(client);
    server.join().unwrap().unwrap();
}

#[test]
fn an_item_with_too_many_descriptors_is_missing_alone() {
    let (client, server) = Connection::pair().unwrap();
    let server = thread::spawn(move || Server::new(FilesService(Counter)).serve(server));
    let client = FilesClient::new(client);
    let mut items = client.list().unwrap();
    for count in [0; CREDIT].into_iter().chain([3]) {
        assert_eq!(items.recv().unwrap().unwrap().0.len(), count);
    }
    assert!(items.recv().unwrap().is_none());
    drop((items, client));
    server.join().unwrap().unwrap();
}

#[cfg(feature = "tokio")]
mod awaited {
    use std::os::fd::OwnedFd;

    use datagrammar::calls::Context;
    use datagrammar::tokio::Connection;
    use datagrammar::tokio::calls::{ItemSender, Server};

    use super::{
        CREDIT, FilesTokioClient, FilesTokioHandler, FilesTokioService, Several, assert_too_many,
        files,
    };

    struct Lister;

    impl FilesTokioHandler for Lister {
        async fn keep(&self, _: &Context, _: Vec<OwnedFd>) {}

        async fn count(&self, _: &Context, files: Vec<OwnedFd>) -> u64 {
            files.len() as u64
        }

        async fn list(&self, _: &Context, mut items: ItemSender<Several>) {
            for _ in 0..CREDIT {
                items.send(&Several(Vec::new())).await.unwrap();
            }
            assert_too_many(items.send(&Several(files(254))).await);
            items.send(&Several(files(3))).await.unwrap();
        }
    }

    /// The same if the stream waits for credit.
    #[tokio::test]
    async fn an_item_with_too_many_descriptors_is_missing_alone() {
        let (client, server) = Connection::pair().unwrap();
        let service = FilesTokioService(Lister);
        let serving = tokio::spawn(async move { Server::new(service).serve(server).await });
        let client = FilesTokioClient::new(client);
        let mut items = client.list().unwrap();
        for count in [0; CREDIT].into_iter().chain([3]) {
            assert_eq!(items.recv().await.unwrap().unwrap().0.len(), count);
        }
        assert!(items.recv().await.unwrap().is_none());
        drop((items, client));
        serving.await.unwrap().unwrap();
    }
}
