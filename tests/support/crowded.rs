//! Calls with descriptors while too many descriptors of the process are in flight (ETOOMANYREFS).

use std::convert::Infallible;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use datagrammar::calls::{
    Answers, Call, CallError, Client, Protocol, Reply, Returns, Server, Service,
};
use datagrammar::{Connection, Message};
use datagrammar_tests::leaks::Parcel;
use rustix::time::{ClockId, clock_gettime};

/// The time for which calls have no room.
const TIME: Duration = Duration::from_millis(500);

#[derive(Message)]
enum Files {
    /// Sends a file, and gets it back.
    #[message(tag = 1)]
    Echo(#[message(fd)] Vec<OwnedFd>),
}

impl Protocol for Files {
    const ANSWER_DESCRIPTORS: bool = true;

    fn returns(_tag: u32) -> Returns {
        Returns::answer::<Echoed>()
    }
}

#[derive(Message)]
#[message(tag = 1)]
struct Echoed(#[message(fd)] Vec<OwnedFd>);

impl Reply for Echoed {
    type Value<'f> = Vec<OwnedFd>;
    type Error<'f> = Infallible;

    fn into_result<'f>(reply: Self::Borrowed<'f>) -> Result<Self::Value<'f>, Self::Error<'f>> {
        Ok(reply.0)
    }

    fn from_result<'f>(result: Result<Self::Value<'f>, Self::Error<'f>>) -> Self::Borrowed<'f> {
        let Ok(files) = result;
        Self(files)
    }
}

/// Answers with a file, even to callers that send none.
struct Handler;

impl Service for Handler {
    type Protocol = Files;

    fn handle(&self, mut call: Call<Files>) {
        let Some((_cx, Files::Echo(mut files), answer)) = call.open() else { return };
        files.extend(files.is_empty().then(file));
        answer.reply::<Echoed>(Ok(files));
    }
}

fn file() -> OwnedFd {
    File::open("/proc/version").expect("a file").into()
}

/// Calls while no descriptor can be sent, in both directions, and again when descriptors can be sent. Prints the
/// processor time of all threads meanwhile, in milliseconds.
pub(crate) fn call() {
    let (client, server) = Connection::<Files, Answers<Files>>::pair().expect("a pair");
    let server = thread::spawn(move || Server::new(Handler).threads(1).serve(server));
    let client = Client::<Files>::new(client);
    let echo = |client: &Client<Files>, count| -> Result<usize, CallError> {
        let files = (0..count).map(|_| file()).collect();
        Ok(client.call::<Echoed>(&Files::Echo(files))?.decode()?.len())
    };
    assert_eq!(echo(&client, 1).expect("an answer"), 1);

    // One socket may be full before so many descriptors are in flight.
    let mut pairs = [(); 4].map(|()| Connection::<Parcel, Parcel>::pair().expect("a pair"));
    let mut attempts = 0;
    let worked = loop {
        for (ours, _) in &mut pairs {
            while ours.try_send(&Parcel::Two { left: file(), right: None }).is_ok() {}
        }
        let before = clock_gettime(ClockId::ProcessCPUTime);
        // The answer of the first call has no room, and then the request of the second.
        let has_no_room = |count| {
            let hasty = client.deadline(Instant::now() + TIME);
            match echo(&hasty, count) {
                Ok(_) => false,
                Err(CallError::TimedOut) => true,
                Err(error) => panic!("{error:?}"),
            }
        };
        if [0, 1].into_iter().all(has_no_room) {
            break clock_gettime(ClockId::ProcessCPUTime) - before;
        }
        // Other processes of this user have fewer descriptors in flight than before.
        attempts += 1;
        assert!(attempts < 10, "there is always room");
    };
    println!("{}", worked.tv_sec * 1000 + worked.tv_nsec / 1_000_000);

    // The queue is read, and everything continues.
    for (_, theirs) in &mut pairs {
        while theirs.try_recv().is_ok() {}
    }
    assert_eq!(echo(&client, 1).expect("an answer"), 1);
    drop(client);
    server.join().expect("no panic").expect("no error");
}
