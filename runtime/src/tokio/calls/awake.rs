//! Tests that the tasks of connections poll the reactor while they wait, if busy polling is on.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Wake, Waker};

use ::tokio::task::yield_now;

use super::busy_poll::BusyPoll;
use super::desk::{Bounds, Desk};
use super::driver::Driver;
use super::gate::Gate;
use super::link::Link;
use crate::calls::ask::Ask;
use crate::calls::{Answers, Call, Core, Observer, Outlet, Session};
use crate::tokio::{Connection, Sender};

/// Counts how often a task is woken.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    /// Returns how often the task was woken since the last time, after the reactor has run.
    async fn take(&self) -> u32 {
        yield_now().await;
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Returns the client's task, which is not spawned, and what it shares with callers.
fn client(connection: Connection<Ask, Answers<Ask>>) -> (Driver<Answers<Ask>>, Arc<Link>) {
    let (Sender { inner, outbound }, mut receiver) = connection.split();
    receiver.inner_mut().accept_calls();
    let link = Arc::new(Link::new(Core::new(Outlet::new(inner), Observer::default())));
    (Driver::new(Arc::clone(&link), receiver, outbound), link)
}

#[::tokio::test]
async fn a_client_polls_the_reactor_while_a_call_is_in_flight() {
    let (ours, _theirs) = Connection::<Ask, Answers<Ask>>::pair().unwrap();
    let (mut driver, link) = client(ours);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let cx = &mut Context::from_waker(&waker);

    link.begin(&Ask, false, None).unwrap();
    assert!(driver.poll_drive(cx).is_pending());
    assert_eq!(woken.take().await, 0, "busy polling is off");
    driver.busy_poll = BusyPoll::on();
    assert!(driver.poll_drive(cx).is_pending());
    assert_eq!(woken.take().await, 1);
    assert_eq!(woken.take().await, 0, "it was not polled again");

    link.cancel(1);
    assert_eq!(woken.take().await, 1, "to send the cancellation");
    assert!(driver.poll_drive(cx).is_pending());
    assert_eq!(woken.take().await, 0, "no call is in flight");
    link.begin(&Ask, false, None).unwrap();
    assert_eq!((link.core.unsent(), woken.take().await), (0, 1), "to poll until the answer comes");
}

#[::tokio::test]
async fn a_server_polls_the_reactor_while_no_call_runs() {
    let (ours, theirs) = Connection::<Ask, Answers<Ask>>::pair().unwrap();
    let (_driver, link) = client(ours);
    let (Sender { inner, outbound }, mut receiver) = theirs.split();
    receiver.inner_mut().accept_calls();
    let session = Arc::new(Session::driven(inner.fd().clone(), Outlet::new(inner), None));
    let handle = |call: Call<Ask>| async {
        pending::<()>().await;
        drop(call);
    };
    let (bounds, gate) = (Bounds { calls: 10, streams: 10 }, Arc::new(Gate::new(10)));
    let mut desk = Desk::new(handle, bounds, gate, session, receiver, outbound);
    let woken = Arc::<Woken>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let cx = &mut Context::from_waker(&waker);

    assert!(desk.poll_serve(cx).is_pending());
    assert_eq!(woken.take().await, 0, "busy polling is off");
    desk.busy_poll = BusyPoll::on();
    assert!(desk.poll_serve(cx).is_pending());
    assert_eq!(woken.take().await, 1);

    assert!(desk.poll_serve(cx).is_pending());
    link.begin(&Ask, false, None).unwrap();
    assert!(woken.take().await > 0, "a request has come");
    assert!(desk.poll_serve(cx).is_pending());
    assert_eq!(woken.take().await, 0, "a call runs");
}
