//! Compares the messages that the sender knows to be sent with the received ones.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard};

use datagrammar::Message;
use datagrammar_tests::{Random, body};
use rustix::fs::MemfdFlags;

/// A message that shows any damage.
#[derive(Message, Debug)]
pub(super) enum Note<'a> {
    /// The body repeats the number's lowest byte.
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    /// The file has the number as its text.
    #[message(tag = 2)]
    File {
        number: u64,
        #[message(fd)]
        file: OwnedFd,
    },
}

/// The parts of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The length of the body in bytes.
    Plain(usize),
    File,
}

impl Kind {
    /// Any message, with a body of 0 bytes to 1 MB.
    pub(super) fn any(random: &mut Random) -> Self {
        match random.below(40) {
            0..20 => Self::small(random),
            20..28 => Self::Plain(random.below(17_000) as usize),
            28..34 => Self::Plain(random.below(250_000) as usize),
            34 => Self::Plain(random.below(1_000_000) as usize),
            _ => Self::File,
        }
    }

    pub(super) fn small(random: &mut Random) -> Self {
        Self::Plain(random.below(300) as usize)
    }
}

/// A message and the memory that it borrows.
pub(super) struct Made {
    pub(super) number: u64,
    kind: Kind,
    body: Vec<u8>,
}

impl Made {
    pub(super) fn new(number: u64, kind: Kind) -> Self {
        let len = if let Kind::Plain(len) = kind { len } else { 0 };
        Self { number, kind, body: body(number, len) }
    }

    pub(super) fn note(&self) -> Note<'_> {
        let number = self.number;
        match self.kind {
            Kind::Plain(_) => Note::Plain { number, body: &self.body },
            Kind::File => {
                let file = rustix::fs::memfd_create("number", MemfdFlags::CLOEXEC).unwrap();
                rustix::io::write(&file, &number.to_ne_bytes()).unwrap();
                Note::File { number, file }
            }
        }
    }
}

/// A message that may arrive.
struct Entry {
    number: u64,
    kind: Kind,
    /// Whether the message must arrive. If an optional one does not arrive, no later message of the same call may
    /// arrive.
    is_sure: bool,
    call: u64,
}

#[derive(Default)]
struct Expected {
    entries: VecDeque<Entry>,
    /// The number of the next message.
    next: u64,
    /// The current call, and the number of its first message.
    call: u64,
    first: u64,
    /// The last call with a message that did not arrive.
    broken: Option<u64>,
}

/// The messages that may arrive, for both sides.
#[derive(Clone, Default)]
pub(super) struct Model(Arc<Mutex<Expected>>);

impl Model {
    fn expected(&self) -> MutexGuard<'_, Expected> {
        self.0.lock().unwrap()
    }

    /// Creates a message for the next call to send. Call [`settle`](Self::settle) after the call.
    pub(super) fn make(&self, kind: Kind) -> Made {
        let mut expected = self.expected();
        let (number, call) = (expected.next, expected.call);
        expected.next += 1;
        expected.entries.push_back(Entry { number, kind, is_sure: false, call });
        Made::new(number, kind)
    }

    /// Notes that the first `sent` messages of the call must arrive, and that the others do not. `None` if a future was
    /// dropped: then any number of the first ones may arrive.
    pub(super) fn settle(&self, sent: Option<usize>) {
        let mut expected = self.expected();
        let Expected { entries, next, call, first, .. } = &mut *expected;
        if let Some(sent) = sent {
            let end = *first + sent as u64;
            for entry in entries.iter_mut().filter(|entry| (*first..end).contains(&entry.number)) {
                entry.is_sure = true;
            }
            let before = entries.len();
            entries.retain(|entry| entry.number < end);
            assert_eq!((before - entries.len()) as u64, *next - end, "came, and was not sent");
        }
        *call += 1;
        *first = *next;
    }

    /// Checks a message that has arrived.
    pub(super) fn check(&self, note: Note<'_>) {
        let (number, kind) = match note {
            Note::Plain { number, body } => {
                assert!(body.iter().all(|&byte| byte == number as u8), "{number} is mixed");
                (number, Kind::Plain(body.len()))
            }
            Note::File { number, file } => {
                let mut text = [0; 8];
                rustix::io::pread(&file, &mut text, 0).unwrap();
                assert_eq!(u64::from_ne_bytes(text), number, "the descriptor of another message");
                (number, Kind::File)
            }
        };
        let mut expected = self.expected();
        loop {
            let entry = expected.entries.pop_front();
            let entry = entry.unwrap_or_else(|| panic!("{number} came twice, or was not sent"));
            if entry.number == number {
                assert_eq!(kind, entry.kind, "{number} is cut");
                assert_ne!(expected.broken, Some(entry.call), "{number} came without those before");
                return;
            }
            assert!(!entry.is_sure && entry.number < number, "{} is lost", entry.number);
            expected.broken = Some(entry.call);
        }
    }

    /// Checks that nothing is missing at the end.
    pub(super) fn end(&self) {
        let missing = self.expected().entries.iter().find(|entry| entry.is_sure).map(|e| e.number);
        assert_eq!(missing, None, "lost at the end");
    }
}
