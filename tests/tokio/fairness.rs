//! A burst on one connection does not starve other tasks. Each test counts how many frames a task handles on the
//! only thread before another task runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use datagrammar::tokio::{Batch, Connection, Listener, Socket};
use datagrammar::{Options, Policy, RecvError, Wait, to_vec};
use datagrammar_tests::datagrams::{piece, pieces};
use datagrammar_tests::{Directory, Numbered, backlog, body, numbered, raw, skipped};
use futures_util::StreamExt as _;
use rustix::net::SocketType;
use tokio::time::timeout;

type Blocking = datagrammar::Connection<Numbered<'static>, Numbered<'static>>;
type Ours = Connection<Numbered<'static>, Numbered<'static>>;

/// The most frames that a task may handle in a row: twice tokio's budget of 128.
const MAX_RUN: u64 = 256;
const FRAMES: u64 = 20_000;

/// The number of frames that were handled since the other task last ran, and the maximum.
#[derive(Default)]
struct Run {
    now: AtomicU64,
    longest: AtomicU64,
}

impl Run {
    /// Starts the other task.
    fn start() -> Arc<Self> {
        let run: Arc<Self> = Arc::default();
        let other = Arc::clone(&run);
        tokio::spawn(async move {
            loop {
                other.now.store(0, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        run
    }

    fn count(&self) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.longest.fetch_max(now, Ordering::Relaxed);
    }

    fn check(&self) {
        let longest = self.longest.load(Ordering::Relaxed);
        assert!(0 < longest && longest <= MAX_RUN, "{longest} frames in a row");
    }
}

const TINY: Numbered<'static> = Numbered::Numbered { number: 7, len: 1, body: &[7] };

/// The receiving end of a flood of frames, one by one or in bundles.
fn flooded(in_bundles: bool) -> Ours {
    let (mut theirs, ours) = Blocking::pair().unwrap();
    thread::spawn(move || {
        for _ in 0..FRAMES / 1000 {
            match in_bundles {
                true => _ = theirs.tx.send_all(&[TINY; 1000], Wait::Block).unwrap(),
                false => (0..1000).for_each(|_| _ = theirs.send(&TINY).unwrap()),
            }
        }
    });
    Ours::from_blocking(ours).map_err(|(_, error)| error).unwrap()
}

#[tokio::test]
async fn a_flood_of_frames_leaves_turns_to_other_tasks() {
    for in_bundles in [false, true] {
        let run = Run::start();
        let mut ours = flooded(in_bundles);
        while let Some(frame) = ours.recv().await.unwrap() {
            assert_eq!(frame.decode().unwrap().check(), 7);
            run.count();
        }
        run.check();
        let run = Run::start();
        let mut ours = flooded(in_bundles);
        while let Some(frame) = ours.rx.next().await {
            frame.unwrap();
            run.count();
        }
        run.check();
    }
}

#[tokio::test]
async fn what_was_read_earlier_leaves_turns_too() {
    // The rest of a bundle that was read before, and restored datagrams.
    for is_restored in [false, true] {
        let (mut theirs, mut ours) = Blocking::pair().unwrap();
        theirs.tx.send_all(&[TINY; 5000], Wait::Block).unwrap();
        drop(theirs);
        ours.recv().unwrap().expect("a frame");
        if is_restored {
            let (fd, unread) = ours.into_fd().unwrap();
            ours = Blocking::adopt(fd).unwrap();
            ours.rx.restore(unread);
        }
        let run = Run::start();
        let mut ours = Ours::from_blocking(ours).map_err(|(_, error)| error).unwrap();
        while ours.recv().await.unwrap().is_some() {
            run.count();
        }
        run.check();
    }
}

#[tokio::test]
async fn a_flood_of_datagrams_leaves_turns_to_other_tasks() {
    let directory = Directory::new();
    type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;
    let address = directory.address("socket");
    let mut ours = OursAlone::bind(&address).unwrap();
    thread::spawn(move || {
        let mut theirs =
            datagrammar::Socket::<Numbered<'_>, Numbered<'_>>::unbound(&address).unwrap();
        for _ in 0..FRAMES / 1000 {
            theirs.tx.send_all_to(&[TINY; 500], &address, Wait::Block).unwrap();
            (0..500).for_each(|_| _ = theirs.send_to(&TINY, &address).unwrap());
        }
    });
    let run = Run::start();
    for _ in 0..FRAMES {
        ours.recv_from().await.unwrap();
        run.count();
    }
    run.check();
}

#[tokio::test]
async fn who_sends_without_end_leaves_turns_to_other_tasks() {
    let (theirs, mut ours) = Blocking::pair().unwrap();
    let mut theirs = Ours::from_blocking(theirs).map_err(|(_, error)| error).unwrap();
    let receiving = thread::spawn(move || {
        let mut received = 0;
        while let Some(_frame) = ours.recv().unwrap() {
            received += 1;
        }
        received
    });
    let run = Run::start();
    for _ in 0..FRAMES {
        theirs.send(&TINY).await.unwrap();
        run.count();
    }
    run.check();
    // Mostly in memory.
    let run = Run::start();
    let (tx, _rx) = theirs.split();
    let mut batch = Batch::new(tx);
    for _ in 0..FRAMES {
        batch.push(&TINY).await.unwrap();
        run.count();
    }
    run.check();
    drop(batch.into_inner().await.unwrap());
    drop(_rx);
    assert_eq!(receiving.join().unwrap(), 2 * FRAMES);
}

#[tokio::test]
async fn a_frame_in_pieces_without_end_leaves_turns_to_other_tasks() {
    // Sent as fast as they are read, so that the receiver never finds the socket empty for long.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap();
    let frame = numbered(7, 20_000, |frame| to_vec(frame)).unwrap();
    thread::spawn(move || {
        for datagram in pieces(7, &frame, 1) {
            raw::send(&theirs, &datagram).unwrap();
        }
    });
    let turns = Arc::new(AtomicU64::new(0));
    let other = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            other.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let received = timeout(Duration::from_secs(60), ours.recv()).await.expect("to be woken");
    assert_eq!(received.unwrap().expect("a frame").decode().unwrap().check(), 7);
    // After at most 1,024 pieces each.
    let turns = turns.load(Ordering::Relaxed);
    assert!(turns >= 19, "{turns} turns");
}

#[tokio::test]
async fn many_messages_that_are_sent_at_once_leave_turns_to_other_tasks() {
    // The peer reads faster than this side writes.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap();
    let receiving = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 17];
        while rustix::io::read(&theirs, &mut buffer).unwrap() > 0 {}
    });
    let turns = Arc::new(AtomicU64::new(0));
    let other = Arc::clone(&turns);
    tokio::spawn(async move {
        loop {
            other.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    // 1,000 datagrams of one message each, or of 100.
    for (len, count) in [(20_000, 1000), (600, 100_000)] {
        let body = body(7, len);
        let message = Numbered::Numbered { number: 7, len: len as u64, body: &body };
        let before = turns.load(Ordering::Relaxed);
        let messages = std::iter::repeat_n(&message, count);
        assert_eq!(ours.tx.send_all(messages).await.unwrap(), count);
        let turns = turns.load(Ordering::Relaxed) - before;
        assert!(turns >= 1000 / MAX_RUN, "{turns} turns in {count} messages of {len} bytes");
    }
    drop(ours);
    receiving.join().unwrap();
}

#[tokio::test]
async fn pieces_of_no_frame_leave_turns_to_other_tasks() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap();
    let flood = thread::spawn(move || {
        let next = piece(2, 5, &[7]);
        for _ in 0..100_000 {
            raw::send(&theirs, &next).unwrap();
        }
    });
    let run = Run::start();
    loop {
        match ours.recv().await {
            Err(RecvError::BadFragment(_)) => run.count(),
            Ok(None) => break,
            other => panic!("{other:?}"),
        }
    }
    let longest = run.longest.load(Ordering::Relaxed);
    assert!(longest <= 2, "{longest} times 1,024 pieces in a row");
    flood.join().unwrap();
}

#[tokio::test]
async fn a_storm_of_rejected_clients_leaves_turns_to_other_tasks() {
    let clients = backlog(2000);
    if u64::from(clients) < 2 * MAX_RUN {
        return skipped(format!("the backlog of a listener holds {clients} clients here"));
    }
    let directory = Directory::new();
    let address = directory.address("socket");
    let options = Options::new().backlog(clients).policy(Policy::by(|_| false));
    let listener = Listener::<Numbered<'_>, Numbered<'_>>::bind_with(&address, &options).unwrap();
    for _ in 0..clients {
        // The client waits in the backlog, even after it has disconnected.
        Blocking::connect(&address).unwrap();
    }
    let listener = Arc::new(listener);
    let accepting = Arc::clone(&listener);
    let accepting = tokio::spawn(async move { accepting.accept().await });
    let mut rejected = 0;
    while rejected < u64::from(clients) {
        tokio::task::yield_now().await;
        let now = listener.rejected();
        assert!(now - rejected <= MAX_RUN, "{} clients in a row", now - rejected);
        rejected = now;
    }
    accepting.abort();
}
