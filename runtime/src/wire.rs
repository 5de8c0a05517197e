#![doc = include_str!("wire.md")]

/// The tag reserved for the runtime.
///
/// No variant can have it.
///
/// ```
/// assert_eq!(datagrammar::wire::RESERVED_TAG, 0);
/// ```
pub const RESERVED_TAG: u32 = 0;

/// The length of the head of a datagram with tag 0, in bytes: the tag, the kind, a number in 4 bytes,
/// and a place in 8.
pub(crate) const HEAD_LEN: usize = 14;

/// The longest bundle, in bytes, head included.
pub(crate) const MAX_BUNDLE: usize = 65_536;

/// The longest bundle that is sent over UDP, in bytes. With its headers, it fits the smallest MTU of IPv6
/// (1,280 bytes, RFC 8200).
pub(crate) const MAX_UDP_BUNDLE: usize = 1_232;

/// The head of a datagram with tag 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// The first piece of a frame of `total` bytes.
    First { number: u32, total: u64 },
    /// A further piece of the frame, at `offset`.
    Next { number: u32, offset: u64 },
    /// An envelope: the frame of `total` bytes is in a sealed memory file.
    Memory { total: u64 },
    /// A bundle of `count` frames, each after its length.
    Bundle { count: u64 },
    /// A part of a call.
    Call(CallHead),
}

/// The head of a datagram that is part of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallHead {
    pub(crate) kind: CallKind,
    /// Depends on the kind: a deadline, a status, or a credit.
    pub(crate) number: u32,
    /// The call's number, chosen by the client.
    pub(crate) id: u64,
}

/// The kind of a part of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    Request = 5,
    Reply = 6,
    Item = 7,
    End = 8,
    Cancel = 9,
    Credit = 10,
}

impl CallKind {
    #[inline]
    fn new(kind: u8) -> Option<Self> {
        Some(match kind {
            5 => Self::Request,
            6 => Self::Reply,
            7 => Self::Item,
            8 => Self::End,
            9 => Self::Cancel,
            10 => Self::Credit,
            _ => return None,
        })
    }
}

impl CallHead {
    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; HEAD_LEN] {
        Head::Call(self).to_bytes()
    }

    /// Splits the head of a part of a call from the front of a datagram. `None` for an ordinary frame.
    #[inline]
    pub(crate) fn split(datagram: &[u8]) -> Option<(Self, &[u8])> {
        match Head::parse(datagram)? {
            Ok(Head::Call(call)) => Some((call, datagram.get(HEAD_LEN..)?)),
            _ => None,
        }
    }
}

impl Head {
    const FIRST: u8 = 1;
    const NEXT: u8 = 2;
    const MEMORY: u8 = 3;
    const BUNDLE: u8 = 4;

    pub(crate) fn kind(self) -> u8 {
        match self {
            Self::First { .. } => Self::FIRST,
            Self::Next { .. } => Self::NEXT,
            Self::Memory { .. } => Self::MEMORY,
            Self::Bundle { .. } => Self::BUNDLE,
            Self::Call(call) => call.kind as u8,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEAD_LEN] {
        let (number, place) = match self {
            Self::First { number, total } => (number, total),
            Self::Next { number, offset } => (number, offset),
            Self::Memory { total } => (0, total),
            Self::Bundle { count } => (0, count),
            Self::Call(call) => (call.number, call.id),
        };
        let [i, j, k, l] = number.to_le_bytes();
        let [a, b, c, d, e, f, g, h] = place.to_le_bytes();
        [RESERVED_TAG as u8, self.kind(), i, j, k, l, a, b, c, d, e, f, g, h]
    }

    /// Parses the head of a datagram with tag 0, or returns its kind if that is unknown. `None` for a frame, and
    /// for a datagram shorter than a head.
    #[inline]
    pub(crate) fn parse(datagram: &[u8]) -> Option<Result<Self, u8>> {
        let [tag, kind, i, j, k, l, place @ ..] = *datagram.first_chunk::<HEAD_LEN>()?;
        let (number, place) = (u32::from_le_bytes([i, j, k, l]), u64::from_le_bytes(place));
        is_reserved(tag).then(|| match kind {
            Self::FIRST => Ok(Self::First { number, total: place }),
            Self::NEXT => Ok(Self::Next { number, offset: place }),
            Self::MEMORY => Ok(Self::Memory { total: place }),
            Self::BUNDLE => Ok(Self::Bundle { count: place }),
            other => match CallKind::new(other) {
                Some(kind) => Ok(Self::Call(CallHead { kind, number, id: place })),
                None => Err(other),
            },
        })
    }
}

/// Returns whether a datagram with this first byte belongs to the runtime, and is not a frame.
#[inline]
pub(crate) fn is_reserved(first: u8) -> bool {
    u32::from(first) == RESERVED_TAG
}

/// Returns whether a datagram that begins with these bytes is a bundle.
pub(crate) fn is_bundle(first: &[u8]) -> bool {
    matches!(*first, [tag, Head::BUNDLE, ..] if is_reserved(tag))
}

/// Returns the kind of a frame that came in pieces, if it is itself a piece or an envelope, which is not allowed.
pub(crate) fn kind_not_in_pieces(bytes: &[u8]) -> Option<u8> {
    match *bytes {
        [first, kind @ (Head::FIRST | Head::NEXT | Head::MEMORY), ..] if is_reserved(first) => {
            Some(kind)
        }
        _ => None,
    }
}

/// Returns whether these bytes are a frame or, with `calls`, a part of a call.
#[inline]
pub(crate) fn is_frame(bytes: &[u8], calls: bool) -> bool {
    match bytes {
        [first, ..] if !is_reserved(*first) => true,
        _ => calls && CallHead::split(bytes).is_some(),
    }
}

/// Encodes the length of a frame in a bundle: a varint of 1 or 3 bytes, for lengths up to 65,535.
pub(crate) fn frame_len_bytes(len: usize) -> ([u8; 3], usize) {
    match u8::try_from(len) {
        Ok(len @ ..=250) => ([len, 0, 0], 1),
        _ => {
            let [low, high, ..] = len.to_le_bytes();
            ([251, low, high], 3)
        }
    }
}

/// Splits the length of a frame from the front of `bytes`. `None` if the front is not a valid varint.
#[inline]
pub(crate) fn read_frame_len(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [len @ ..=250, rest @ ..] => Some((u64::from(*len), rest)),
        [251, a, b, rest @ ..] => Some((u64::from(u16::from_le_bytes([*a, *b])), rest)),
        [252, a, b, c, d, rest @ ..] => {
            Some((u64::from(u32::from_le_bytes([*a, *b, *c, *d])), rest))
        }
        [253, a, b, c, d, e, f, g, h, rest @ ..] => {
            Some((u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest))
        }
        _ => None,
    }
}
