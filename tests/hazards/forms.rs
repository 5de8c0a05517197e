//! Messages sent by any form are received in order by any form.

use std::io::pipe;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::{
    Batch, Connection, Message, OwnedFrame, RecvError, SendAllError, SendError, Sender, Wait,
};
use datagrammar_tests::InMode as _;
use proptest::prelude::*;

/// A message to send: one without descriptors, and one with any number of them.
#[derive(Message, Debug)]
enum Item<'a> {
    #[message(tag = 1)]
    Plain {
        number: u32,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 300)]
    Carrying {
        number: u32,
        #[message(fd)]
        beside: Vec<BorrowedFd<'a>>,
        #[message(rest)]
        body: &'a [u8],
    },
}

/// The same messages on the receiving side.
#[derive(Message, Debug)]
enum Received<'a> {
    #[message(tag = 1)]
    Plain {
        number: u32,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 300)]
    Carrying {
        number: u32,
        #[message(fd)]
        beside: Vec<OwnedFd>,
        #[message(rest)]
        body: &'a [u8],
    },
}

type Theirs = Connection<Item<'static>, Item<'static>>;
type Ours = Connection<Received<'static>, Received<'static>>;

/// The length of a body, and the number of descriptors.
type Plan = (usize, usize);

fn plans() -> impl Strategy<Value = Vec<(u8, Vec<Plan>)>> {
    let len = prop_oneof![
        12 => 0..100_usize,
        4 => 0..20_000_usize,
        2 => 16_300..16_400_usize,
        2 => 160_000..220_000_usize,
        1 => 0..900_000_usize,
    ];
    let plan = (len, prop_oneof![9 => Just(0), 1 => 1..4_usize]);
    prop::collection::vec((0..9_u8, prop::collection::vec(plan, 1..20)), 1..12)
}

/// The body of item `number`.
fn body(number: u32, len: usize) -> Vec<u8> {
    vec![number as u8; len]
}

/// A form of sending.
enum Way {
    Sender(Sender<Item<'static>>),
    Batch(Batch<Item<'static>>),
}

/// Continues after `WouldBlock` when there is room again, like an event loop.
fn persist<T>(
    way: &mut Sender<Item<'static>>,
    mut send: impl FnMut(&mut Sender<Item<'static>>) -> Result<T, SendError>,
) -> T {
    loop {
        match send(way) {
            Ok(done) => return done,
            Err(SendError::WouldBlock { .. }) => thread::sleep(Duration::from_micros(100)),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Sends `items` in one form, and leaves unsent what this kind of form may leave.
fn send(way: Way, form: u8, items: &[Item<'_>]) -> Way {
    let mut sender = match way {
        // Messages in a batch are sent before any others.
        Way::Batch(batch) if form != 8 => {
            batch.into_inner(Wait::Block).map_err(|(_, why)| why).unwrap()
        }
        Way::Batch(mut batch) => {
            for item in items {
                batch.push(item, Wait::Block).unwrap();
            }
            return Way::Batch(batch);
        }
        Way::Sender(sender) => sender,
    };
    let far = Instant::now() + Duration::from_secs(60);
    match form {
        0 => items.iter().for_each(|item| _ = sender.send(item).unwrap()),
        1 => items.iter().for_each(|item| _ = sender.send_deadline(item, far).unwrap()),
        2 => items.iter().for_each(|item| _ = persist(&mut sender, |tx| tx.try_send(item))),
        3 => assert_eq!(sender.send_all(items, Wait::Block).unwrap(), items.len()),
        4 => assert_eq!(sender.send_all(items, Wait::Until(far)).unwrap(), items.len()),
        5 => {
            let mut left = items;
            persist(&mut sender, |tx| {
                tx.send_all(left, Wait::Try).map_err(|SendAllError { sent, error, .. }| {
                    left = &left[sent..];
                    error
                })
            });
        }
        6 => {
            for item in items {
                let frame = OwnedFrame::encode(item).unwrap();
                assert!(sender.send_frame(&frame, Wait::Block).unwrap() == frame.len());
            }
        }
        7 => {
            for item in items {
                let frame = OwnedFrame::encode(item).unwrap();
                persist(&mut sender, |tx| tx.send_frame(&frame, Wait::Try));
            }
            if items.len().is_multiple_of(2) {
                sender.flush(Wait::Block).unwrap();
                assert_eq!(sender.pending(), 0);
            }
        }
        _ => {
            let mut batch = Batch::new(sender);
            for (item, at) in items.iter().zip(1..) {
                batch.push(item, Wait::Block).unwrap();
                if at % 7 == 0 {
                    batch.flush(Wait::Block).unwrap();
                    assert!(batch.is_empty());
                }
            }
            return Way::Batch(batch);
        }
    }
    Way::Sender(sender)
}

/// Returns the next frame, by trying again and again.
fn try_until_there(ours: &mut Ours) -> OwnedFrame<Received<'static>> {
    loop {
        match ours.rx.recv_owned(Wait::Try) {
            Err(RecvError::WouldBlock) => thread::yield_now(),
            tried => return tried.unwrap().expect("a frame"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn what_is_sent_in_any_form_is_received_in_any_form(plans in plans()) {
        let (theirs, ours) = Theirs::pair().unwrap();
        let (sender, _) = theirs.split();
        let ours = Ours::adopt(ours.into_fd().unwrap().0).unwrap().in_mode();
        let expected: Vec<Plan> = plans.iter().flat_map(|(_, plans)| plans).copied().collect();
        thread::scope(|scope| {
            let plans = &plans;
            let sending = scope.spawn(move || {
                let (beside, _) = pipe().unwrap();
                let mut way = Way::Sender(sender);
                let mut number = 0;
                for (form, plans) in plans {
                    let bodies: Vec<_> = (number..).zip(plans).map(|(at, plan)| body(at, plan.0)).collect();
                    let items: Vec<_> = bodies
                        .iter()
                        .zip(plans)
                        .map(|(body, &(_, count))| {
                            number += 1;
                            let number = number - 1;
                            match vec![beside.as_fd(); count] {
                                beside if beside.is_empty() => Item::Plain { number, body },
                                beside => Item::Carrying { number, beside, body },
                            }
                        })
                        .collect();
                    way = send(way, *form, &items);
                }
                match way {
                    Way::Sender(mut sender) => sender.flush(Wait::Block).unwrap(),
                    Way::Batch(mut batch) => _ = batch.flush(Wait::Block).unwrap(),
                }
            });
            // Dropped if this fails, so that the peer does not wait for room.
            let mut ours = ours;
            for (&(len, count), number) in expected.iter().zip(0..) {
                let check = |message: Received<'_>| {
                    let (found, beside, bytes) = match message {
                        Received::Plain { number, body } => (number, vec![], body),
                        Received::Carrying { number, beside, body } => (number, beside, body),
                    };
                    assert_eq!((found, beside.len(), bytes.len()), (number, count, len));
                    assert!(bytes.iter().all(|&byte| byte == number as u8), "{number} is mixed");
                };
                let wait = Wait::Until(Instant::now() + Duration::from_secs(60));
                if number % 5 == 0 {
                    ours.rx.peek_len(wait).unwrap().expect("a frame");
                }
                let mut owned;
                check(match number % 3 {
                    0 => ours.recv().unwrap().expect("a frame").decode().unwrap(),
                    1 => {
                        let far = Instant::now() + Duration::from_secs(60);
                        ours.recv_deadline(far).unwrap().expect("a frame").decode().unwrap()
                    }
                    _ => {
                        owned = try_until_there(&mut ours);
                        owned.decode().unwrap()
                    }
                });
            }
            sending.join().unwrap();
            assert!(ours.recv().unwrap().is_none());
        });
    }
}
