//! Descriptors in requests and answers.

use std::os::fd::{AsFd as _, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{Answers, Call, CallError, Client, Outcome, Server, Service};
use datagrammar::{Connection, EncodeError, Message, Protocol, RecvError, SendError};
use datagrammar_tests::{leaks, raw};
use rustix::net::SocketType;

use super::{Limited, alone, copies};

#[derive(Message, Protocol)]
enum Files {
    /// Answers how many there are.
    #[message(tag = 1, reply = u64)]
    Count(#[message(fd)] Vec<OwnedFd>),
    /// Answers with that many.
    #[message(tag = 2, reply = Vec<OwnedFd>)]
    Copies(u64),
    /// Answers with the number of bytes.
    #[message(tag = 3, reply = u64)]
    Load {
        bytes: Vec<u8>,
        #[message(fd)]
        file: OwnedFd,
    },
}

struct Handler;

impl Service for Handler {
    type Protocol = Files;

    fn handle(&self, mut call: Call<Files>) {
        let Some((_cx, request, answer)) = call.open() else { return };
        match request {
            Files::Count(files) => answer.reply::<FilesCountAnswer>(Ok(files.len() as u64)),
            Files::Copies(count) => answer.reply::<FilesCopiesAnswer>(Ok(copies(count as usize))),
            Files::Load { bytes, file: _ } => {
                answer.reply::<FilesLoadAnswer>(Ok(bytes.len() as u64));
            }
        }
    }
}

fn serve(connection: Connection<Answers<Files>, Files>) -> thread::JoinHandle<()> {
    thread::spawn(|| Server::new(Handler).threads(1).serve(connection).unwrap())
}

/// Returns how many descriptors are open, including those of a runtime.
fn open_before() -> usize {
    drop(Connection::<Files, Files>::pair().unwrap());
    leaks::open()
}

/// Checks that no more descriptors are open than before, when all handlers have returned.
fn check_open(before: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while leaks::open() != before && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(leaks::open(), before);
}

/// The head of a part of the call `id`. Both are below 256.
fn head(kind: u8, id: u8) -> Vec<u8> {
    vec![0, kind, 0, 0, 0, 0, id, 0, 0, 0, 0, 0, 0, 0]
}

#[test]
fn they_travel_with_their_call() {
    let _alone = alone();
    let before = open_before();
    let (client, server) = Connection::<Files, Answers<Files>>::pair().unwrap();
    let (client, server) = (Client::new(client), serve(server));
    thread::scope(|scope| {
        for count in [0, 1, 20, 253] {
            let client = &client;
            scope.spawn(move || {
                let mut answer =
                    client.call::<FilesCountAnswer>(&Files::Count(copies(count))).unwrap();
                assert_eq!(answer.decode().unwrap(), count as u64);
                let mut answer =
                    client.call::<FilesCopiesAnswer>(&Files::Copies(count as u64)).unwrap();
                assert_eq!(answer.decode().unwrap().len(), count);
            });
        }
    });
    drop(client);
    server.join().unwrap();
    check_open(before);
}

#[test]
fn h11_a_request_that_lost_descriptors_is_answered_as_busy() {
    let _alone = alone();
    let files = copies(10);
    let files: Vec<_> = files.iter().map(OwnedFd::as_fd).collect();
    let before = open_before();
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let server = serve(Connection::adopt(theirs).unwrap());
    let request = |id| [head(5, id), vec![1, 10]].concat();
    let limited = Limited::to(3);
    raw::send_with(&ours, &request(1), &[&files]).unwrap();
    let busy = raw::recv(&ours);
    drop(limited);
    assert_eq!(busy[..2], [0, 6]);
    assert_eq!((busy[2], busy[6], busy.len()), (6, 1, 14));
    // The next call is in step, also after a message with another number of descriptors than it declares.
    raw::send_with(&ours, &request(2), &[&files]).unwrap();
    assert_eq!(raw::recv(&ours), [head(6, 2), vec![1, 10]].concat());
    raw::send_with(&ours, &request(3), &[&files[..9]]).unwrap();
    let malformed = raw::recv(&ours);
    assert_eq!((malformed[2], malformed[6], malformed.len()), (2, 3, 14));
    // A part that carries no descriptors loses those that come with it.
    raw::send_with(&ours, &head(9, 3), &[&files]).unwrap();
    raw::send_with(&ours, &request(4), &[&files]).unwrap();
    assert_eq!(raw::recv(&ours), [head(6, 4), vec![1, 10]].concat());
    drop(ours);
    server.join().unwrap();
    check_open(before);
}

#[test]
fn h11_an_answer_that_lost_descriptors_fails_its_call_alone() {
    let _alone = alone();
    let files = copies(10);
    let files: Vec<_> = files.iter().map(OwnedFd::as_fd).collect();
    let before = open_before();
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let client = Client::<Files>::new(Connection::adopt(ours).unwrap());
    let limited = Limited::to(3);
    let (lost, other) = thread::scope(|scope| {
        let lost = scope.spawn(|| client.call::<FilesCopiesAnswer>(&Files::Copies(10)).map(|_| ()));
        let id = raw::recv(&theirs)[6];
        let other = scope.spawn(|| client.call::<FilesCountAnswer>(&Files::Count(Vec::new())));
        let other_id = raw::recv(&theirs)[6];
        raw::send_with(&theirs, &[head(6, id), vec![1, 10]].concat(), &[&files]).unwrap();
        raw::send(&theirs, &[head(6, other_id), vec![1, 7]].concat()).unwrap();
        (lost.join().unwrap(), other.join().unwrap())
    });
    drop(limited);
    let error = lost.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let CallError::Lost(reason) = &error else { panic!("{error}") };
    assert!(matches!(**reason, RecvError::DescriptorsLost { received: 3, .. }), "{reason}");
    assert_eq!(other.unwrap().decode().unwrap(), 7);
    // The client may close its end at any time, and the next test counts, too.
    drop((client, theirs));
    check_open(before);
}

/// A message that is sent in pieces keeps duplicates until the last piece.
#[test]
fn a_large_request_whose_descriptors_cannot_be_kept_fails_alone() {
    let _alone = alone();
    let before = open_before();
    let (client, server) = Connection::<Files, Answers<Files>>::pair().unwrap();
    let (client, server) = (Client::new(client), serve(server));
    // When the call is answered, the server has received everything.
    let mut none = client.call::<FilesCountAnswer>(&Files::Count(Vec::new())).unwrap();
    assert_eq!(none.decode().unwrap(), 0);
    let [first, others @ ..] = <[OwnedFd; 3]>::try_from(copies(3)).unwrap();
    let request = Files::Load { bytes: vec![7; 1 << 20], file: first };
    // The call itself keeps one.
    let limited = Limited::to(1);
    let refused = client.call::<FilesLoadAnswer>(&request).map(|_| ());
    drop(limited);
    let Err(CallError::NotSent(error)) = refused else { panic!("{refused:?}") };
    assert!(matches!(*error, SendError::Encode(EncodeError::Fd(_))), "{error:?}");
    let mut others = client.call::<FilesCountAnswer>(&Files::Count(others.into())).unwrap();
    assert_eq!(others.decode().unwrap(), 2);
    assert_eq!(client.call::<FilesLoadAnswer>(&request).unwrap().decode().unwrap(), 1 << 20);
    drop((client, request));
    server.join().unwrap();
    check_open(before);
}
