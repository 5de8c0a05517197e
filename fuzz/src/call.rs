//! Sends any datagrams to a client: each of its calls ends, and a later call is answered.

use datagrammar::Connection as Blocking;
use datagrammar::calls::Answers;
use datagrammar::tokio::Connection;
use tokio::runtime::Builder;
use tokio::task::yield_now;

use crate::input::{Input, written};
use crate::messages::{Calls, CallsTokioClient, Text, frames};
use crate::peer::{END, ITEM, Peer, REPLY, bundle, head, pieces};

/// Sends datagrams to a client that has calls in flight.
pub fn call(input: &[u8]) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (ours, theirs) = Blocking::<Calls<'_>, Answers<Calls<'_>>>::pair().expect("a pair");
        let ours =
            Connection::from_blocking(ours).map_err(|(_, error)| error).expect("a registration");
        let (fd, _) = theirs.into_fd().expect("nobody else holds it");
        let mut peer = Peer::new(fd);
        let client = CallsTokioClient::new(ours);

        let calls = [client.echo("first"), client.echo("second")];
        let calls = calls.map(tokio::spawn);
        let mut items = client.repeat("third", 100).expect("it is queued");
        let streaming = tokio::spawn(async move {
            let mut count = 0_u32;
            while let Ok(Some(item)) = items.recv().await {
                _ = item;
                count += 1;
            }
            count
        });
        let mut steps = Input::new(input);
        while steps.byte().is_some() {
            send(&mut peer, steps.bytes()).await;
        }
        for id in 1..=3 {
            let end = if id == 3 { head(END, 0, id) } else { answer(id, "late") };
            send(&mut peer, &end).await;
        }
        for call in calls {
            _ = call.await.expect("it does not panic");
        }
        streaming.await.expect("it does not panic");
        // The input may have begun a frame in pieces, which costs the next answer.
        let lost = tokio::spawn(client.echo("fourth"));
        send(&mut peer, &answer(4, "fourth")).await;
        _ = lost.await.expect("it does not panic");
        let last = tokio::spawn(client.echo("last"));
        send(&mut peer, &answer(5, "last")).await;
        let mut last = last.await.expect("it does not panic").expect("an answer");
        assert!(matches!(last.decode(), Ok(Text("last"))));
    });
}

/// Sends a datagram, and lets the client run.
async fn send(peer: &mut Peer, datagram: &[u8]) {
    while !peer.send(datagram) {
        yield_now().await;
    }
    yield_now().await;
    while peer.recv().is_some() {}
}

fn answer(id: u64, text: &str) -> Vec<u8> {
    [&head(REPLY, 0, id), &[1, 1, text.len() as u8][..], text.as_bytes()].concat()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let item = |id: u64, text: &str| {
        [&head(ITEM, 0, id), &[1, text.len() as u8][..], text.as_bytes()].concat()
    };
    let parts = vec![
        item(3, "a"),
        answer(2, "second"),
        item(3, "b"),
        head(REPLY, 3, 1),
        head(END, 0, 3),
        answer(1, "again"),
    ];
    let apart = written(parts.iter().map(|part| (0, part)));
    let together = written([(0, bundle(&parts))]);
    let in_pieces = written(parts.iter().flat_map(|part| pieces(part)).map(|piece| (0, piece)));
    let ordinary = written(frames().iter().map(|frame| (0, frame)));
    vec![apart, together, in_pieces, ordinary]
}
