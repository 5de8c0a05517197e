//! Runs both decoders over the same frames, for `.ci/decode-cost` to count their instructions.

mod protocol;

use std::hint::black_box;

fn main() {
    let frames = protocol::frames();
    for _ in 0..10_000 {
        for frame in &frames {
            assert!(black_box(protocol::derived(black_box(frame))).is_ok());
            assert!(black_box(protocol::by_hand(black_box(frame))).is_ok());
        }
    }
}
