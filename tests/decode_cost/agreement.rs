//! The two decoders whose costs are compared decode alike.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod protocol;

use datagrammar_tests::{Random, seed};
use protocol::{Request, by_hand, derived, frames};

#[test]
fn both_decoders_agree_on_frames_and_on_damaged_ones() {
    let mut random = Random(seed());
    for frame in frames() {
        let Request::Put { name, content } = by_hand(&frame).unwrap() else { panic!() };
        assert_eq!(derived(&frame).unwrap(), Request::Put { name, content });
        for _ in 0..2_000 {
            let mut frame = frame[..frame.len().min(400)].to_vec();
            for _ in 0..1 + random.below(3) {
                let at = random.below(frame.len().min(12) as u64) as usize;
                frame[at] = random.below(256) as u8;
            }
            frame.truncate(random.below(frame.len() as u64 + 1) as usize);
            assert_eq!(derived(&frame).ok(), by_hand(&frame).ok(), "{frame:?}");
        }
    }
}
