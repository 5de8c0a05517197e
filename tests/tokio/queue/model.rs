//! Random calls, polls, drops and reads, against a simple model.

use std::collections::{BTreeMap, VecDeque};
use std::task::Poll;

use datagrammar::SendError;
use datagrammar_tests::{Random, scaled, seed};

use super::steps::{Ours, Steps, send, settle, started, try_send};

/// Futures are polled only when they are new or were woken, so a lost wake-up makes them wait forever.
#[tokio::test]
async fn no_schedule_loses_a_message_or_a_wake_up() {
    let mut random = Random(seed());
    for _ in 0..scaled(2_000) {
        one_schedule(&mut random).await;
    }
}

async fn one_schedule(random: &mut Random) {
    let (ours, mut theirs) = Ours::pair().unwrap();
    let capacity = [0, 50, 200, 5000, 100_000][random.below(5) as usize];
    let longest = [10, 300, 3000, 60_000, 400_000][random.below(5) as usize];
    let (queue, driver) = ours.tx.into_queue(capacity);
    let mut driver = started(driver).await;
    let (mut drives, mut next) = (true, 0_u64);
    // The waiting calls, in the order of their arrival, and the messages that were queued and not received.
    let mut waiting = BTreeMap::new();
    let mut queued = VecDeque::new();
    let mut numbers = 0..;
    let steps = random.below(150);
    for step in 0.. {
        let is_ending = step >= steps;
        if is_ending && waiting.is_empty() && queued.is_empty() {
            break;
        }
        assert!(step < steps + 100_000, "{} wait for ever", waiting.len());
        let choice = if is_ending { 3 + random.below(4) } else { random.below(7) };
        match choice {
            0 | 1 => {
                let mut call = Steps::new(send(&queue, next, random.below(longest) as usize));
                match call.step() {
                    Poll::Ready(number) => {
                        assert_eq!(number.unwrap(), numbers.next().unwrap());
                        assert!(waiting.values().all(Steps::is_woken), "{next} has overtaken");
                        queued.push_back(next);
                    }
                    Poll::Pending => drop(waiting.insert(next, call)),
                }
                next += 1;
            }
            2 => match random.below(2) {
                0 => match try_send(&queue, next, random.below(longest) as usize) {
                    Ok(number) => {
                        assert_eq!(number, numbers.next().unwrap());
                        queued.push_back(next);
                        next += 1;
                    }
                    Err(error) => assert!(matches!(error, SendError::Full { .. }), "{error:?}"),
                },
                // Drops a waiting call, admitted or not.
                _ => {
                    let nth = random.below(1 + waiting.len() as u64) as usize;
                    let dropped = waiting.keys().nth(nth).copied();
                    dropped.map(|number| waiting.remove(&number));
                }
            },
            3 | 4 => {
                // The calls with room, which are the first in line.
                let woken = waiting.iter().take_while(|(_, call)| call.is_woken());
                let woken: Vec<_> = woken.map(|(&number, _)| number).collect();
                assert!(!waiting.values().skip(woken.len()).any(Steps::is_woken), "overtaken");
                for number in woken {
                    if random.below(8) == 0 && !is_ending {
                        waiting.remove(&number);
                        continue;
                    }
                    let mut call = waiting.remove(&number).unwrap();
                    assert_eq!(call.done().unwrap(), numbers.next().unwrap());
                    queued.push_back(number);
                }
            }
            5 => {
                settle().await;
                if drives || driver.wakes() > 0 {
                    drives = false;
                    assert!(driver.step().is_pending());
                }
            }
            _ => {
                for _ in 0..random.below(30) {
                    let Ok(frame) = theirs.try_recv() else { break };
                    let number = frame.unwrap().decode().unwrap().check();
                    assert_eq!(Some(number), queued.pop_front());
                }
            }
        }
    }
    assert!(queue.is_empty());
    drop(waiting);
    drop(queue);
    driver.done().unwrap();
}
