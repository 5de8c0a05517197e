//! Calls that cannot be sent, and do not disturb others.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::thread;

use datagrammar::calls::{CallError, Context, Server};
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
}

struct Counter;

impl FilesHandler for Counter {
    fn keep(&self, _cx: &Context, files: Vec<OwnedFd>) {
        drop(files);
    }

    fn count(&self, _cx: &Context, files: Vec<OwnedFd>) -> u64 {
        files.len() as u64
    }
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
