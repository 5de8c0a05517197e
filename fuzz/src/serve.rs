//! Sends any datagrams to a server: a later call is answered.

use datagrammar::calls::{Answers, Context};
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::{ItemSender, Responder, Server};
use datagrammar::{Connection as Blocking, to_vec};
use tokio::runtime::Builder;
use tokio::task::yield_now;

use crate::input::{Input, written};
use crate::messages::{
    Calls, CallsEchoAnswer, CallsTokioHandler, CallsTokioService, Refused, Text, frames,
};
use crate::peer::{CANCEL, CREDIT, Peer, REPLY, REQUEST, bundle, head, pieces};

/// How often the server may run before an answer counts as lost.
const MAX_TURNS: u32 = 100_000;

/// Stands for no expected answer.
const NONE: &[u8] = b"none";

struct Handler;

impl CallsTokioHandler for Handler {
    async fn echo(
        &self,
        _cx: &Context,
        text: &str,
        responder: Responder<CallsEchoAnswer<'static>>,
    ) {
        yield_now().await;
        _ = responder.send(if text.is_empty() { Err(Refused::Empty) } else { Ok(Text(text)) });
    }

    async fn repeat(
        &self,
        _cx: &Context,
        text: &str,
        times: u16,
        mut items: ItemSender<Text<'static>>,
    ) {
        for _ in 0..times {
            if items.send(&Text(text)).await.is_err() {
                return;
            }
        }
    }

    async fn note(&self, _cx: &Context, _text: &str) {}
}

/// Sends datagrams to a server.
pub fn serve(input: &[u8]) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (theirs, ours) = Blocking::<Calls<'_>, Answers<Calls<'_>>>::pair().expect("a pair");
        let server = Server::new(CallsTokioService(Handler));
        let ours =
            Connection::from_blocking(ours).map_err(|(_, error)| error).expect("a registration");
        let serving = tokio::spawn(async move { server.serve(ours).await });
        let (fd, _) = theirs.into_fd().expect("nobody else holds it");
        let mut peer = Peer::new(fd);

        let mut steps = Input::new(input);
        while steps.byte().is_some() {
            send(&mut peer, steps.bytes(), NONE).await;
        }
        // An id that no datagram contains.
        let mut ids = 1_u64..;
        let is_used = |id: &u64| input.windows(8).any(|bytes| bytes == id.to_le_bytes());
        let id = ids.find(|id| !is_used(id)).expect("the input is shorter than that");
        let echo = to_vec(&Calls::Echo { text: "last" }).expect("a value of ours");
        let answer = [head(REPLY, 0, id), b"\x01\x01\x04last".to_vec()].concat();
        let mut is_answered =
            send(&mut peer, &[head(REQUEST, 0, id), echo].concat(), &answer).await;
        let mut turns = 0;
        while !is_answered {
            turns += 1;
            assert!(turns < MAX_TURNS, "the last call is not answered");
            yield_now().await;
            is_answered = drain(&mut peer, &answer);
        }
        drop(peer);
        let ended = serving.await.expect("it does not panic");
        assert!(ended.is_ok(), "{ended:?}");
    });
}

/// Sends a datagram, and lets the server run. Receives answers meanwhile, because a server that cannot send stops
/// receiving. Returns whether one of them contains `expected`.
async fn send(peer: &mut Peer, datagram: &[u8], expected: &[u8]) -> bool {
    let (mut turns, mut is_there) = (0, false);
    while !peer.send(datagram) {
        turns += 1;
        assert!(turns < MAX_TURNS, "the server does not receive");
        is_there |= drain(peer, expected);
        yield_now().await;
    }
    yield_now().await;
    is_there | drain(peer, expected)
}

/// Receives all queued datagrams. Returns whether one of them contains `expected`.
fn drain(peer: &mut Peer, expected: &[u8]) -> bool {
    let mut is_there = false;
    while let Some(datagram) = peer.recv() {
        is_there |= datagram.windows(expected.len()).any(|bytes| bytes == expected);
    }
    is_there
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let frames = frames();
    let request = |(number, frame): (usize, &Vec<u8>)| {
        [head(REQUEST, number as u32 * 500, number as u64 + 1), frame.clone()].concat()
    };
    let requests: Vec<_> = frames.iter().enumerate().map(request).collect();
    let calls = requests.iter().map(|request| written([(0, request)]));
    let id = frames.len() as u64 - 1;
    let controlled = requests.iter().cloned().chain([head(CREDIT, 9, id), head(CANCEL, 0, id)]);
    let controlled = written(controlled.map(|datagram| (0, datagram)));
    let bundled = written([(0, bundle(&requests))]);
    let in_pieces = requests.iter().flat_map(|request| pieces(request));
    let in_pieces = written(in_pieces.map(|piece| (0, piece)));
    let one_way = written(frames.iter().map(|frame| (0, frame)));
    calls.chain([controlled, bundled, in_pieces, one_way]).collect()
}
