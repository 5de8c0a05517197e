//! A server that breaks the rules.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use datagrammar::calls::CallError;
use datagrammar::tokio::Connection;
use datagrammar::tokio::calls::Client;
use datagrammar::{SendError, to_vec};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::time::sleep;

use super::{Ours, STALL, poll_once, until};
use crate::peer::{CANCEL, END, ITEM, REPLY, part};
use crate::protocol::{Counted, Echoed, Sum, Sums};

/// Returns a client, and the socket of its server.
fn client() -> (Ours, OwnedFd) {
    let (client, server) = Connection::pair().unwrap();
    let (server, _) = server.into_blocking().into_fd().unwrap();
    (Client::new(client), server)
}

fn tell(server: &OwnedFd, kind: u8, id: u64, frame: &[u8]) {
    let datagram = part(kind, 0, id, frame);
    assert_eq!(send(server, &datagram, SendFlags::empty()).unwrap(), datagram.len());
}

/// Reads what the client sends, until it cancels a call.
async fn wait_for_cancel(server: &OwnedFd, id: u64) {
    let mut buffer = [0; 1000];
    let id = id.to_le_bytes();
    let far = Instant::now() + STALL;
    while Instant::now() < far {
        match recv(server, &mut buffer[..], RecvFlags::DONTWAIT) {
            // Alone, or at the end of a bundle.
            Ok((len, _)) if buffer[..len].ends_with(&id) && buffer[len - 13] == CANCEL => return,
            Ok(_) => {}
            Err(_) => sleep(Duration::from_millis(1)).await,
        }
    }
    panic!("the call is not cancelled");
}

/// Hazard 38: replayed, forged and late answers.
#[tokio::test]
async fn h38_answers_that_belong_to_no_call_are_dropped_and_counted() {
    let (client, server) = client();
    let sum = |sum| to_vec::<Sum>(&Sum::Ok(sum)).unwrap();
    let first = client.call::<Sum>(&Sums::Add { left: 1, right: 1 });
    let second = client.call::<Sum>(&Sums::Add { left: 2, right: 2 });
    let mut items = client.items::<Counted>(&Sums::Count { to: 100 }).unwrap();
    // Forged answers: before any call has this id, for another kind of call, and without a call.
    tell(&server, REPLY, 4, &sum(9));
    tell(&server, REPLY, 0, &sum(9));
    tell(&server, REPLY, u64::MAX, &sum(9));
    tell(&server, ITEM, 1, &[1, 1]);
    tell(&server, 5, 1, &[1, 1, 1]);
    tell(&server, 9, 1, &[]);
    send(&server, &[1, 7], SendFlags::empty()).unwrap();
    until(|| client.dropped() == 7).await;
    tell(&server, REPLY, 1, &sum(2));
    // Replayed answers: when the call may just have taken its answer, and later.
    tell(&server, REPLY, 1, &sum(9));
    assert_eq!(first.await.unwrap().decode().unwrap(), 2);
    tell(&server, REPLY, 1, &sum(9));
    tell(&server, REPLY, 2, &sum(4));
    assert_eq!(second.await.unwrap().decode().unwrap(), 4);
    until(|| client.dropped() == 9).await;
    // More items than there is credit for: the call fails after the earlier items are taken.
    let counted = to_vec::<Counted>(&Counted(7)).unwrap();
    (0..20).for_each(|_| tell(&server, ITEM, 3, &counted));
    until(|| client.dropped() == 13).await;
    for _ in 0..16 {
        assert_eq!(items.recv().await.unwrap().unwrap().0, 7);
    }
    assert!(matches!(items.recv().await, Err(CallError::Unexpected)));
    assert!(items.recv().await.unwrap().is_none());
    wait_for_cancel(&server, 3).await;
    tell(&server, END, 3, &[]);
    // The end of items, for a call with one answer.
    let ended = client.call::<Sum>(&Sums::Add { left: 3, right: 3 });
    tell(&server, END, 4, &[]);
    assert!(matches!(ended.await, Err(CallError::Unexpected)));
    // A late answer.
    let late = client.call::<Sum>(&Sums::Add { left: 1, right: 1 });
    drop(late);
    tell(&server, REPLY, 5, &sum(2));
    until(|| client.dropped() == 15).await;
    let next = client.call::<Sum>(&Sums::Add { left: 1, right: 1 });
    tell(&server, REPLY, 6, &sum(2));
    assert_eq!(next.await.unwrap().decode().unwrap(), 2);
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn a_client_that_cancels_what_is_not_sent_does_not_grow_for_ever() {
    let (client, server) = client();
    let text = vec![0; 1 << 20];
    let call = || client.call::<Echoed<'static>>(&Sums::Echo { text: &text });
    let mut count = 0;
    let refused = loop {
        // The driver sends as much as it can.
        tokio::task::yield_now().await;
        if let Some(refused) = poll_once(call()).await {
            break refused.unwrap_err();
        }
        count += 1;
        assert!(count < 100, "{count} MiB are queued");
    };
    let CallError::NotSent(error) = refused else { panic!("{refused:?}") };
    assert!(matches!(*error, SendError::WouldBlock { len } if len > 16 << 20), "{error:?}");
    assert!(count >= 16);
    // When the server reads again, the calls continue.
    let reader = tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; 1 << 20];
        while recv(&server, &mut buffer[..], RecvFlags::empty()).is_ok_and(|(len, _)| len > 0) {}
    });
    while poll_once(call()).await.is_some() {
        sleep(Duration::from_millis(1)).await;
    }
    drop(client);
    reader.await.unwrap();
}

#[tokio::test]
async fn cancelled_requests_that_were_sent_hold_up_no_calls() {
    let (client, server) = client();
    let text = vec![0; 1 << 20];
    let call = || client.call::<Echoed<'static>>(&Sums::Echo { text: &text });
    let given_up: Vec<_> = (0..17).map(|_| call()).collect();
    let _waiting = call();
    drop(given_up);
    // Reads the cancelled requests, but not all of the next one.
    let (mut buffer, mut begun) = (vec![0; 1 << 20], 0);
    while begun < 18 {
        match recv(&server, &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((len, _)) => begun += usize::from(len > 1 && buffer[..2] == [0, 1]),
            Err(_) => sleep(Duration::from_millis(1)).await,
        }
    }
    sleep(Duration::from_millis(1)).await;
    let next = poll_once(call()).await;
    assert!(next.is_none(), "{next:?}");
}
