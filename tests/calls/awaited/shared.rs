//! Requests and answers that share a datagram.

use std::future::poll_fn;
use std::task::Poll;
use std::thread;

use datagrammar::to_vec;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Client;
use datagrammar_tests::raw;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Ours, STALL};
use crate::peer::{Part, Peer, REPLY, bundle, part};
use crate::protocol::{Sum, Sums};

#[tokio::test]
async fn every_answer_of_a_datagram_reaches_its_call() {
    for count in [1, 2, 63, 64, 65, 128, 129, 500] {
        let (client, server) = Connection::pair().unwrap();
        let (server, _) = server.into_blocking().into_fd().unwrap();
        let client: Ours = Client::new(client);
        let calls: Vec<_> =
            (0..count).map(|_| client.call::<Sum>(&Sums::Add { left: 1, right: 2 })).collect();
        let answer = |id| part(REPLY, 0, id, &to_vec(&Sum::Ok(id)).unwrap());
        let answers: Vec<_> = (1..=count).map(answer).collect();
        raw::send(&server, &bundle(&answers)).unwrap();
        let answers = timeout(STALL, join_all(calls)).await.expect("all answers");
        for (answer, id) in answers.into_iter().zip(1..) {
            assert_eq!(answer.unwrap().decode().unwrap(), id);
        }
        assert_eq!((client.in_flight(), client.dropped()), (0, 0));
    }
}

/// Lets the other woken tasks run, `times` times.
async fn step_aside(times: u64) {
    let mut left = times;
    let step = poll_fn(|cx| match left {
        0 => Poll::Ready(()),
        _ => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    step.await;
}

/// Even if one needs more time than the other before it calls again.
#[tokio::test]
async fn callers_that_are_answered_together_share_a_datagram_again() {
    const CALLERS: u64 = 4;
    const ROUNDS: u64 = 50;
    let (client, server) = Connection::pair().unwrap();
    let (server, _) = server.into_blocking().into_fd().unwrap();
    let client: Ours = Client::new(client);
    let peer = thread::spawn(move || {
        let mut peer = Peer::new(server);
        let answer = |Part { id, .. }| part(REPLY, 0, id, &to_vec(&Sum::Ok(id)).unwrap());
        for round in 0..ROUNDS {
            let requests = match round {
                // The first request of a client is sent at once, and so is the next one.
                0 | 1 => peer.sorted(CALLERS as usize),
                _ => peer.datagram(),
            };
            assert_eq!(requests.len(), CALLERS as usize);
            peer.send(&bundle(&requests.into_iter().map(answer).collect::<Vec<_>>()));
        }
    });
    let callers = (0..CALLERS).map(|caller| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..ROUNDS {
                step_aside(caller).await;
                let answer = client.call::<Sum>(&Sums::Add { left: 1, right: 2 });
                drop(answer.await.unwrap());
            }
        })
    });
    let callers = timeout(STALL, join_all(callers.collect::<Vec<_>>())).await;
    peer.join().unwrap();
    callers.expect("all answers").into_iter().for_each(Result::unwrap);
}
