#![doc = include_str!("wire.md")]

/// The tag that belongs to the runtime. No variant can have it.
///
/// ```
/// assert_eq!(datagrammar::wire::RESERVED_TAG, 0);
/// ```
pub const RESERVED_TAG: u32 = 0;

/// The length of the head of a datagram with tag 0, in bytes: the tag, the kind, and a number in 8 bytes.
pub(crate) const HEAD_LEN: usize = 10;

/// The head of a datagram with tag 0: what the rest of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The first piece of a frame of `total` bytes.
    First { total: u64 },
    /// A further piece, which begins at `offset`.
    Next { offset: u64 },
    /// Nothing: the frame, of `total` bytes, is in a sealed memfd beside the datagram.
    Memfd { total: u64 },
}

impl Head {
    const FIRST: u8 = 1;
    const NEXT: u8 = 2;
    const MEMFD: u8 = 3;

    pub(crate) fn kind(self) -> u8 {
        match self {
            Self::First { .. } => Self::FIRST,
            Self::Next { .. } => Self::NEXT,
            Self::Memfd { .. } => Self::MEMFD,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEAD_LEN] {
        let (Self::First { total: number }
        | Self::Next { offset: number }
        | Self::Memfd { total: number }) = self;
        let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
        [RESERVED_TAG as u8, self.kind(), a, b, c, d, e, f, g, h]
    }

    /// The head that `bytes` are; the kind that they have, if there is no such kind.
    pub(crate) fn from_bytes(bytes: [u8; HEAD_LEN]) -> Result<Self, u8> {
        let [_tag, kind, number @ ..] = bytes;
        let number = u64::from_le_bytes(number);
        match kind {
            Self::FIRST => Ok(Self::First { total: number }),
            Self::NEXT => Ok(Self::Next { offset: number }),
            Self::MEMFD => Ok(Self::Memfd { total: number }),
            unknown => Err(unknown),
        }
    }
}
