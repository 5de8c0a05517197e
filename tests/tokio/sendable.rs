//! Types that can be moved to other threads, or shared between them: checked at compile time.

use std::os::fd::OwnedFd;
use std::time::Instant;

use datagrammar::tokio::{
    Batch, Child, Connection, Incoming, Listener, Process, Receiver, Sender, Socket,
    SocketReceiver, SocketSender,
};
use datagrammar::{Address, Message, Options, OwnedFrame};
use datagrammar_tests::{Directory, Numbered};

type Note = Numbered<'static>;

/// A message that owns a value that cannot be shared. Endpoints hold no messages.
#[derive(Message)]
enum Unshared {
    #[message(tag = 1)]
    Unshared {
        #[message(fd)]
        file: OwnedFd,
        text: std::cell::Cell<u8>,
    },
}

fn send_and_sync<T: Send + Sync>() {}
fn send<T: Send>(_future: T) {}

#[test]
fn endpoints_are_send_and_sync_whatever_their_messages_are() {
    fn check<Tx: Message + 'static, Rx: Message + 'static>() {
        send_and_sync::<Connection<Tx, Rx>>();
        send_and_sync::<Sender<Tx>>();
        send_and_sync::<Receiver<Rx>>();
        send_and_sync::<Batch<Tx>>();
        send_and_sync::<Listener<Tx, Rx>>();
        send_and_sync::<Socket<Tx, Rx>>();
        send_and_sync::<SocketSender<Tx>>();
        send_and_sync::<SocketReceiver<Rx>>();
        send_and_sync::<Child<Tx, Rx>>();
        send::<Option<Incoming<'_, Tx, Rx>>>(None);
    }
    check::<Note, Note>();
    check::<Unshared, Unshared>();
    send_and_sync::<Process>();
}

/// Never called: it compiles if all futures can be moved to other threads.
#[expect(dead_code, reason = "it only has to compile")]
fn futures_are_send(
    mut ours: Connection<Note, Note>,
    (mut batch, other): (Batch<Note>, Batch<Note>),
    listener: &Listener<Note, Note>,
    mut socket: Socket<Note, Note>,
    process: &mut Process,
    (frame, to): (&OwnedFrame<Note>, &Address),
) {
    let (text, soon) = (String::from("text"), Instant::now());
    let note = Numbered::Numbered { number: 1, len: 4, body: text.as_bytes() };
    let notes = [const { Numbered::Numbered { number: 1, len: 0, body: &[] } }; 2];
    send(Connection::<Note, Note>::connect(to));
    send(Connection::<Note, Note>::connect_with(to, &Options::new()));
    send(ours.recv());
    send(ours.recv_deadline(soon));
    send(ours.rx.recv_owned());
    send(ours.rx.peek_len());
    send(ours.send(&note));
    send(ours.send_deadline(&note, soon));
    send(ours.tx.send_all(&notes));
    send(ours.tx.send_all(notes.iter().filter(|_| true)));
    send(ours.tx.send_frame(frame));
    send(ours.tx.flush());
    send(batch.push(&note));
    send(batch.flush());
    send(other.into_inner());
    send(listener.accept());
    send(listener.accept_deadline(soon));
    send(socket.recv_from());
    send(socket.recv_from_deadline(soon));
    send(socket.rx.recv_owned_from());
    send(socket.send_to(&note, to));
    send(socket.send_to_deadline(&note, to, soon));
    send(socket.tx.send_all_to(&notes, to));
    send(socket.tx.send_frame_to(frame, to));
    send(process.wait());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_task_sends_what_borrows_and_keeps_a_frame_over_an_await() {
    let directory = Directory::new();
    let address = directory.address("socket");
    let listener = Listener::<Note, Note>::bind(&address).unwrap();
    let server = tokio::spawn(async move {
        let (mut tx, mut rx) = listener.accept().await.unwrap().split();
        // A lent value borrows from the receiver, and is sent together with it.
        while let Some(frame) = rx.recv().await.unwrap() {
            let note = frame.decode().unwrap();
            tx.send(&note).await.unwrap();
            tx.send_all([&note, &note]).await.unwrap();
            note.check();
        }
    });
    let client = tokio::spawn(async move {
        let mut ours = Connection::<Note, Note>::connect(&address).await.unwrap();
        let text = vec![9; 300_000];
        for len in [3, 300_000] {
            let note = Numbered::Numbered { number: 9, len: len as u64, body: &text[..len] };
            ours.send(&note).await.unwrap();
            for _ in 0..3 {
                let answer = ours.recv().await.unwrap().expect("an answer");
                assert_eq!(answer.decode().unwrap().check(), 9);
            }
        }
    });
    client.await.unwrap();
    server.await.unwrap();
}
