//! Memory: no more than the capacity, none per message, and given back.

use std::time::Duration;

use allocation_counter::measure;
use datagrammar::OwnedFrame;
use datagrammar_tests::{Numbered, numbered};

use super::steps::{Numbers, Ours, Steps, settle, started, try_send};
use super::{Frozen, alone};

#[test]
fn a_queue_allocates_nothing_after_the_first_messages() {
    let _alone = alone();
    // With room for a whole round, for a part of it, and for one message at a time.
    for (capacity, len) in [(1 << 20, 16), (600, 16), (0, 16), (600, 300), (40_000, 9000)] {
        let runtime = Frozen::new();
        let (queue, mut theirs) = runtime.block_on(async {
            let (ours, theirs) = Ours::pair().unwrap();
            let (queue, driver) = ours.tx.into_queue(capacity);
            tokio::spawn(driver);
            (queue, theirs)
        });
        let body = vec![3; len];
        let message = Numbered::Numbered { number: 3, len: len as u64, body: &body };
        let frame = OwnedFrame::encode(&message).unwrap();
        let mut rounds = |rounds| {
            runtime.block_on(async {
                for _ in 0..rounds {
                    for _ in 0..5 {
                        queue.send(&message).await.unwrap();
                        queue.send_frame(&frame).await.unwrap();
                    }
                    for _ in 0..10 {
                        let frame = theirs.recv().await.unwrap().expect("a frame");
                        assert_eq!(frame.decode().unwrap().check(), 3);
                    }
                }
            });
        };
        let first = measure(|| rounds(100));
        assert!(first.count_total > 0, "the measure measures nothing");
        let after = measure(|| rounds(1000));
        assert_eq!(after.count_total, 0, "{capacity}, {len}: {after:?}");
    }
}

/// Fills a queue. Returns how many bytes it accepted.
fn fill(queue: &Numbers, len: usize) -> usize {
    numbered(0, len, |message| {
        let frame = OwnedFrame::encode(message).unwrap();
        (0..).find(|_| queue.try_send_frame(&frame).is_err()).unwrap() * frame.len()
    })
}

#[test]
fn a_reader_that_stops_costs_the_capacity_and_it_comes_back() {
    let _alone = alone();
    const CAPACITY: usize = 1 << 20;
    for len in [0, 100, 3000, 15_000, 20_000, 100_000, 5 << 20] {
        let runtime = Frozen::new();
        let _entered = runtime.enter();
        let (ours, mut theirs) = Ours::pair().unwrap();
        let (queue, driver) = ours.tx.into_queue(CAPACITY);
        let mut driver = runtime.block_on(started(driver));
        // The socket takes some messages, which makes room for more, until it is full too.
        let mut accepted = 0;
        let held = measure(|| {
            loop {
                let more = fill(&queue, len);
                accepted += more;
                _ = driver.step();
                if more == 0 {
                    break;
                }
            }
        });
        // A small frame has its length before it, and a buffer may be twice as long as its content.
        let frame = len + 20;
        let most = 2 * (CAPACITY * 4 / 3 + frame + 65_536) + 2 * len;
        assert!((held.bytes_max as usize) < most, "{len}: {held:?}, not {most}");
        // A frame that is sent in pieces is in memory only once.
        let most = 2 * CAPACITY * 4 / 3 + len + 200_000;
        assert!((held.bytes_current as usize) < most, "{len}: {held:?}, not {most}");
        assert!(!queue.is_empty() && queue.len() * (len + 3) <= CAPACITY.max(len + 20), "{len}");
        let freed = measure(|| {
            runtime.block_on(async {
                while !queue.is_empty() {
                    settle().await;
                    receive_all(&mut theirs);
                    assert!(driver.step().is_pending());
                }
                // Including the receiver's memory.
                drop(theirs);
            });
        });
        let kept = held.bytes_current + freed.bytes_current;
        assert!(kept < 400_000, "{len}: {kept} bytes of {accepted}");
        assert!(
            kept > 10_000 || len > 15_000 || len == 0,
            "{len}: only {kept} bytes, in a busy queue"
        );
        // No longer than necessary.
        let idle = measure(|| {
            runtime.block_on(async {
                for _ in 0..3 {
                    tokio::time::advance(Duration::from_secs(1)).await;
                    assert!(driver.step().is_pending());
                }
            });
        });
        let kept = kept + idle.bytes_current;
        assert!(kept < 12_000, "{len}: {kept} bytes of {accepted} in an idle queue");
    }
}

fn receive_all(theirs: &mut Ours) {
    while let Ok(frame) = theirs.try_recv() {
        frame.unwrap().decode().unwrap().check();
    }
}

#[tokio::test]
async fn calls_that_waited_leave_nothing_behind() {
    let _alone = alone();
    let (ours, _theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(100);
    let driver = started(driver).await;
    assert_eq!(try_send(&queue, 0, 97 - 3).unwrap(), 0);
    let wait = |count: usize| {
        let mut waits: Vec<_> =
            (0..count).map(|_| Steps::new(super::steps::send(&queue, 1, 50))).collect();
        assert!(waits.iter_mut().all(|send| send.step().is_pending()));
    };
    wait(1);
    let left = measure(|| {
        wait(10_000);
        wait(10_000);
    });
    assert!(left.bytes_current < 10_000, "{left:?}");
    drop(driver);
}
