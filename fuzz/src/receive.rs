//! Sends any datagrams to a receiver: nothing panics, and the next good frame arrives.

use datagrammar::{Budget, Connection, Limits, Options, RecvError, Wait, to_vec};

use crate::input::{Input, written};
use crate::messages::{Fields, frames};
use crate::peer::{Peer, bundle, pieces};

type Ours = Connection<Fields<'static>, Fields<'static>>;

const LIMIT: usize = 64 * 1024;

/// Steps of the receiver. All other steps send a datagram.
const TRY: u8 = 0xf0;
const PEEK: u8 = 0xf1;
const OWNED: u8 = 0xf2;

/// Sends datagrams to a receiver that receives in several ways.
pub fn receive(input: &[u8]) {
    let budget = Budget::new().frame_bytes(2 * LIMIT);
    let options = Options::new().limits(Limits::new().frame_len(LIMIT)).budget(&budget);
    let (mut ours, theirs) = Ours::pair_with(&options).expect("a pair");
    let (fd, _) = theirs.into_fd().expect("nobody else holds it");
    let peer = Peer::new(fd);

    let mut input = Input::new(input);
    while let Some(step) = input.byte() {
        match step {
            TRY => _ = drain(&mut ours),
            PEEK => _ = ours.rx.peek_len(Wait::Try),
            OWNED => _ = ours.rx.recv_owned(Wait::Try),
            _ => send(&peer, &mut ours, input.bytes()),
        }
        assert!(budget.bytes_held() <= 2 * LIMIT);
    }
    let last = to_vec(&Fields::Numbers(9, 8, 7, 6, 5, 4, 3, 2)).expect("a value of ours");
    send(&peer, &mut ours, &last);
    assert_eq!(drain(&mut ours), Some(last), "the connection is in step");
    assert_eq!((ours.rx.pending(), budget.bytes_held()), (0, 0));
    drop(peer);
    assert!(matches!(ours.try_recv(), Ok(None)), "the end follows");
}

fn send(peer: &Peer, ours: &mut Ours, datagram: &[u8]) {
    if !peer.send(datagram) {
        drain(ours);
        assert!(peer.send(datagram), "there is room");
    }
}

/// Receives all queued frames. Returns the last one.
fn drain(ours: &mut Ours) -> Option<Vec<u8>> {
    let mut last = None;
    loop {
        match ours.try_recv() {
            Ok(Some(frame)) => {
                assert!(frame.len() <= LIMIT);
                last = Some(frame.bytes().to_vec());
                _ = frame.decode();
            }
            Ok(None) => panic!("the peer has not closed"),
            Err(RecvError::WouldBlock) => return last,
            Err(error) => assert!(!error.is_fatal(), "{error:?}"),
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let frames = frames();
    let alone = frames.iter().map(|frame| written([(0, frame)]));
    let together = written(frames.iter().map(|frame| (0, frame)));
    let bundled = [(0, bundle(&frames)), (PEEK, vec![]), (OWNED, vec![]), (TRY, vec![])];
    let in_pieces = frames.iter().flat_map(|frame| pieces(frame)).map(|piece| (1, piece));
    let in_pieces: Vec<_> = in_pieces.flat_map(|piece| [(PEEK, vec![]), piece]).collect();
    // Steps without a datagram have no bytes.
    let bundled = written_steps(bundled);
    alone.chain([together, bundled, written_steps(in_pieces)]).collect()
}

fn written_steps(steps: impl IntoIterator<Item = (u8, Vec<u8>)>) -> Vec<u8> {
    let steps = steps.into_iter();
    steps
        .flat_map(|(step, bytes)| if step < TRY { written([(step, bytes)]) } else { vec![step] })
        .collect()
}
