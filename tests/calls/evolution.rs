//! Clients and servers of different versions: the table in the guide.

use std::thread;

use datagrammar::calls::{Answers, CallError, Context, ItemSender, Outcome, Server, Service};
use datagrammar::{Connection, Message, Protocol};

/// An older version.
mod old {
    use super::*;

    #[derive(Message, Protocol)]
    pub(crate) enum Store {
        #[message(tag = 1, extensible, reply = u64)]
        Put { name: String },
        #[message(tag = 2, reply = u64)]
        Strict { name: String },
        #[message(tag = 3, reply = u64)]
        Hard { fails: bool },
        #[message(tag = 4, reply = u64)]
        Changed,
        #[message(tag = 5, items = Size)]
        Sizes,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1)]
    pub(crate) struct Size(pub(crate) u64);

    pub(crate) struct Handler;

    impl StoreHandler for Handler {
        fn put(&self, _cx: &Context, name: String) -> u64 {
            name.len() as u64
        }

        fn strict(&self, _cx: &Context, name: String) -> u64 {
            name.len() as u64
        }

        fn hard(&self, _cx: &Context, _fails: bool) -> u64 {
            7
        }

        fn changed(&self, _cx: &Context) -> u64 {
            1
        }

        fn sizes(&self, _cx: &Context, mut items: ItemSender<Size>) {
            items.send(&Size(1)).unwrap();
        }
    }
}

/// A newer version of the protocol.
mod new {
    use super::*;

    #[derive(Message, Protocol)]
    pub(crate) enum Store {
        #[message(tag = 1, extensible, reply = u64)]
        Put {
            name: String,
            #[message(default)]
            copies: u64,
        },
        #[message(tag = 2, reply = u64)]
        Strict {
            name: String,
            #[message(default)]
            copies: u64,
        },
        #[message(tag = 3, reply = Result<u64, String>)]
        Hard { fails: bool },
        #[message(tag = 4, items = Size)]
        Changed,
        #[message(tag = 5, reply = u64)]
        Sizes,
        #[message(tag = 6, reply = u64)]
        Added,
        #[message(tag = 7)]
        Told,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1)]
    pub(crate) struct Size(u64);

    pub(crate) struct Handler;

    impl StoreHandler for Handler {
        fn put(&self, _cx: &Context, name: String, copies: u64) -> u64 {
            name.len() as u64 + copies
        }

        fn strict(&self, _cx: &Context, name: String, copies: u64) -> u64 {
            name.len() as u64 + copies
        }

        fn hard(&self, _cx: &Context, fails: bool) -> Result<u64, String> {
            if fails { Err("hard".into()) } else { Ok(7) }
        }

        fn changed(&self, _cx: &Context, mut items: ItemSender<Size>) {
            items.send(&Size(1)).unwrap();
        }

        fn sizes(&self, _cx: &Context) -> u64 {
            1
        }

        fn added(&self, _cx: &Context) -> u64 {
            1
        }

        fn told(&self, _cx: &Context) {}
    }
}

/// Connects two versions: to the peer, all types look the same.
fn connect<C: Protocol, S: Service<Protocol: Protocol> + 'static>(
    service: S,
) -> Connection<C, Answers<C>> {
    let (client, server) = Connection::<C, Answers<C>>::pair().unwrap();
    let server = server.into_fd().unwrap().0;
    let server = Connection::adopt(server).unwrap();
    thread::spawn(move || Server::new(service).serve(server));
    client
}

#[test]
fn a_newer_client_of_an_older_server() {
    let client = new::StoreClient::new(connect(old::StoreService(old::Handler)));
    let error = client.added().unwrap_err();
    assert!(matches!(error, CallError::NotSupported));
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    client.told().unwrap();
    assert_eq!(client.put("abc".into(), 5).unwrap(), 3);
    assert!(matches!(client.strict("abc".into(), 5), Err(CallError::Malformed)));
    assert_eq!(client.hard(true).unwrap(), 7);
    assert!(matches!(client.changed().unwrap().recv(), Err(CallError::Unexpected)));
    assert!(matches!(client.sizes(), Err(CallError::Unexpected)));
    assert_eq!(client.put("ab".into(), 0).unwrap(), 2);
}

#[test]
fn an_older_client_of_a_newer_server() {
    let client = old::StoreClient::new(connect(new::StoreService(new::Handler)));
    assert_eq!(client.put("abc".into()).unwrap(), 3);
    assert_eq!(client.strict("abc".into()).unwrap(), 3);
    assert_eq!(client.hard(false).unwrap(), 7);
    assert!(matches!(client.hard(true), Err(CallError::Decode(_))));
    assert!(matches!(client.changed(), Err(CallError::Unexpected)));
    assert!(matches!(client.sizes().unwrap().recv(), Err(CallError::Unexpected)));
    assert_eq!(client.put("ab".into()).unwrap(), 2);
}
