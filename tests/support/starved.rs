//! A server of calls in a process that runs out of memory for a request.

use std::convert::Infallible;
use std::fs;
use std::os::fd::OwnedFd;
use std::thread;

use datagrammar::calls::{Call, Protocol, Reply, Returns, Server, Service};
use datagrammar::{Connection, Limits, Message, Options};
use datagrammar_tests::datagrams::{REQUEST, part, piece};
use datagrammar_tests::raw;
use rustix::net::SocketType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most bytes of a request in one piece.
const PIECE: usize = 100_000;

#[derive(Message)]
#[message(tag = 1)]
struct Put<'a>(#[message(rest)] &'a [u8]);

impl Protocol for Put<'_> {
    const ANSWER_DESCRIPTORS: bool = false;

    fn returns(_tag: u32) -> Returns {
        Returns::answer::<Stored>()
    }
}

#[derive(Message)]
#[message(tag = 1)]
struct Stored(usize);

impl Reply for Stored {
    type Value<'f> = usize;
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(len) = result;
        Self(len)
    }
}

/// Answers with the number of bytes of a request.
struct Lengths;

impl Service for Lengths {
    type Protocol = Put<'static>;

    fn handle(&self, mut call: Call<Put<'static>>) {
        let Some((_, Put(bytes), answer)) = call.open() else { return };
        answer.reply::<Stored>(Ok(bytes.len()));
    }
}

/// Sends a request of `len` bytes, and returns its answer.
fn put(theirs: &OwnedFd, id: u64, len: usize) -> Vec<u8> {
    let send = |bytes: &[u8]| raw::send(theirs, bytes).expect("sent");
    let first = part(REQUEST, 0, id, &[1]);
    let len = first.len() + len;
    if len <= PIECE {
        send(&[&first[..], &vec![0; len - first.len()]].concat());
    } else {
        send(&piece(1, len as u64, &first));
        for at in (first.len()..len).step_by(PIECE) {
            send(&piece(2, at as u64, &vec![0; PIECE.min(len - at)]));
        }
    }
    raw::recv(theirs)
}

/// Sends requests, one of them too long for the memory that is left. Prints the id and the status of each answer.
pub(crate) fn serve() {
    let (theirs, ours) = raw::pair(SocketType::SEQPACKET);
    let options = Options::new().limits(Limits::new().frame_len(1 << 30));
    let connection = Connection::adopt_with(ours, &options).expect("a connection");
    let serving = thread::spawn(|| Server::new(Lengths).threads(1).serve(connection));
    for (id, len) in (1..).zip([10, 1_000_000, 200_000_000, 10, 1_000_000]) {
        if id == 3 {
            // The threads run by now.
            limit_address_space(50 << 20);
        }
        let answer = put(&theirs, id, len);
        let [_, _, status, _, _, _, id, ..] = *answer else { panic!("no head: {answer:?}") };
        print!("{id}:{status} ");
    }
    println!();
    drop(theirs);
    serving.join().expect("no panic").expect("the end");
}

/// Limits the address space of this process to `more` bytes more than it uses.
fn limit_address_space(more: u64) {
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("a line");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    let maximum = getrlimit(Resource::As).maximum;
    let limit = Rlimit { current: Some(kib * 1024 + more), maximum };
    setrlimit(Resource::As, limit).expect("a lower limit");
}
