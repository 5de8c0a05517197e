//! Callers that ask for another type of answer than the call has.

use datagrammar::Connection;
use datagrammar::calls::{CallError, Client, Outcome};
use datagrammar_tests::raw;
use rustix::net::SocketType;

use crate::Ours;
use crate::peer::Peer;
use crate::protocol::{Counted, Echoed, Length, Sum, Sums};

fn check<T: std::fmt::Debug>(result: Result<T, CallError>, parts: [&str; 2]) {
    let error = result.unwrap_err();
    assert!(matches!(error, CallError::WrongType { .. }), "{error:?}");
    assert!(error.outcome() == Outcome::NotExecuted && !error.is_fatal());
    let error = error.to_string();
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

/// The answer might decode as the other type.
#[test]
fn nothing_is_sent_if_the_caller_asks_for_another_type() {
    let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
    let (client, peer): (Ours, _) =
        (Client::new(Connection::adopt(ours).unwrap()), Peer::new(theirs));
    let add = Sums::Add { left: 1, right: 2 };
    check(client.call::<Length>(&add), ["`Add` has the answer `", "Length`"]);
    check(client.start::<Echoed<'static>>(&add), ["Sum`, not the answer `", "Echoed"]);
    check(client.items::<Counted>(&add), ["Sum`, not items of the type `", "Counted`"]);
    check(client.call::<Sum>(&Sums::Count { to: 1 }), ["Counted`, not the answer `", "Sum`"]);
    check(client.items::<Sum>(&Sums::Count { to: 1 }), ["Counted`, not items", "Sum`"]);
    peer.check_silent();
    assert_eq!(client.in_flight(), 0);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn nothing_is_sent_under_tokio_either() {
    use datagrammar::tokio::{Connection, calls};

    let (ours, theirs) = Connection::pair().unwrap();
    let client = calls::Client::<Sums<'static>>::new(ours);
    let peer = Peer::new(theirs.into_blocking().into_fd().unwrap().0);
    let add = Sums::Add { left: 1, right: 2 };
    check(client.call::<Length>(&add).await, ["`Add` has the answer `", "Length`"]);
    check(client.items::<Counted>(&add), ["Sum`, not items of the type `", "Counted`"]);
    tokio::task::yield_now().await;
    peer.check_silent();
    assert_eq!(client.in_flight(), 0);
}
