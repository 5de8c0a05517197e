//! Runs threads that wait for answers over one connection in every order, as `calls::models` does.

use std::io::IoSlice;
use std::sync::Arc;

use loom::thread;

use super::link::Link;
use crate::calls::frame::Observer;
use crate::calls::protocol::{Answers, Protocol};
use crate::calls::returns::Returns;
use crate::codec::Bincode;
use crate::connection::Connection;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Encoder, Message};
use crate::sys;
use crate::wire::{CallHead, CallKind};

struct Ask;

impl Message for Ask {
    type Borrowed<'f> = Self;

    fn tag(&self) -> u32 {
        1
    }

    fn name(&self) -> &'static str {
        "Ask"
    }

    fn tag_of(_frame: &[u8]) -> Result<u32, DecodeError> {
        Ok(1)
    }

    fn encode<'m>(&'m self, encoder: &mut Encoder<'m>) -> Result<(), EncodeError> {
        encoder.tag::<Bincode>(1)
    }

    fn decode(_frame: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

impl Protocol for Ask {
    const ANSWER_DESCRIPTORS: bool = false;

    fn returns(_tag: u32) -> Returns {
        Returns::unknown()
    }
}

/// Both answers have arrived. If the first thread that leaves has received only its own answer, the other thread must
/// receive. If it has received the other's answer, it must wake the other thread.
#[test]
fn each_thread_gets_its_answer_whichever_thread_receives() {
    for order in [[0, 1], [1, 0]] {
        loom::model(move || {
            let (ours, theirs) = Connection::<Ask, Answers<Ask>>::pair().unwrap();
            let link = Arc::new(Link::new(ours, Observer::default()));
            let ids = [(); 2].map(|()| link.begin(&Ask, false, None).unwrap());
            for at in order {
                let head = CallHead { kind: CallKind::Reply, number: 0, id: ids[at] };
                let answer = [&head.to_bytes()[..], &[1]].concat();
                sys::send(theirs.tx.fd(), &[IoSlice::new(&answer)], &[], None, false).unwrap();
            }
            let threads = ids.map(|id| {
                let link = Arc::clone(&link);
                thread::spawn(move || {
                    let answer = link.wait_for_answer(id, None).unwrap();
                    assert_eq!(answer.head.map(|head| head.id), Some(id));
                })
            });
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(link.in_flight(), 0);
        });
    }
}
