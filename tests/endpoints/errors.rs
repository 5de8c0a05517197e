//! Errors: one for all of them, and which of them end an endpoint.

use std::error::Error as _;
use std::io;

use datagrammar::{
    AcceptError, Address, BundleFault, Connection, DecodeError, EncodeError, Error, FragmentFault,
    Limits, MemoryFault, RecvError, SendAllError, SendError, Wait,
};
use datagrammar_tests::{InMode as _, Numbered, numbered, raw};
use rustix::net::SocketType;

use super::kinds::{self, plain};

type Ours = Connection<Numbered<'static>, Numbered<'static>>;

#[test]
fn question_marks_make_one_error_of_all() {
    fn address() -> Result<(), Error> {
        "tcp:nowhere".parse::<Address>()?;
        Ok(())
    }
    fn open() -> Result<(), Error> {
        Ours::connect(&"unix:@datagrammar-test-nobody".parse()?)?;
        Ok(())
    }
    fn recv() -> Result<(), Error> {
        Ours::pair()?.0.try_recv()?;
        Ok(())
    }
    fn send() -> Result<(), Error> {
        let (mut ours, _) = Ours::pair()?;
        numbered(1, 1, |message| ours.send(message))?;
        Ok(())
    }
    fn send_all() -> Result<(), Error> {
        let (mut ours, _) = kinds::Ours::pair()?;
        ours.tx.send_all(&[plain(1, 1)], Wait::Block)?;
        Ok(())
    }
    fn decode() -> Result<(), Error> {
        <Numbered<'_> as datagrammar::Message>::decode(&[9])?;
        Ok(())
    }
    fn encode() -> Result<(), Error> {
        datagrammar::to_vec(&kinds::refused(1))?;
        Ok(())
    }
    fn memory() -> Result<(), Error> {
        Err(MemoryFault::Missing)?
    }
    fn io() -> Result<(), Error> {
        Err(io::Error::from(io::ErrorKind::NotFound))?
    }
    type Case = (fn() -> Result<(), Error>, fn(&Error) -> bool);
    let cases: [Case; 9] = [
        (address, |error| matches!(error, Error::Address(_))),
        (open, |error| matches!(error, Error::Open(_))),
        (recv, |error| matches!(error, Error::Recv(RecvError::WouldBlock))),
        (send, |error| matches!(error, Error::Send(SendError::Disconnected))),
        (send_all, |error| matches!(error, Error::SendAll(SendAllError { sent: 0, .. }))),
        (decode, |error| matches!(error, Error::Decode(DecodeError::UnknownTag(9)))),
        (encode, |error| matches!(error, Error::Encode(EncodeError::Field { .. }))),
        (memory, |error| matches!(error, Error::Memory(MemoryFault::Missing))),
        (io, |error| matches!(error, Error::Io(_))),
    ];
    for (fails, check) in cases {
        let error = fails().unwrap_err();
        assert!(check(&error), "{error:?}");
        // The error displays only the text of its inner error.
        assert!(!error.to_string().is_empty());
    }
    let stopped = send_all().unwrap_err();
    assert_eq!(stopped.to_string(), "0 messages were sent, and the next one was not");
    assert_eq!(stopped.source().unwrap().to_string(), "the peer is gone, or has stopped receiving");
}

#[test]
fn after_an_error_that_is_not_fatal_the_next_frame_comes() {
    let piece = |kind, place: u64, bytes: &[u8]| {
        [&[0, kind, 7, 0, 0, 0][..], &place.to_le_bytes(), bytes].concat()
    };
    type Check = fn(&RecvError) -> bool;
    let cases: [(Vec<Vec<u8>>, Check); 7] = [
        (vec![vec![1; 200]], |error| matches!(error, RecvError::TooLarge { len: 200, limit: 100 })),
        (vec![vec![]], |error| matches!(error, RecvError::Empty)),
        (vec![piece(1, 50, &[1])], |error| {
            matches!(error, RecvError::Incomplete { received: 1, total: 50 })
        }),
        (vec![piece(2, 50, &[1])], |error| {
            matches!(error, RecvError::BadFragment(FragmentFault::Orphan { offset: 50 }))
        }),
        (vec![piece(9, 0, &[1])], |error| {
            matches!(error, RecvError::BadFragment(FragmentFault::Kind(9)))
        }),
        (vec![piece(4, 2, &[])], |error| {
            matches!(error, RecvError::BadBundle(BundleFault::Missing { missing: 2 }))
        }),
        (vec![piece(3, 50, &[])], |error| matches!(error, RecvError::BadFragment(_))),
    ];
    for (datagrams, check) in cases {
        let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
        let mut ours = Ours::adopt(ours).unwrap().in_mode();
        ours.rx.set_limits(Limits::default().frame_len(100));
        for datagram in datagrams.iter().chain([&vec![1, 5, 1, 5]]) {
            raw::send(&theirs, datagram).unwrap();
        }
        let error = ours.recv().unwrap_err();
        assert!(check(&error), "{error:?} for {datagrams:?}");
        assert!(!error.is_fatal(), "{error:?}");
        assert_eq!(ours.recv().unwrap().expect("a frame").decode().unwrap().check(), 5);
    }
}

#[test]
fn what_ends_an_endpoint_is_fatal() {
    assert!(RecvError::Shutdown.is_fatal());
    assert!(RecvError::Io(io::ErrorKind::Other.into()).is_fatal());
    assert!(SendError::Disconnected.is_fatal());
    assert!(SendError::Closed.is_fatal());
    assert!(SendError::Io { len: 1, source: io::ErrorKind::Other.into() }.is_fatal());
    for error in [
        SendError::WouldBlock { len: 1 },
        SendError::TimedOut { len: 1 },
        SendError::Full { len: 1, capacity: 1 },
        SendError::TooLarge { len: 1, max: None },
        SendError::NoDescriptors { count: 1, family: "UDP" },
        SendError::TooManyDescriptors { count: 300, max: 253 },
        SendError::DescriptorsRefused { count: 1 },
        SendError::DescriptorsTaken { count: 1 },
        SendError::Refused,
        SendError::NoAddress,
        SendError::Io { len: 1, source: io::ErrorKind::OutOfMemory.into() },
    ] {
        assert!(!error.is_fatal(), "{error:?}");
    }
    // The same for the umbrella error.
    assert!(Error::from(RecvError::Shutdown).is_fatal());
    assert!(Error::from(SendError::Disconnected).is_fatal());
    assert!(Error::from(AcceptError::Shutdown).is_fatal());
    assert!(Error::from(io::Error::other("a file is full")).is_fatal());
    assert!(!Error::from(RecvError::Empty).is_fatal());
    assert!(!Error::from(SendError::Refused).is_fatal());
    assert!(!Error::from(AcceptError::WouldBlock).is_fatal());
    assert!(!Error::from(DecodeError::Empty).is_fatal());
    // Another destination may be reachable, or this one later.
    for errno in [libc::EACCES, libc::ENETUNREACH, libc::ENETDOWN, libc::EHOSTUNREACH] {
        let error = SendError::Io { len: 1, source: io::Error::from_raw_os_error(errno) };
        assert!(!error.is_fatal(), "{error:?}");
    }
    // Descriptors or memory may suffice later.
    for errno in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM] {
        let error = SendError::Io { len: 1, source: io::Error::from_raw_os_error(errno) };
        assert!(!error.is_fatal(), "{error:?}");
    }
    for error in [RecvError::WouldBlock, RecvError::TimedOut, RecvError::NoMemory { len: 1 }] {
        assert!(!error.is_fatal(), "{error:?}");
    }
}

#[test]
fn a_sender_that_may_not_write_to_the_path_is_told_what_to_do() {
    let texts = [libc::EACCES, libc::EPERM].map(|errno| {
        SendError::Io { len: 1, source: io::Error::from_raw_os_error(errno) }.to_string()
    });
    assert!(texts[0].contains("see the receiver's Options::mode"), "{}", texts[0]);
    assert_eq!(texts[1], "sending a frame of 1 byte failed");
}

#[test]
fn question_marks_make_an_error_of_the_system() {
    fn receive(ours: &mut Ours) -> io::Result<u64> {
        ours.send(&Numbered::Numbered { number: 1, len: 0, body: &[] })?;
        let frame = ours.try_recv()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(frame.decode()?.check())
    }
    let (mut ours, theirs) = Ours::pair().unwrap();
    let error = receive(&mut ours).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert!(matches!(error.downcast(), Ok(RecvError::WouldBlock)));
    let (fd, _) = theirs.into_fd().unwrap();
    raw::send(&fd, &[250]).unwrap();
    let error = receive(&mut ours).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.downcast::<DecodeError>().is_ok());
    drop(fd);
    let error = receive(&mut ours).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(error.to_string(), SendError::Disconnected.to_string());

    let address = || "nowhere".parse::<Address>().unwrap_err();
    let nobody = "unix:@datagrammar-test-nobody-at-all".parse().unwrap();
    let source = || io::Error::from_raw_os_error(libc::EACCES);
    let cases: [(io::Error, io::ErrorKind); 12] = [
        (address().into(), io::ErrorKind::InvalidInput),
        (Ours::connect(&nobody).unwrap_err().into(), io::ErrorKind::ConnectionRefused),
        (AcceptError::Full { max: 1 }.into(), io::ErrorKind::QuotaExceeded),
        (RecvError::Unfinished { received: 1, total: 2 }.into(), io::ErrorKind::Interrupted),
        (RecvError::Io(source()).into(), io::ErrorKind::PermissionDenied),
        (RecvError::BadMemory(MemoryFault::Missing).into(), io::ErrorKind::InvalidData),
        (SendError::Full { len: 1, capacity: 1 }.into(), io::ErrorKind::WouldBlock),
        (SendError::Io { len: 1, source: source() }.into(), io::ErrorKind::PermissionDenied),
        (EncodeError::Empty.into(), io::ErrorKind::InvalidInput),
        (EncodeError::Fd(source()).into(), io::ErrorKind::PermissionDenied),
        (MemoryFault::NotAFrame.into(), io::ErrorKind::InvalidData),
        (Error::from(RecvError::TimedOut).into(), io::ErrorKind::TimedOut),
    ];
    for (error, kind) in cases {
        assert_eq!(error.kind(), kind, "{error:?}");
    }
    // An error of the system keeps its kind.
    assert_eq!(io::Error::from(Error::Io(source())).raw_os_error(), Some(libc::EACCES));
}
