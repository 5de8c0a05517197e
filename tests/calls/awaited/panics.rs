//! Wakers that panic.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use datagrammar::to_vec;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Client;
use datagrammar_tests::raw;
use rustix::net::SocketType;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::{Ours, STALL};
use crate::peer::{Peer, REPLY, bundle, part};
use crate::protocol::{Sum, Sums};

struct Clumsy;

impl Wake for Clumsy {
    fn wake(self: Arc<Self>) {
        panic!("as the test asks");
    }
}

/// The task of the client goes on.
#[tokio::test]
async fn a_waker_that_panics_holds_up_no_other_call() {
    for clumsy in 0..3 {
        let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
        let client: Ours = Client::new(Connection::adopt(ours).unwrap());
        let mut peer = Peer::new(theirs);
        let mut calls: Vec<_> = (0..3)
            .map(|number| Box::pin(client.call::<Sum>(&Sums::Add { left: number, right: 0 })))
            .collect();
        let waker = Waker::from(Arc::new(Clumsy));
        let mut clumsy = calls.remove(clumsy);
        assert!(clumsy.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let others = tokio::spawn(async move {
            for call in calls {
                assert_eq!(call.await.unwrap().decode().unwrap(), 7);
            }
        });
        for _ in 0..10 {
            yield_now().await;
        }
        let requests: Vec<_> = (0..3).map(|_| peer.next()).collect();
        let value = to_vec(&Sum::Ok(7)).unwrap();
        let replies: Vec<_> =
            requests.iter().map(|request| part(REPLY, 0, request.id, &value)).collect();
        peer.send(&bundle(&replies));
        timeout(STALL, others).await.expect("they are woken").unwrap();
        assert_eq!(clumsy.await.unwrap().decode().unwrap(), 7);
    }
}
