//! Walks the paths of a message, so that the instructions of each can be counted: see `.ci/instructions`.
#![allow(clippy::unwrap_used, reason = "a panic is how this fails")]

mod paths;

use datagrammar::Message as _;
use paths::{Ours, Sample};

/// How many messages take each path.
const MESSAGES: usize = 32 * 100;

fn main() {
    let (mut sender, mut receiver) = Ours::pair().unwrap();
    let payload = [7; 100];
    let samples: Vec<Sample<'_>> =
        (0..MESSAGES as u64).map(|seq| Sample::Sample { seq, payload: &payload }).collect();
    // Whatever happens at first is no part of a path.
    for _ in 0..2 {
        sender.send_all(samples.iter().take(32)).unwrap();
        paths::receive_flood(&mut receiver, 32);
    }
    let frame = datagrammar::to_vec(samples.last().unwrap()).unwrap();
    for sample in &samples {
        paths::encode(sample);
        paths::decode(&frame);
    }
    for some in samples.chunks(32) {
        paths::send_all(&mut sender, some);
        paths::receive_flood(&mut receiver, some.len());
        paths::receive_batch(&mut sender, &mut receiver, some);
    }
    for sample in &samples {
        paths::send(&mut sender, sample);
        paths::receive_one(&mut receiver);
    }
    receiver.set_limits(datagrammar::Limits::default().batch(1));
    for sample in &samples {
        sender.send(sample).unwrap();
        paths::receive_peeked(&mut receiver);
    }
    assert!(Sample::decode(&frame).is_ok());
    println!("{MESSAGES}");
}
