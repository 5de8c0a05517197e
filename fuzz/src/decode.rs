//! Decoding never panics, and what was decoded can be sent.

use datagrammar::{EncodeError, Message, to_vec};

use crate::messages::{Calls, Fields, Refused, Strict, Text, frames};

/// Decodes a frame as each of the messages.
pub fn decode(frame: &[u8]) {
    check::<Fields<'static>>(frame);
    check::<Strict>(frame);
    check::<Calls<'static>>(frame);
    check::<Text<'static>>(frame);
    check::<Refused>(frame);
}

/// A decoded message is encoded, and that decoded and encoded again. Both encodings are the same: a frame can have
/// longer numbers than necessary, or what a newer sender appends, but what we send has neither.
fn check<M: Message>(frame: &[u8]) {
    _ = M::tag_of(frame);
    let Ok(message) = M::decode(frame) else { return };
    let sent = match to_vec(&message) {
        Ok(sent) => sent,
        // An unknown variant that was dropped.
        Err(EncodeError::UnknownTag(_)) => return,
        Err(error) => panic!("what was decoded cannot be encoded: {error:?}"),
    };
    let again = M::decode(&sent).expect("what was sent can be decoded");
    assert_eq!(to_vec(&again).expect("what was sent can be sent again"), sent);
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    frames()
}
