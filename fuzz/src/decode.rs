//! Decodes any bytes: nothing panics, and every decoded message can be sent.

use datagrammar::{EncodeError, Message, to_vec};

use crate::messages::{Calls, Fields, Refused, Strict, Text, frames};

/// Decodes a frame as each of the message types.
pub fn decode(frame: &[u8]) {
    check::<Fields<'static>>(frame);
    check::<Strict>(frame);
    check::<Calls<'static>>(frame);
    check::<Text<'static>>(frame);
    check::<Refused>(frame);
}

/// Encodes the decoded message, then decodes and encodes the result. Both encodings must be equal. The input may differ:
/// it may have longer numbers than necessary, or fields of a newer sender.
fn check<M: Message>(frame: &[u8]) {
    _ = M::tag_of(frame);
    let Ok(message) = M::decode(frame) else { return };
    let sent = match to_vec(&message) {
        Ok(sent) => sent,
        // An unknown message, whose bytes were dropped.
        Err(EncodeError::UnknownTag(_)) => return,
        Err(error) => panic!("a decoded message cannot be encoded: {error:?}"),
    };
    let again = M::decode(&sent).expect("an encoded message can be decoded");
    assert_eq!(to_vec(&again).expect("the same message can be encoded again"), sent);
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    frames()
}
