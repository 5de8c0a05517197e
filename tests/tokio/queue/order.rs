//! Many tasks: each in order, nothing lost, nothing twice.

use std::os::fd::OwnedFd;

use datagrammar::OwnedFrame;
use datagrammar::tokio::Receiver;
use datagrammar_tests::{Numbered, Random, body, raw, scaled, seed};
use rustix::net::{RecvFlags, SocketType};

use super::kinds::{Any, Anys, files};
use super::steps::{Ours, runtimes, send, try_send};

const TASKS: u64 = 4;

/// Receives from all tasks until the end. The number of a message consists of its task's number and its own.
async fn expect_each_in_order(mut rx: Receiver<Numbered<'static>>, each: u64) {
    let mut next = [0; TASKS as usize];
    while let Some(frame) = rx.recv().await.unwrap() {
        let number = frame.decode().unwrap().check();
        let (task, number) = ((number % TASKS) as usize, number / TASKS);
        assert_eq!(number, next[task], "of task {task}");
        next[task] += 1;
    }
    assert_eq!(next, [each; TASKS as usize]);
}

#[test]
fn four_tasks_lose_and_double_nothing() {
    let each = scaled(400_000) as u64 / TASKS;
    for runtime in runtimes() {
        for capacity in [100, 4096, 1 << 20] {
            // A small queue switches often between tasks.
            let each = if capacity == 100 { each / 10 } else { each };
            runtime.block_on(async {
                let (ours, theirs) = Ours::pair().unwrap();
                let (queue, driver) = ours.tx.into_queue(capacity);
                let driver = tokio::spawn(driver);
                let receiving = tokio::spawn(expect_each_in_order(theirs.rx, each));
                let tasks: Vec<_> = (0..TASKS)
                    .map(|task| {
                        let queue = queue.clone();
                        tokio::spawn(async move {
                            let mut last = None;
                            for number in 0..each {
                                let sent =
                                    send(&queue, number * TASKS + task, number as usize % 50);
                                let queued = sent.await.unwrap();
                                assert!(Some(queued) > last);
                                last = Some(queued);
                            }
                            last.unwrap()
                        })
                    })
                    .collect();
                drop(queue);
                let mut last = 0;
                for task in tasks {
                    last = last.max(task.await.unwrap());
                }
                assert_eq!(last, each * TASKS - 1);
                drop(driver.await.unwrap().unwrap());
                drop(ours.rx);
                receiving.await.unwrap();
            });
        }
    }
}

#[test]
fn what_queues_up_behind_a_busy_socket_shares_datagrams() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let (ours, theirs) = raw::pair(SocketType::SEQPACKET);
            let (queue, driver) = Ours::adopt(ours).unwrap().tx.into_queue(1 << 20);
            let driver = tokio::spawn(driver);
            let tasks: Vec<_> = (0..TASKS)
                .map(|task| {
                    let queue = queue.clone();
                    tokio::spawn(async move {
                        for number in 0..5000 {
                            send(&queue, task * 5000 + number, 10).await.unwrap();
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            drop(queue);
            let datagrams = tokio::task::spawn_blocking(move || datagrams(&theirs));
            driver.await.unwrap().unwrap();
            let (datagrams, frames) = datagrams.await.unwrap();
            assert_eq!(frames, 20_000);
            // The socket has room for a few hundred messages, each of which may travel alone.
            assert!(datagrams < 1000, "{datagrams} datagrams");
        });
    }
}

/// Receives until the end. Returns the number of datagrams, and of frames in them.
fn datagrams(socket: &OwnedFd) -> (u64, u64) {
    let (mut datagrams, mut frames) = (0, 0);
    let mut buffer = vec![0; 100_000];
    loop {
        let (_, len) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::empty()).unwrap();
        let count = match buffer[..len] {
            [] => return (datagrams, frames),
            [0, 4, ..] => u64::from_le_bytes(buffer[6..14].try_into().unwrap()),
            _ => 1,
        };
        (datagrams, frames) = (datagrams + 1, frames + count);
    }
}

#[test]
fn messages_of_all_kinds_keep_their_order() {
    const COUNT: u64 = 600;
    let mut random = Random(seed());
    for runtime in runtimes() {
        for capacity in [1000, 100_000, 50_000_000] {
            let seed = random.below(u64::MAX);
            runtime.block_on(async {
                let (ours, mut theirs) = Anys::pair().unwrap();
                let (queue, driver) = ours.tx.into_queue(capacity);
                let driver = tokio::spawn(driver);
                let sending = tokio::spawn(async move {
                    let mut random = Random(seed);
                    for number in 0..COUNT {
                        let len = match random.below(100) {
                            0 => 5 << 20,
                            1..5 => 100_000 + random.below(300_000),
                            5..15 => 16_370 + random.below(30),
                            _ => random.below(600),
                        };
                        let body = body(number, len as usize);
                        // The peer is gone when the driver sends the message.
                        let message = match random.below(10) {
                            0 => files(number, random.below(4) as usize),
                            _ => Any::Plain { number, body: &body },
                        };
                        let queued = match random.below(2) {
                            0 => queue.send(&message).await,
                            _ => queue.send_frame(&OwnedFrame::encode(&message).unwrap()).await,
                        };
                        assert_eq!(queued.unwrap(), number);
                    }
                });
                for number in 0..COUNT {
                    let frame = theirs.recv().await.unwrap().expect("a frame");
                    assert_eq!(frame.decode().unwrap().number(), number);
                }
                sending.await.unwrap();
                driver.await.unwrap().unwrap();
            });
        }
    }
}

#[test]
fn all_parts_move_between_threads() {
    fn moves<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync>(_: &T) {}
    let [runtime, _] = runtimes();
    let _entered = runtime.enter();
    let (ours, _theirs) = Ours::pair().unwrap();
    let (queue, driver) = ours.tx.into_queue(1);
    is_shared(&queue);
    drop(moves(driver));
    let message = Numbered::Numbered { number: 0, len: 0, body: &[] };
    drop(moves(queue.send(&message)));
    drop(moves(queue.send_frame(&OwnedFrame::encode(&message).unwrap())));
    drop(moves(queue.closed()));
}

#[test]
fn handles_work_on_any_thread_without_a_runtime() {
    let [runtime, _] = runtimes();
    let (queue, driver, mut theirs) = runtime.block_on(async {
        let (ours, theirs) = Ours::pair().unwrap();
        let (queue, driver) = ours.tx.into_queue(1 << 20);
        (queue, driver, theirs)
    });
    let thread = std::thread::spawn(move || {
        for number in 0..1000 {
            assert_eq!(try_send(&queue, number, 10).unwrap(), number);
        }
    });
    runtime.block_on(async {
        let driver = tokio::spawn(driver);
        for number in 0..1000 {
            let frame = theirs.recv().await.unwrap().expect("a frame");
            assert_eq!(frame.decode().unwrap().check(), number);
        }
        driver.await.unwrap().unwrap();
    });
    thread.join().unwrap();
}
