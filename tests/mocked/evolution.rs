//! Clients and servers of different versions.

use std::sync::{Arc, Mutex};
use std::thread;

use datagrammar::Connection;
use datagrammar::calls::{CallError, Outcome, Server, Service};

/// The old protocol.
mod old {
    use datagrammar::calls::Context;
    use datagrammar::{Message, Protocol};

    #[derive(Message, Protocol)]
    pub(crate) enum Blobs<'a> {
        #[message(tag = 1, extensible, reply = Stat)]
        Rename { from: &'a str, to: &'a str },
        #[message(tag = 2, reply = u64)]
        Count,
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(crate) struct Stat {
        pub(crate) size: u64,
    }

    #[derive(Clone, Default)]
    pub(crate) struct Handler;

    impl BlobsHandler for Handler {
        fn rename(&self, _cx: &Context, from: &str, to: &str) -> Stat {
            Stat { size: (from.len() + to.len()) as u64 }
        }

        fn count(&self, _cx: &Context) -> u64 {
            7
        }
    }
}

/// The protocol with more calls, a further argument, a further field in a reply, and errors.
mod new {
    use std::sync::{Arc, Mutex};

    use datagrammar::calls::{Context, ItemSender};
    use datagrammar::{Message, Protocol};

    #[derive(Message, Protocol)]
    pub(crate) enum Blobs<'a> {
        #[message(tag = 1, extensible, reply = Stat)]
        Rename {
            from: &'a str,
            to: &'a str,
            #[message(default)]
            replace: bool,
        },
        #[message(tag = 2, reply = Result<u64, String>)]
        Count,
        #[message(tag = 3, reply = u64)]
        Purge { prefix: &'a str },
        #[message(tag = 4, items = Stat)]
        Stats,
        #[message(tag = 5)]
        Forget { name: &'a str },
    }

    #[derive(Message, Debug, PartialEq)]
    #[message(tag = 1, extensible)]
    pub(crate) struct Stat {
        pub(crate) size: u64,
        #[message(default)]
        pub(crate) version: u32,
    }

    #[derive(Clone, Default)]
    pub(crate) struct Handler {
        pub(crate) replaced: Arc<Mutex<Vec<bool>>>,
    }

    impl BlobsHandler for Handler {
        fn rename(&self, _cx: &Context, from: &str, to: &str, replace: bool) -> Stat {
            self.replaced.lock().unwrap().push(replace);
            Stat { size: (from.len() + to.len()) as u64, version: 2 }
        }

        fn count(&self, _cx: &Context) -> Result<u64, String> {
            Err("uncountable".to_owned())
        }

        fn purge(&self, _cx: &Context, prefix: &str) -> u64 {
            prefix.len() as u64
        }

        fn stats(&self, _cx: &Context, mut items: ItemSender<Stat>) {
            items.send(&Stat { size: 1, version: 2 }).unwrap();
        }

        fn forget(&self, _cx: &Context, _name: &str) {}
    }
}

/// Returns a socket whose other end is served.
fn serve<S: Service + 'static>(service: S) -> std::os::fd::OwnedFd
where
    S::Protocol: 'static,
{
    let (client, server) = Connection::<S::Protocol, S::Protocol>::pair().unwrap();
    let (server, _) = server.into_fd().unwrap();
    thread::spawn(move || Server::new(service).serve(Connection::adopt(server).unwrap()));
    client.into_fd().unwrap().0
}

#[test]
fn an_old_client_calls_a_new_server() {
    let handler = new::Handler::default();
    let replaced = Arc::clone(&handler.replaced);
    let server = serve(new::BlobsService(handler));
    let client = old::BlobsClient::new(Connection::adopt(server).unwrap());
    // The server fills in the argument, and the client ignores the unknown field.
    assert_eq!(client.rename("a", "bc").unwrap(), old::Stat { size: 3 });
    assert_eq!(*replaced.lock().unwrap(), [false]);
    // An error of the protocol, which the old client does not know.
    let error = client.count().unwrap_err();
    assert!(matches!(error, CallError::Decode(_)), "{error:?}");
    assert_eq!(error.outcome(), Outcome::Executed);
    assert_eq!(client.rename("", "").unwrap(), old::Stat { size: 0 });
}

#[test]
fn a_new_client_calls_an_old_server() {
    let server = serve(old::BlobsService(old::Handler));
    let client = new::BlobsClient::new(Connection::adopt(server).unwrap());
    // Unknown calls of each kind, after which both sides continue.
    let error = client.purge("a").unwrap_err();
    assert!(matches!(error, CallError::NotSupported), "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotExecuted);
    let mut stats = client.stats().unwrap();
    assert!(matches!(stats.recv(), Err(CallError::NotSupported)));
    assert_eq!(stats.recv().unwrap(), None);
    client.forget("a").unwrap();
    // An error that the old server does not have.
    assert_eq!(client.count().unwrap(), 7);
    // The server ignores the unknown argument, and the client fills in the field.
    assert_eq!(client.rename("a", "bc", true).unwrap(), new::Stat { size: 3, version: 0 });
}

#[test]
fn versions_meet_without_a_socket() {
    use datagrammar::calls::Direct;

    let handler = new::Handler { replaced: Arc::new(Mutex::default()) };
    let direct = Direct::new(new::BlobsService(handler.clone()));
    // `Rename { from: "a", to: "bc" }` of an old client.
    let request = b"\0\x05\0\0\0\0\x01\0\0\0\0\0\0\0\x01\x01a\x02bc";
    let answers = direct.exchange(request);
    assert_eq!(answers, [b"\0\x06\0\0\0\0\x01\0\0\0\0\0\0\0\x01\x01\x03\x02"]);
    assert_eq!(*handler.replaced.lock().unwrap(), [false]);
}
