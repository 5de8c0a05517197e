//! Sizes: at the socket's ceiling, at the limit, and below the smallest frame.

use datagrammar::{
    Address, Connection, Limits, Message, Options, RecvError, SendError, Socket, Wait, to_vec,
};
use datagrammar_tests::{InMode as _, Numbered, numbered, raw};
use rustix::net::{SocketType, sockopt};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;
type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

/// The frame's bytes before the body, for bodies over 65,535 bytes and numbers below 251.
const HEADER: usize = 1 + 1 + 5;

/// The longest frame that travels as one datagram: the number in the refusal of a longer one.
fn ceiling(mut send: impl FnMut(usize) -> Result<usize, SendError>) -> usize {
    match send(50_000_000) {
        Err(SendError::TooLarge { len, max: Some(max) }) => {
            assert_eq!(len, 50_000_000 + HEADER);
            max
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn h19_at_the_ceiling_of_a_connection() {
    let (mut theirs, mut ours) = Ours::pair().unwrap().in_mode();
    // net/unix/af_unix.c keeps 32 bytes of the send buffer for itself.
    let max = sockopt::socket_send_buffer_size(&theirs).unwrap() - 32;
    for len in [max - 1, max] {
        assert_eq!(numbered(7, len - HEADER, |frame| theirs.try_send(frame)).unwrap(), len);
        let frame = ours.recv().unwrap().expect("a frame");
        assert_eq!(frame.len(), len);
        assert_eq!(frame.decode().unwrap().check(), 7);
    }
    assert_eq!(theirs.tx.pending(), 0);
    // A longer frame travels in pieces, and the rest is kept.
    for len in [2 * max, 5 * max] {
        assert_eq!(numbered(7, len - HEADER, |frame| theirs.try_send(frame)).unwrap(), len);
        let pending = theirs.tx.pending();
        assert!(pending > 0 && pending < len, "{pending} of {len}");
        assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(len));
        while theirs.tx.pending() > 0 {
            assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
            match theirs.tx.flush(Wait::Try) {
                Ok(()) => {}
                Err(SendError::WouldBlock { len: told }) => assert_eq!(told, len),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 7);
    }
    assert!(matches!(ours.try_recv(), Err(RecvError::WouldBlock)));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for len in [max + 1, max + 2, 2 * max, 3 * 32_768, 50_000_000 + HEADER] {
                let sent = numbered(7, len - HEADER, |frame| theirs.send(frame)).unwrap();
                assert_eq!(sent, len);
            }
        });
        ours.rx.set_limits(Limits::default().frame_len(usize::MAX));
        for len in [max + 1, max + 2, 2 * max, 3 * 32_768, 50_000_000 + HEADER] {
            assert_eq!(ours.rx.peek_len(Wait::Block).unwrap(), Some(len));
            let frame = ours.recv().unwrap().expect("a frame");
            assert_eq!(frame.len(), len);
            assert_eq!(frame.decode().unwrap().check(), 7);
        }
    });
}

#[test]
fn h19_at_the_ceiling_of_udp() {
    // UNIX sockets have no maximum: larger frames travel in memory.
    for address in ["udp:127.0.0.1:0", "udp:[::1]:0"] {
        let mut ours = OursAlone::bind(&address.parse().unwrap()).unwrap();
        let to = ours.local_addr().unwrap();
        let mut theirs = OursAlone::unbound(&to).unwrap();
        let max = ceiling(|len| numbered(7, len, |frame| theirs.send_to(frame, &to)));
        for len in [max - 1, max] {
            assert_eq!(
                numbered(7, len - (HEADER - 2), |frame| theirs.send_to(frame, &to)).unwrap(),
                len
            );
            let (frame, _) = ours.recv_from().unwrap();
            assert_eq!(frame.len(), len, "{to}");
            assert_eq!(frame.decode().unwrap().check(), 7);
        }
        let over = numbered(7, max, |frame| theirs.send_to(frame, &to)).unwrap_err();
        assert!(matches!(over, SendError::TooLarge { max: Some(told), .. } if told == max), "{to}");
    }
}

#[test]
fn h32_limits_hold_for_sockets_by_themselves() {
    let options = Options::new().limits(Limits::default().frame_len(100));
    let mut ours = OursAlone::bind_with(&"udp:127.0.0.1:0".parse().unwrap(), &options).unwrap();
    let to: Address = ours.local_addr().unwrap();
    let mut theirs = OursAlone::unbound(&to).unwrap();
    for (number, len) in [(1, 10), (2, 5_000), (3, 10)] {
        numbered(number, len, |frame| theirs.send_to(frame, &to)).unwrap();
    }
    assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), 1);
    assert!(matches!(ours.recv_from(), Err(RecvError::TooLarge { limit: 100, .. })));
    assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), 3);
}

#[test]
fn h37_frames_shorter_than_any_header_are_errors() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let mut ours = Ours::adopt(ours).unwrap().in_mode();
    let whole = numbered(300, 70_000, |frame| to_vec(frame)).unwrap();
    // The number and the length take several bytes each, so that every truncation is at a new position.
    for len in 1..10 {
        raw::send(&theirs, &whole[..len]).unwrap();
        let frame = ours.recv().unwrap().expect("a frame");
        assert_eq!(frame.len(), len);
        let decoded = frame.decode();
        // From the ninth byte on, the frame has its whole header, and the body is the rest of the frame.
        assert_eq!(decoded.is_ok(), len >= 9, "{len}: {decoded:?}");
    }
    // Every single byte as a frame of its own.
    for byte in 0..=u8::MAX {
        raw::send(&theirs, &[byte]).unwrap();
        match ours.recv() {
            Ok(frame) => assert!(frame.expect("a frame").decode().is_err(), "{byte}"),
            // Tag 0 is reserved for the runtime.
            Err(RecvError::BadFragment(_)) => assert_eq!(byte, 0),
            Err(other) => panic!("{byte}: {other:?}"),
        }
    }
    raw::send(&theirs, &to_vec(&Numbered::Numbered { number: 1, len: 0, body: &[] }).unwrap())
        .unwrap();
    assert_eq!(ours.recv().unwrap().expect("still in step").decode().unwrap().check(), 1);
    assert_eq!(Numbered::decode(&whole).unwrap().check(), 300);
}
