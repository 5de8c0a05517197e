//! Messages that travel in every way: in bundles, alone, in pieces, with descriptors, and not at all.

use std::os::fd::OwnedFd;

use datagrammar::Message;
use datagrammar::tokio::Connection;
use serde::ser::{Error as _, Serialize, Serializer};

pub(super) type Anys = Connection<Any<'static>, Any<'static>>;

#[derive(Message, Debug)]
pub(super) enum Any<'a> {
    #[message(tag = 1)]
    Plain {
        number: u64,
        #[message(rest)]
        body: &'a [u8],
    },
    #[message(tag = 2)]
    Files {
        number: u64,
        #[message(fd)]
        files: Vec<OwnedFd>,
    },
    #[message(tag = 3)]
    Refused { number: u64, refused: Refused },
}

impl Any<'_> {
    /// The number, which files contain and bodies consist of.
    pub(super) fn number(self) -> u64 {
        match self {
            Self::Plain { number, body } => {
                assert!(body.iter().all(|&byte| byte == number as u8), "{number} is mixed");
                number
            }
            Self::Files { number, files } => {
                for file in files {
                    let mut content = [0; 8];
                    rustix::io::pread(&file, &mut content, 0).unwrap();
                    assert_eq!(u64::from_le_bytes(content), number);
                }
                number
            }
            Self::Refused { number, .. } => number,
        }
    }
}

/// Memory files that contain `number`.
pub(super) fn files(number: u64, count: usize) -> Any<'static> {
    let file = |_| {
        let file = rustix::fs::memfd_create("number", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::io::write(&file, &number.to_le_bytes()).unwrap();
        file
    };
    Any::Files { number, files: (0..count).map(file).collect() }
}

/// A value that cannot be encoded.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Refused;

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}
