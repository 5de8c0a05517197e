//! Walks the paths of a message, so that the instructions of each can be counted: see `.ci/instructions`.
#![allow(clippy::unwrap_used, reason = "a panic is how this fails")]

mod paths;

use datagrammar::{Message as _, RecvError};
use paths::{Ours, Sample};

/// How many messages take each path.
const MESSAGES: usize = 32 * 100;

fn main() {
    let (mut sender, mut receiver) = Ours::pair().unwrap();
    let payload = [7; 100];
    let samples: Vec<Sample<'_>> =
        (0..MESSAGES as u64).map(|seq| Sample::Sample { seq, payload: &payload }).collect();
    // The first messages set up what later ones use. They take no path.
    for sample in samples.iter().take(64) {
        sender.send(sample).unwrap();
        receiver.recv().unwrap().unwrap().decode().unwrap();
    }
    let frame = datagrammar::to_vec(samples.last().unwrap()).unwrap();
    for sample in &samples {
        paths::path_encode(sample);
        paths::path_decode(&frame);
    }
    for some in samples.chunks(32) {
        paths::path_send_all(&mut sender, some);
        paths::path_bundle(&mut receiver, some.len());
    }
    for some in samples.chunks(32) {
        some.iter().for_each(|sample| paths::path_send(&mut sender, sample));
        some.iter().for_each(|_| paths::path_receive_one(&mut receiver));
    }
    for sample in &samples {
        assert!(matches!(receiver.try_recv(), Err(RecvError::WouldBlock)));
        sender.send(sample).unwrap();
        paths::path_receive_waited(&mut receiver);
    }
    assert!(Sample::decode(&frame).is_ok());
    println!("{MESSAGES}");
}
