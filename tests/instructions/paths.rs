//! The paths of a message. Each function is called for one message, or for 32 if it says so.

use std::hint::black_box;

use datagrammar::{Connection, Message, Wait, to_vec};

/// A typical message: a number and some bytes.
#[derive(Message)]
pub(crate) enum Sample<'a> {
    #[message(tag = 1)]
    Sample { seq: u64, payload: &'a [u8] },
}

pub(crate) type Ours = Connection<Sample<'static>, Sample<'static>>;

#[inline(never)]
pub(crate) fn path_encode(sample: &Sample<'_>) {
    black_box(to_vec(sample).unwrap());
}

#[inline(never)]
pub(crate) fn path_decode(frame: &[u8]) {
    black_box(Sample::decode(black_box(frame)).unwrap());
}

#[inline(never)]
pub(crate) fn path_send(sender: &mut Ours, sample: &Sample<'_>) {
    sender.send(sample).unwrap();
}

/// Sends 32 messages as one bundle.
#[inline(never)]
pub(crate) fn path_send_all(sender: &mut Ours, samples: &[Sample<'_>]) {
    sender.tx.send_all(samples, Wait::Block).unwrap();
}

/// Receives one of several queued frames: a read.
#[inline(never)]
pub(crate) fn path_receive_one(receiver: &mut Ours) {
    receive(receiver);
    // Distinct constants keep the compiler from merging functions that are otherwise alike.
    black_box(1);
}

/// Receives one frame after the queue was found empty: a peek and a read.
#[inline(never)]
pub(crate) fn path_receive_waited(receiver: &mut Ours) {
    receive(receiver);
    black_box(2);
}

/// Receives 32 frames from one bundle.
#[inline(never)]
pub(crate) fn path_bundle(receiver: &mut Ours, count: usize) {
    for _ in 0..count {
        receive(receiver);
    }
}

#[inline(always)]
fn receive(receiver: &mut Ours) {
    black_box(receiver.recv().unwrap().unwrap().decode().unwrap());
}
