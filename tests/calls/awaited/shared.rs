//! Answers that share a datagram.

use datagrammar::to_vec;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Client;
use datagrammar_tests::raw;
use futures_util::future::join_all;
use tokio::time::timeout;

use super::{Ours, STALL};
use crate::peer::{REPLY, bundle, part};
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
