//! `fd` fields: the number of descriptors, the other fields in the frame, and the errors.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use datagrammar::{Connection, DecodeError, Descriptors, Message, SendError, to_vec};

#[derive(Message, Debug)]
enum Parcel<'a> {
    #[message(tag = 1)]
    One {
        before: &'a str,
        #[message(fd)]
        file: File,
        after: u16,
    },
    #[message(tag = 2)]
    Maybe(#[message(fd)] Option<UnixStream>),
    #[message(tag = 3)]
    Many(#[message(fd)] Vec<OwnedFd>, #[message(rest)] &'a [u8]),
    #[message(tag = 4)]
    Mixed {
        #[message(fd)]
        first: OwnedFd,
        #[message(fd)]
        maybe: Option<OwnedFd>,
        #[message(fd)]
        many: Vec<OwnedFd>,
        #[message(fd)]
        last: OwnedFd,
    },
    #[message(tag = 5)]
    None { text: String },
    #[message(tag = 6, extensible)]
    Lenient,
    #[message(tag = 7)]
    Grown(u8, #[message(fd, default)] Option<OwnedFd>, #[message(fd, default)] Vec<OwnedFd>),
    #[message(other)]
    Unknown(datagrammar::Unknown<'a>),
}

/// The same with borrowed descriptors, which can only be sent.
#[derive(Message)]
enum Lent<'a> {
    #[message(tag = 1)]
    One {
        before: &'a str,
        #[message(fd)]
        file: BorrowedFd<'a>,
        after: u16,
    },
    #[message(tag = 3)]
    Many(#[message(fd)] Vec<BorrowedFd<'a>>, #[message(rest)] &'a [u8]),
}

type Pair =
    (Connection<Parcel<'static>, Parcel<'static>>, Connection<Parcel<'static>, Parcel<'static>>);

fn pair() -> Pair {
    Connection::pair().unwrap()
}

/// Returns an open file with `text` in it.
fn file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

fn text(fd: OwnedFd) -> String {
    let mut text = String::new();
    let mut file = File::from(fd);
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

fn files(texts: &[&str]) -> Vec<OwnedFd> {
    texts.iter().map(|text| file(text).into()).collect()
}

#[test]
fn one_arrives_as_its_type() {
    let (mut ours, mut theirs) = pair();
    ours.send(&Parcel::One { before: "b", file: file("content"), after: 9 }).unwrap();
    let frame = theirs.recv().unwrap().unwrap();
    assert_eq!((frame.descriptor_count(), frame.bytes()), (1, &[1, 1, b'b', 9][..]));
    let Parcel::One { before: "b", file, after: 9 } = frame.decode().unwrap() else { panic!() };
    assert_eq!(text(file.into()), "content");
}

#[test]
fn an_option_is_there_or_not() {
    let (mut ours, mut theirs) = pair();
    let (mut left, right) = UnixStream::pair().unwrap();
    ours.send(&Parcel::Maybe(Some(right))).unwrap();
    ours.send(&Parcel::Maybe(None)).unwrap();

    let frame = theirs.recv().unwrap().unwrap();
    assert_eq!(frame.bytes(), [2, 1]);
    let Parcel::Maybe(Some(mut stream)) = frame.decode().unwrap() else { panic!() };
    left.write_all(b"hello").unwrap();
    let mut bytes = [0; 5];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"hello");

    let frame = theirs.recv().unwrap().unwrap();
    assert_eq!((frame.descriptor_count(), frame.bytes()), (0, &[2, 0][..]));
    assert!(matches!(frame.decode().unwrap(), Parcel::Maybe(None)));
}

#[test]
fn several_keep_their_order() {
    let (mut ours, mut theirs) = pair();
    let message = Parcel::Mixed {
        first: file("first").into(),
        maybe: Some(file("maybe").into()),
        many: files(&["0", "1", "2"]),
        last: file("last").into(),
    };
    ours.send(&message).unwrap();
    let frame = theirs.recv().unwrap().unwrap();
    assert_eq!((frame.descriptor_count(), frame.bytes()), (6, &[4, 1, 3][..]));
    let Parcel::Mixed { first, maybe, many, last } = frame.decode().unwrap() else { panic!() };
    assert_eq!(text(first), "first");
    assert_eq!(text(maybe.unwrap()), "maybe");
    assert_eq!(many.into_iter().map(text).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(text(last), "last");
}

#[test]
fn as_many_travel_as_the_kernel_lets() {
    let (mut ours, mut theirs) = pair();
    let file = file("shared");
    for count in [0, 1, 252, 253] {
        let many = (0..count).map(|_| file.try_clone().unwrap().into()).collect();
        ours.send(&Parcel::Many(many, b"rest")).unwrap();
        let frame = theirs.recv().unwrap().unwrap();
        assert_eq!(frame.descriptor_count(), count);
        let Parcel::Many(many, b"rest") = frame.decode().unwrap() else { panic!() };
        assert_eq!(many.len(), count);
    }
    let many = (0..254).map(|_| file.try_clone().unwrap().into()).collect();
    let error = ours.send(&Parcel::Many(many, b"rest")).unwrap_err();
    assert!(matches!(error, SendError::TooManyDescriptors { count: 254, max: 253 }), "{error:?}");
    assert!(theirs.try_recv().is_err());
}

#[test]
fn borrowed_ones_are_sent_and_not_received() {
    let (ours, theirs) = pair();
    let mut ours =
        Connection::<Lent<'static>, Lent<'static>>::adopt(ours.into_fd().unwrap().0).unwrap();
    let mut theirs = theirs;
    let file = file("lent");
    ours.send(&Lent::One { before: "b", file: file.as_fd(), after: 1 }).unwrap();
    ours.send(&Lent::Many(vec![file.as_fd(), file.as_fd()], b"")).unwrap();
    let frame = theirs.recv().unwrap().unwrap();
    let Parcel::One { file: received, .. } = frame.decode().unwrap() else { panic!() };
    assert_eq!(text(received.into()), "lent");
    let frame = theirs.recv().unwrap().unwrap();
    assert!(matches!(frame.decode().unwrap(), Parcel::Many(many, b"") if many.len() == 2));

    theirs.send(&Parcel::One { before: "b", file, after: 1 }).unwrap();
    let error = ours.recv().unwrap().unwrap().decode().err().unwrap();
    assert!(matches!(error, DecodeError::BorrowedFd("One.file")), "{error:?}");
}

#[test]
fn standard_sockets_travel_as_what_they_are() {
    #[derive(Message)]
    #[message(tag = 1)]
    struct Sockets {
        #[message(fd)]
        stream: TcpStream,
        #[message(fd)]
        listeners: Vec<TcpListener>,
        #[message(fd)]
        udp: Option<UdpSocket>,
        #[message(fd)]
        datagram: UnixDatagram,
        #[message(fd)]
        listener: UnixListener,
    }

    let (mut ours, mut theirs) = Connection::<Sockets, Sockets>::pair().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("listener");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let sockets = Sockets {
        stream: TcpStream::connect(address).unwrap(),
        listeners: vec![tcp],
        udp: Some(UdpSocket::bind("127.0.0.1:0").unwrap()),
        datagram: UnixDatagram::unbound().unwrap(),
        listener: UnixListener::bind(&path).unwrap(),
    };
    ours.send(&sockets).unwrap();
    let received = theirs.recv().unwrap().unwrap().decode().unwrap();
    assert_eq!(received.stream.peer_addr().unwrap(), address);
    assert_eq!(received.listeners[0].local_addr().unwrap(), address);
    let udp = (received.udp.unwrap().local_addr(), sockets.udp.unwrap().local_addr());
    assert_eq!(udp.0.unwrap(), udp.1.unwrap());
    assert!(received.datagram.local_addr().unwrap().is_unnamed());
    assert_eq!(received.listener.local_addr().unwrap().as_pathname(), Some(path.as_path()));
}

#[test]
fn an_older_sender_lacks_the_last_ones() {
    let decoded = Parcel::decode(&[7, 5]).unwrap();
    assert!(matches!(decoded, Parcel::Grown(5, None, many) if many.is_empty()));
    let mut one = Descriptors::from(files(&["a"]));
    let decoded = Parcel::decode_with(&[7, 5, 1], &mut one).unwrap();
    assert!(matches!(decoded, Parcel::Grown(5, Some(_), many) if many.is_empty()));
}

#[test]
fn h14_the_declared_number_is_the_received_one() {
    let table: &[(&[u8], usize, usize)] = &[
        // A frame, how many descriptors come with it, and how many it declares.
        (&[1, 0, 0], 0, 1),
        (&[1, 0, 0], 2, 1),
        (&[2, 1], 0, 1),
        (&[2, 0], 1, 0),
        (&[2, 1], 2, 1),
        (&[3, 3], 2, 3),
        (&[3, 3], 4, 3),
        (&[3, 0], 1, 0),
        (&[4, 1, 3], 5, 6),
        (&[4, 1, 3], 7, 6),
        (&[5, 0], 1, 0),
        (&[7, 0], 1, 0),
    ];
    for &(frame, came, wanted) in table {
        let mut descriptors = Descriptors::from(files(&vec!["x"; came]));
        let error = Parcel::decode_with(frame, &mut descriptors).unwrap_err();
        let DecodeError::FdCount { declared, received } = error else { panic!("{error:?}") };
        assert_eq!((declared, received), (wanted, came), "{frame:?}");
    }
    // A claimed count that exceeds all memory takes none.
    let huge = [&[3, 253][..], &u64::MAX.to_le_bytes()].concat();
    let mut descriptors = Descriptors::from(files(&["x"]));
    let error = Parcel::decode_with(&huge, &mut descriptors).unwrap_err();
    assert!(matches!(error, DecodeError::FdCount { declared: usize::MAX, received: 1 }));
    // The presence of a descriptor is the byte 0 or 1.
    let error = Parcel::decode(&[2, 7]).unwrap_err();
    assert!(error.to_string().contains("0 or 1"), "{error}");
}

#[test]
fn what_is_not_declared_is_tolerated_where_bytes_are() {
    let mut extra = Descriptors::from(files(&["x", "y"]));
    assert!(matches!(Parcel::decode_with(&[6], &mut extra).unwrap(), Parcel::Lenient));
    assert_eq!(extra.len(), 2);
    let unknown = Parcel::decode_with(&[99, 1], &mut extra).unwrap();
    assert!(matches!(unknown, Parcel::Unknown(unknown) if unknown.tag() == 99));
}

#[test]
fn a_frame_holds_the_bytes_alone() {
    let parcel = Parcel::One { before: "b", file: file(""), after: 300 };
    assert_eq!(to_vec(&parcel).unwrap(), [1, 1, b'b', 251, 44, 1]);
    let none = Parcel::None { text: String::new() };
    assert_eq!(to_vec(&none).unwrap(), [5, 0]);
}

#[test]
fn a_type_says_whether_it_has_any() {
    #[derive(Message)]
    #[message(tag = 1)]
    struct Plain(u8);

    const { assert!(Parcel::DESCRIPTORS && Lent::DESCRIPTORS && !Plain::DESCRIPTORS) }
}
