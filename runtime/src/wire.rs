#![doc = include_str!("wire.md")]

/// The tag that belongs to the runtime. No variant can have it.
///
/// ```
/// assert_eq!(datagrammar::wire::RESERVED_TAG, 0);
/// ```
pub const RESERVED_TAG: u32 = 0;

/// The length of the head of a datagram with tag 0, in bytes: the tag, the kind, the frame's number in 4
/// bytes, and a length in 8.
pub(crate) const HEAD_LEN: usize = 14;

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

    /// The head of a datagram that belongs to frame `number`.
    pub(crate) fn to_bytes(self, number: u32) -> [u8; HEAD_LEN] {
        let (Self::First { total: len } | Self::Next { offset: len } | Self::Memfd { total: len }) =
            self;
        let [i, j, k, l] = number.to_le_bytes();
        let [a, b, c, d, e, f, g, h] = len.to_le_bytes();
        [RESERVED_TAG as u8, self.kind(), i, j, k, l, a, b, c, d, e, f, g, h]
    }

    /// The head that `bytes` are, or the kind that they have if there is no such kind; and the number of
    /// the frame.
    pub(crate) fn from_bytes(bytes: [u8; HEAD_LEN]) -> (Result<Self, u8>, u32) {
        let [_tag, kind, i, j, k, l, len @ ..] = bytes;
        let len = u64::from_le_bytes(len);
        let head = match kind {
            Self::FIRST => Ok(Self::First { total: len }),
            Self::NEXT => Ok(Self::Next { offset: len }),
            Self::MEMFD => Ok(Self::Memfd { total: len }),
            unknown => Err(unknown),
        };
        (head, u32::from_le_bytes([i, j, k, l]))
    }
}
