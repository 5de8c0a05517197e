//! Memory from a peer: sealed or not, as long as announced or not, and with holes.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixDatagram;

use datagrammar::{
    Address, Connection, DecodeError, FragmentFault, Limits, MemoryFault, Message, Options,
    RecvError, SendError, SharedBytes, Socket, Wait,
};
use datagrammar_tests::datagrams::{bundle, head, pieces};
use datagrammar_tests::{Directory, InMode as _, Numbered, numbered, raw, skipped};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

type OursAlone = Socket<Numbered<'static>, Numbered<'static>>;

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Shared {
    #[message(fd)]
    bytes: SharedBytes,
}

#[derive(Message, Debug)]
#[message(tag = 1)]
struct Sent<'a> {
    #[message(fd)]
    bytes: BorrowedFd<'a>,
}

const ALL: [SealFlags; 4] = [SealFlags::SEAL, SealFlags::SHRINK, SealFlags::GROW, SealFlags::WRITE];

/// A memory file of `len` bytes, the first `filled` of which are written, with the seals whose bits are in `chosen`.
fn memory(len: u64, filled: usize, chosen: usize) -> OwnedFd {
    let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    let mut file = File::from(fd);
    file.write_all(&vec![7; filled]).unwrap();
    ftruncate(&file, len).unwrap();
    // The seal against further seals comes last.
    for bit in [1, 2, 3, 0] {
        if chosen >> bit & 1 == 1 {
            fcntl_add_seals(&file, ALL[bit]).unwrap();
        }
    }
    file.into()
}

/// Everything that a sender may pass instead of sealed memory, and the missing seals.
fn unsealed() -> Vec<(OwnedFd, i32)> {
    let mut all: Vec<_> =
        (0..15).map(|chosen| (memory(100, 100, chosen), 15 & !(chosen as i32))).collect();
    let future = memory(100, 100, 7);
    fcntl_add_seals(&future, SealFlags::FUTURE_WRITE).unwrap_err();
    let future = memory(100, 100, 6);
    fcntl_add_seals(&future, SealFlags::FUTURE_WRITE | SealFlags::SEAL).unwrap();
    all.push((future, 8));
    all.push((File::open("/proc/version").unwrap().into(), 15));
    all.push((UnixDatagram::unbound().unwrap().into(), 15));
    all.push((std::io::pipe().unwrap().0.into(), 15));
    all
}

#[test]
fn h30_shared_bytes_are_refused_unless_every_seal_is_there() {
    let (mut ours, theirs) = Connection::<Sent<'static>, Sent<'static>>::pair().unwrap().in_mode();
    let fd = theirs.into_fd().unwrap().0;
    let mut theirs = Connection::<Shared, Shared>::adopt(fd).unwrap().in_mode();
    for (memory, expected) in unsealed() {
        ours.send(&Sent { bytes: memory.as_fd() }).unwrap();
        let error = theirs.recv().unwrap().unwrap().decode().unwrap_err();
        let DecodeError::Fd { field: "Shared.bytes", source } = error else { panic!("{error:?}") };
        let fault = source.downcast_ref::<MemoryFault>();
        assert!(matches!(fault, Some(MemoryFault::Unsealed { missing }) if *missing == expected));
        match SharedBytes::try_from(memory) {
            Err(MemoryFault::Unsealed { missing }) => assert_eq!(missing, expected),
            other => panic!("{other:?}"),
        }
    }
    ours.send(&Sent { bytes: memory(100, 100, 15).as_fd() }).unwrap();
    let shared = theirs.recv().unwrap().unwrap().decode().unwrap();
    assert_eq!(*shared.bytes, [7; 100]);
}

#[test]
fn h31_shared_bytes_are_refused_if_their_sender_has_not_paid_for_them() {
    const SPARSE: u64 = 1 << 30;
    match SharedBytes::try_from(memory(SPARSE, 10, 15)) {
        Err(MemoryFault::Sparse { len: SPARSE, filled }) => assert!(filled < 1 << 21),
        other => panic!("{other:?}"),
    }
}

#[test]
fn h30_memory_of_huge_pages_is_refused_though_it_is_sealed_and_tells_no_holes() {
    /// HUGETLBFS_MAGIC (statfs(2)).
    const HUGETLBFS: u64 = 0x9584_58f6;
    const LEN: u64 = 1 << 21;
    // Neither creating nor sealing takes a huge page, so the system need not have any.
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::HUGETLB;
    let huge = memfd_create("test", flags | MemfdFlags::HUGE_2MB).map(File::from);
    let huge = match huge.and_then(|huge| ftruncate(&huge, LEN).map(|()| huge)) {
        Ok(huge) => huge,
        Err(error) => return skipped(format!("no memory files of huge pages: {error}")),
    };
    fcntl_add_seals(&huge, ALL.into_iter().collect()).unwrap();
    // This is why such memory must be refused: no page was written, but it reports no hole, and can be read.
    let hole = rustix::fs::seek(&huge, rustix::fs::SeekFrom::Hole(0)).unwrap();
    let mut bytes = [1; 10];
    assert_eq!((hole, huge.read_at(&mut bytes, 0).unwrap(), bytes), (LEN, 10, [0; 10]));

    let directory = Directory::new();
    let to = directory.address("socket");
    let mut ours = OursAlone::bind(&to).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    theirs.connect(directory.path().join("socket")).unwrap();
    let envelope = head(3, 0, LEN);
    raw::send_with(&theirs, &envelope, &[&[huge.as_fd()]]).unwrap();
    match ours.recv_from() {
        Err(RecvError::BadMemory(MemoryFault::Backing { found: HUGETLBFS })) => {}
        other => panic!("{other:?}"),
    }
    match SharedBytes::try_from(OwnedFd::from(huge)) {
        Err(error @ MemoryFault::Backing { found: HUGETLBFS }) => assert_eq!(
            error.to_string(),
            "the memory is in a file system of type 0x958458f6, not in tmpfs: \
             use memfd_create without MFD_HUGETLB",
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn h31_what_was_allocated_past_the_end_is_no_payment() {
    let fd = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
    ftruncate(&fd, 1 << 20).unwrap();
    let past_the_end = rustix::fs::FallocateFlags::KEEP_SIZE;
    rustix::fs::fallocate(&fd, past_the_end, 1 << 20, 1 << 20).unwrap();
    fcntl_add_seals(&fd, ALL.into_iter().collect()).unwrap();
    match SharedBytes::try_from(fd) {
        Err(MemoryFault::Sparse { len: 0x10_0000, filled: 0 }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn shared_bytes_arrive_as_they_are_and_can_be_passed_on() {
    let (mut ours, mut theirs) = Connection::<Shared, Shared>::pair().unwrap().in_mode();
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|at| (at % 251) as u8).collect();
    for len in [0, 1, 4096, 4097, 10_000_000] {
        ours.send(&Shared { bytes: SharedBytes::new(&bytes[..len]).unwrap() }).unwrap();
        let there = theirs.recv().unwrap().unwrap().decode().unwrap();
        assert!(*there.bytes == bytes[..len]);
        theirs.send(&there).unwrap();
        drop(there);
        let back = ours.recv().unwrap().unwrap().decode().unwrap();
        assert!(*back.bytes == bytes[..len]);
        // No process can change them.
        let mut file = File::from(back.bytes.as_fd().try_clone_to_owned().unwrap());
        assert!(file.write_all(b"x").is_err() && file.set_len(len as u64 + 1).is_err());
    }
    // Holes are filled before other processes see them.
    let holes = SharedBytes::with(|file| file.set_len(1 << 20)).unwrap();
    ours.send(&Shared { bytes: holes }).unwrap();
    assert_eq!(theirs.recv().unwrap().unwrap().decode().unwrap().bytes.len(), 1 << 20);
}

#[test]
fn h19_a_large_frame_on_a_unix_datagram_socket_travels_as_memory() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let limits = Limits::default().frame_len(20_000_000);
    let mut ours = OursAlone::bind_with(&to, &Options::new().limits(limits)).unwrap();
    let mut theirs = OursAlone::bind(&directory.address("theirs")).unwrap();
    for (number, len) in [(1, 10), (2, 212_000), (3, 213_000), (4, 15_000_000), (5, 10)] {
        let sent = numbered(number, len, |frame| theirs.send_to(frame, &to)).unwrap();
        let (frame, from) = ours.recv_from().unwrap();
        assert_eq!((frame.len(), from), (sent, directory.address("theirs")));
        assert_eq!((frame.descriptor_count(), frame.decode().unwrap().check()), (0, number));
    }
    numbered(6, 20_000_000, |frame| theirs.send_to(frame, &to)).unwrap();
    match ours.recv_from() {
        Err(RecvError::TooLarge { len, limit: 20_000_000 }) => assert!(len > 20_000_000),
        other => panic!("{other:?}"),
    }
    // With the message's own descriptors, and over UDP not at all.
    let udp: Address = "udp:127.0.0.1:0".parse().unwrap();
    let mut udp = OursAlone::bind(&udp).unwrap();
    let to = udp.local_addr().unwrap();
    let error = numbered(7, 70_000, |frame| udp.send_to(frame, &to)).unwrap_err();
    assert!(matches!(error, SendError::TooLarge { len: 70_007, max: Some(65_507) }), "{error:?}");
}

#[test]
fn memory_for_a_frame_and_its_own_descriptors_keep_apart() {
    #[derive(Message, Debug)]
    #[message(tag = 1)]
    struct Both<'a> {
        #[message(fd)]
        file: File,
        #[message(rest)]
        bytes: &'a [u8],
    }

    let directory = Directory::new();
    let to = directory.address("socket");
    let mut ours = Socket::<Both<'_>, Both<'_>>::bind(&to).unwrap();
    let file = File::open("/proc/version").unwrap();
    let mut theirs = Socket::<Both<'_>, Both<'_>>::unbound(&to).unwrap();
    theirs.send_to(&Both { file, bytes: &[7; 1_000_000] }, &to).unwrap();
    let (frame, from) = ours.recv_from().unwrap();
    assert_eq!(from, theirs.local_addr().unwrap());
    assert_eq!(frame.descriptor_count(), 1);
    let Both { file, bytes } = frame.decode().unwrap();
    assert!(std::io::read_to_string(file).unwrap().starts_with("Linux"));
    assert!(bytes == [7; 1_000_000]);
}

#[test]
fn h30_memory_for_a_frame_is_refused_unless_it_is_as_announced() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let limits = Limits::default().frame_len(1_000_000);
    let mut ours = OursAlone::bind_with(&to, &Options::new().limits(limits)).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    theirs.connect(to.as_pathname().unwrap()).unwrap();
    let send = |kind: u8, total: u64, lists: &[&[BorrowedFd<'_>]]| {
        let envelope = [&[0, kind, 0, 0, 0, 0][..], &total.to_le_bytes()].concat();
        raw::send_with(&theirs, &envelope, lists).unwrap();
    };
    let mut refused = |expected: &MemoryFault| {
        match ours.recv_from() {
            Err(RecvError::BadMemory(fault)) => {
                assert_eq!(fault.to_string(), expected.to_string());
            }
            other => panic!("{expected:?}: {other:?}"),
        }
        theirs.send(&[1, 5, 0]).unwrap();
        assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), 5);
    };
    for (memory, missing) in unsealed() {
        send(3, 100, &[&[memory.as_fd()]]);
        refused(&MemoryFault::Unsealed { missing });
    }
    for (len, announced) in [(100, 99), (100, 101), (0, 1), (0, 0)] {
        send(3, announced, &[&[memory(len, len as usize, 15).as_fd()]]);
        refused(&MemoryFault::Length { expected: announced, found: len });
    }
    send(3, 100, &[]);
    refused(&MemoryFault::Missing);

    for (kind, fault) in [(1, 1), (2, 2), (7, 7)] {
        send(kind, 100, &[]);
        match ours.recv_from() {
            Err(RecvError::BadFragment(FragmentFault::Kind(found))) => assert_eq!(found, fault),
            other => panic!("{other:?}"),
        }
    }
    theirs.send(&[0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]).unwrap();
    assert!(matches!(
        ours.recv_from(),
        Err(RecvError::BadFragment(FragmentFault::Long { len: 15 }))
    ));
    theirs.send(&[0, 3, 1]).unwrap();
    assert!(matches!(
        ours.recv_from(),
        Err(RecvError::BadFragment(FragmentFault::Short { len: 3 }))
    ));
}

#[test]
fn a_large_frame_has_one_descriptor_less() {
    #[derive(Message, Debug)]
    #[message(tag = 1)]
    struct Many<'a> {
        #[message(fd)]
        files: Vec<File>,
        #[message(rest)]
        bytes: &'a [u8],
    }

    let directory = Directory::new();
    let to = directory.address("socket");
    let mut ours = Socket::<Many<'_>, Many<'_>>::bind(&to).unwrap();
    let file = File::open("/proc/version").unwrap();
    let files = |count: usize| (0..count).map(|_| file.try_clone().unwrap()).collect();
    let bytes = &[7; 400_000][..];
    let error = ours.send_to(&Many { files: files(253), bytes }, &to).unwrap_err();
    assert!(matches!(error, SendError::TooManyDescriptors { count: 253, max: 252 }), "{error:?}");
    ours.send_to(&Many { files: files(252), bytes }, &to).unwrap();
    assert_eq!(ours.recv_from().unwrap().0.descriptor_count(), 252);
}

#[test]
fn h31_memory_with_holes_costs_its_receiver_no_more_than_the_limit() {
    let directory = Directory::new();
    let to = directory.address("socket");
    let limits = Limits::default().frame_len(1_000_000);
    let mut ours = OursAlone::bind_with(&to, &Options::new().limits(limits)).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    theirs.connect(to.as_pathname().unwrap()).unwrap();
    let send = |total: u64, memory: &OwnedFd| {
        let envelope = [&[0, 3, 0, 0, 0, 0][..], &total.to_le_bytes()].concat();
        raw::send_with(&theirs, &envelope, &[&[memory.as_fd()]]).unwrap();
    };
    // Over the limit: the memory is not touched.
    let sparse = memory(1 << 30, 0, 15);
    send(1 << 30, &sparse);
    let mut refused = None;
    let counted = allocation_counter::measure(|| refused = ours.recv_from().err());
    assert!(counted.bytes_total < 100, "{counted:?}");
    assert!(matches!(refused, Some(RecvError::TooLarge { limit: 1_000_000, .. })), "{refused:?}");
    // Within the limit: refused, because reading it would cost the receiver memory that its sender has not used.
    let sparse = memory(1_000_000, 500_000, 15);
    send(1_000_000, &sparse);
    let mut refused = None;
    let counted = allocation_counter::measure(|| refused = ours.recv_from().err());
    assert!(counted.bytes_max < 10_000, "{counted:?}");
    match refused {
        Some(RecvError::BadMemory(MemoryFault::Sparse { len: 1_000_000, filled })) => {
            assert!((500_000..1_000_000).contains(&filled));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_holds_a_frame_and_nothing_of_the_runtimes() {
    // A relay that forwards the bytes as a frame would forward a bundle, or a piece.
    let directory = Directory::new();
    let to = directory.address("socket");
    let mut ours = OursAlone::bind(&to).unwrap();
    let theirs = UnixDatagram::unbound().unwrap();
    theirs.connect(to.as_pathname().unwrap()).unwrap();
    let hidden = [bundle(&[[1, 5, 0]; 2]), pieces(7, &[7; 10], 5).remove(0), vec![0], vec![0, 9]];
    for bytes in hidden {
        let memory = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING);
        let mut memory = File::from(memory.unwrap());
        memory.write_all(&bytes).unwrap();
        fcntl_add_seals(&memory, ALL.into_iter().collect()).unwrap();
        let envelope = head(3, 0, bytes.len() as u64);
        raw::send_with(&theirs, &envelope, &[&[memory.as_fd()]]).unwrap();
        theirs.send(&[1, 5, 0]).unwrap();
        match ours.rx.recv_owned_from(Wait::Block) {
            Err(RecvError::BadMemory(MemoryFault::NotAFrame)) => {}
            other => panic!("{bytes:?}: {other:?}"),
        }
        assert_eq!(ours.recv_from().unwrap().0.decode().unwrap().check(), 5);
    }
}
