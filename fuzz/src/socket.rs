//! Sends any datagrams to a UNIX socket, with any descriptors: the next good frame arrives, and no descriptor stays open.

use std::io::{IoSlice, PipeReader, PipeWriter, Write as _, pipe};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use datagrammar::{Limits, Message, Options, RecvError, SharedBytes, Socket, Wait, to_vec};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketType, sendmsg_addr,
};

use crate::input::{Input, written};
use crate::messages::{Fields, frames};
use crate::peer::{bundle, head};

const LIMIT: usize = 64 * 1024;

/// The most descriptors that a datagram has.
const MAX_DESCRIPTORS: usize = 4;

/// Steps of the receiver. All other steps send a datagram.
const TRY: u8 = 0xf0;
const OWNED: u8 = 0xf1;

/// The kinds of descriptors. A step holds four of them, in two bits each.
const NONE: u8 = 0;
const PIPE: u8 = 1;
const SEALED: u8 = 2;
const OPEN: u8 = 3;

/// Messages with descriptors.
#[derive(Debug, Message)]
enum Files<'a> {
    #[message(tag = 1)]
    None(&'a str),
    #[message(tag = 2)]
    One {
        text: &'a str,
        #[message(fd)]
        file: OwnedFd,
    },
    #[message(tag = 3, extensible)]
    Many {
        #[message(fd)]
        files: Vec<OwnedFd>,
        #[message(fd)]
        last: Option<OwnedFd>,
        number: u32,
    },
    #[message(tag = 4)]
    Shared {
        #[message(fd)]
        bytes: SharedBytes,
    },
    #[message(tag = 5)]
    Nested {
        #[message(nested)]
        inner: Vec<Self>,
        #[message(fd)]
        file: Option<OwnedFd>,
    },
    #[message(other)]
    Newer,
}

/// Sends datagrams with descriptors to a socket.
pub fn socket(input: &[u8]) {
    check::<Files<'static>>(input);
    // Messages without fields for descriptors.
    check::<Fields<'static>>(input);
}

fn check<M: Message>(input: &[u8]) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("datagrammar-fuzz-{}-{number}", process::id());
    let address = format!("unix:@{name}").parse().expect("an address");
    let options = Options::new().limits(Limits::new().frame_len(LIMIT));
    let mut ours = Socket::<M, M>::bind_with(&address, &options).expect("a new name");
    let sender = Sender::new(&name);

    let mut steps = Input::new(input);
    while let Some(step) = steps.byte() {
        match step {
            TRY => _ = drain(&mut ours),
            OWNED => _ = ours.rx.recv_owned_from(Wait::Try),
            _ => {
                let datagram = steps.bytes();
                steps.byte();
                let content = steps.bytes();
                sender.send(&mut ours, datagram, step, content);
            }
        }
    }
    let last = b"\x01\x04last";
    sender.send(&mut ours, last, NONE, b"");
    assert_eq!(drain(&mut ours).as_deref(), Some(&last[..]), "the socket is in step");
    drop(ours);
    assert!(sender.has_no_copies(), "a descriptor stays open");
}

/// Receives all queued frames. Returns the last one.
fn drain<M: Message>(ours: &mut Socket<M, M>) -> Option<Vec<u8>> {
    let mut last = None;
    loop {
        match ours.try_recv_from() {
            Ok((frame, _)) => {
                assert!(frame.len() <= LIMIT);
                last = Some(frame.bytes().to_vec());
                _ = frame.decode();
            }
            Err(RecvError::WouldBlock) => return last,
            Err(error) => assert!(!error.is_fatal(), "{error:?}"),
        }
    }
}

/// Sends any datagrams. The datagrams carry copies of the reading end of a pipe, which shows whether one stays open.
struct Sender {
    fd: OwnedFd,
    to: SocketAddrUnix,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Sender {
    fn new(name: &str) -> Self {
        let fd =
            rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None).expect("a socket");
        let to = SocketAddrUnix::new_abstract_name(name.as_bytes()).expect("a short name");
        let (reader, writer) = pipe().expect("a pipe");
        Self { fd, to, reader, writer }
    }

    /// Sends a datagram with descriptors of these kinds. If the socket is full, lets `ours` receive.
    fn send<M: Message>(
        &self,
        ours: &mut Socket<M, M>,
        datagram: &[u8],
        kinds: u8,
        content: &[u8],
    ) {
        let kinds =
            (0..MAX_DESCRIPTORS).map(|at| kinds >> (2 * at) & 3).filter(|&kind| kind != NONE);
        let memory: Vec<_> =
            kinds.map(|kind| (kind != PIPE).then(|| memory(kind, content))).collect();
        let descriptors: Vec<BorrowedFd<'_>> = memory
            .iter()
            .map(|memory| memory.as_ref().map_or(self.reader.as_fd(), |memory| memory.as_fd()))
            .collect();
        loop {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() {
                control.push(SendAncillaryMessage::ScmRights(&descriptors));
            }
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match sendmsg_addr(&self.fd, &self.to, &[IoSlice::new(datagram)], &mut control, flags) {
                Ok(_) => return,
                Err(Errno::AGAIN) => _ = drain(ours),
                Err(error) => panic!("the socket is gone: {error}"),
            }
        }
    }

    /// Returns whether all copies of the reading end are closed.
    fn has_no_copies(self) -> bool {
        drop(self.reader);
        let mut polled = [PollFd::new(&self.writer, PollFlags::OUT)];
        poll(&mut polled, Some(&Timespec::default())).expect("a poll");
        polled.iter().all(|polled| polled.revents().contains(PollFlags::ERR))
    }
}

/// Creates a memory file with `content`. Seals it if `kind` is `SEALED`. Adds a hole if `content` ends with 0.
fn memory(kind: u8, content: &[u8]) -> OwnedFd {
    let fd =
        memfd_create(c"fuzz", MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC).expect("memory");
    let mut file = std::fs::File::from(fd);
    file.write_all(content).expect("memory");
    if content.ends_with(&[0]) {
        ftruncate(&file, content.len() as u64 + 100_000).expect("memory");
    }
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    if kind == SEALED {
        fcntl_add_seals(&file, seals).expect("seals");
    }
    file.into()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let step =
        |kinds: u8, datagram: &[u8], content: &[u8]| written([(kinds, datagram), (0, content)]);
    let plain: Vec<_> = frames().iter().map(|frame| step(NONE, frame, b"")).collect();
    let frame = to_vec(&Files::None("none")).expect("a value of ours");
    let large = [&b"\x01\xfb\x00\x02"[..], &[b'x'; 512]].concat();
    let envelope = head(3, 0, large.len() as u64);
    vec![
        plain.concat(),
        step(NONE, &bundle(&frames()), b""),
        [step(PIPE, b"\x02\x01a", b""), vec![OWNED, TRY]].concat(),
        step(PIPE | PIPE << 2 | PIPE << 4, b"\x03\x02\x01\x07", b""),
        step(SEALED, b"\x04", b"shared bytes"),
        step(OPEN, b"\x04", b"not sealed"),
        step(SEALED, b"\x04", b"with a hole\0"),
        step(SEALED, &envelope, &large),
        step(SEALED | PIPE << 2, &envelope, &large),
        step(OPEN, &envelope, &large),
        [step(PIPE | PIPE << 2, &frame, b""), vec![TRY], step(NONE, &frame, b"")].concat(),
        step(PIPE | PIPE << 2, b"\x05\x02\x03\x02\x01a\x02\x01b\x00", b""),
    ]
}
