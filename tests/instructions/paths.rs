//! The paths of a message. Each function is called for one message, or for 32 where it says so.

use std::hint::black_box;

use datagrammar::{Connection, Message, to_vec};

/// A message as they often are: a number and some bytes.
#[derive(Message)]
pub(crate) enum Sample<'a> {
    #[message(tag = 1)]
    Sample { seq: u64, payload: &'a [u8] },
}

pub(crate) type Ours = Connection<Sample<'static>, Sample<'static>>;

#[inline(never)]
pub(crate) fn encode(sample: &Sample<'_>) {
    black_box(to_vec(sample).unwrap());
}

#[inline(never)]
pub(crate) fn decode(frame: &[u8]) {
    black_box(Sample::decode(black_box(frame)).unwrap());
}

#[inline(never)]
pub(crate) fn send(sender: &mut Ours, sample: &Sample<'_>) {
    sender.send(sample).unwrap();
}

/// 32 messages.
#[inline(never)]
pub(crate) fn send_all(sender: &mut Ours, samples: &[Sample<'_>]) {
    sender.send_all(samples).unwrap();
}

/// One that has come alone.
#[inline(never)]
pub(crate) fn receive_one(receiver: &mut Ours) {
    take(receiver);
    // Or else the linker takes this function and the next one for the same.
    black_box(1);
}

/// One by one, after a peek.
#[inline(never)]
pub(crate) fn receive_peeked(receiver: &mut Ours) {
    take(receiver);
    black_box(2);
}

/// 32 that have come together.
#[inline(never)]
pub(crate) fn receive_flood(receiver: &mut Ours, count: usize) {
    for _ in 0..count {
        take(receiver);
    }
}

/// 32 that are handed over together.
pub(crate) fn receive_batch(sender: &mut Ours, receiver: &mut Ours, samples: &[Sample<'_>]) {
    sender.send_all(samples).unwrap();
    let mut left = samples.len();
    while left > 0 {
        left -= take_batch(receiver);
    }
}

#[inline(never)]
fn take_batch(receiver: &mut Ours) -> usize {
    let frames = receiver.recv_batch().unwrap().unwrap();
    let mut count = 0;
    for frame in frames {
        black_box(frame.decode().unwrap());
        count += 1;
    }
    count
}

#[inline(always)]
fn take(receiver: &mut Ours) {
    black_box(receiver.recv().unwrap().unwrap().decode().unwrap());
}
