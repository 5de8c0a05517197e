//! A frame over the limit is dropped, and nothing is allocated for it.

use datagrammar::{Connection, Limits, RecvError, to_vec};
use datagrammar_tests::datagrams::piece;
use datagrammar_tests::{InMode as _, Numbered, numbered, raw};
use rustix::net::SocketType;

use super::alone;

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

#[test]
fn h32_a_frame_over_the_limit_is_dropped_with_nothing_allocated() {
    let _alone = alone();
    const LIMIT: usize = 10_000;
    let limits = Limits::default().frame_len(LIMIT);
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(limits);
    let frame = |number: u64, len: usize| {
        let mut frame = numbered(number, len - 5, |frame| to_vec(frame)).unwrap();
        frame.resize(len, number as u8);
        frame
    };
    for len in [LIMIT - 1, LIMIT] {
        raw::send(&theirs, &frame(1, len)).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").len(), len);
    }

    // The first receiver's lane holds a frame, so a second receiver makes a lane of its own.
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(limits);
    for len in [LIMIT + 1, 2 * LIMIT, 200_000] {
        raw::send(&theirs, &frame(2, len)).unwrap();
        let mut refused = None;
        let counted = allocation_counter::measure(|| refused = ours.recv().err());
        assert!(counted.bytes_total < 1000, "{counted:?}");
        match refused {
            Some(error @ RecvError::TooLarge { len: told, limit: LIMIT }) => {
                assert_eq!(told, len);
                let text = format!("a frame of {len} bytes exceeds the limit of {LIMIT}");
                assert!(error.to_string().starts_with(&text), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
    raw::send(&theirs, &frame(3, 100)).unwrap();
    assert_eq!(ours.recv().unwrap().expect("the next frame").len(), 100);
}

#[test]
fn h32_the_limit_is_checked_at_the_first_piece() {
    let _alone = alone();
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    ours.rx.set_limits(Limits::default().frame_len(1000));
    for (total, told) in [(1001, 1001), (1 << 63, 1 << 63), (u64::MAX, usize::MAX)] {
        raw::send(&theirs, &piece(1, total, &[7; 900])).unwrap();
        raw::send(&theirs, &piece(2, 900, &[7; 900])).unwrap();
        let mut refused = None;
        let counted = allocation_counter::measure(|| refused = ours.recv().err());
        assert!(counted.bytes_total < 1000, "{counted:?}");
        match refused {
            Some(RecvError::TooLarge { len, limit: 1000 }) => assert_eq!(len, told),
            other => panic!("{other:?}"),
        }
        raw::send(&theirs, &[1, 5, 0]).unwrap();
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
    }
}
