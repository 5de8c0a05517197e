//! One message, and two decoders of it: the derived one and one written by hand.

use datagrammar::{DecodeError, Message};

/// A message with a name and a content.
#[derive(Message, Debug, PartialEq)]
pub(crate) enum Request<'a> {
    #[message(tag = 1)]
    Ping,
    #[message(tag = 2)]
    Put {
        name: &'a str,
        #[message(rest)]
        content: &'a [u8],
    },
}

/// The derived decoder.
#[inline(never)]
pub(crate) fn derived(frame: &[u8]) -> Result<Request<'_>, DecodeError> {
    Request::decode(frame)
}

/// An error of the decoder written by hand: a word, and a position.
#[derive(Debug)]
#[expect(dead_code, reason = "as in any error, the fields are for its readers")]
pub(crate) enum ByHandError {
    Short { missing: usize },
    BadInteger { byte: u8 },
    Utf8 { valid_up_to: usize },
    UnknownTag(u32),
    Trailing { consumed: usize },
}

/// A decoder that a programmer who knows the wire would write for this message alone.
#[inline(never)]
pub(crate) fn by_hand(frame: &[u8]) -> Result<Request<'_>, ByHandError> {
    let (tag, payload) = varint(frame)?;
    match u32::try_from(tag) {
        Ok(1) if payload.is_empty() => Ok(Request::Ping),
        Ok(1) => Err(ByHandError::Trailing { consumed: frame.len() - payload.len() }),
        Ok(2) => {
            let (len, payload) = varint(payload)?;
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            let Some((name, content)) = payload.split_at_checked(len) else {
                return Err(ByHandError::Short { missing: len - payload.len() });
            };
            let name = std::str::from_utf8(name)
                .map_err(|error| ByHandError::Utf8 { valid_up_to: error.valid_up_to() })?;
            Ok(Request::Put { name, content })
        }
        Ok(tag) => Err(ByHandError::UnknownTag(tag)),
        Err(_) => Err(ByHandError::BadInteger { byte: 253 }),
    }
}

/// An integer of the wire: a byte up to 250, or a byte that says how many follow.
#[inline]
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), ByHandError> {
    match bytes {
        [] => Err(ByHandError::Short { missing: 1 }),
        [byte @ ..=250, rest @ ..] => Ok((u64::from(*byte), rest)),
        [251, low, high, rest @ ..] => Ok((u64::from(u16::from_le_bytes([*low, *high])), rest)),
        [252, a, b, c, d, rest @ ..] => Ok((u64::from(u32::from_le_bytes([*a, *b, *c, *d])), rest)),
        [253, a, b, c, d, e, f, g, h, rest @ ..] => {
            Ok((u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest))
        }
        [251..=253, rest @ ..] => Err(ByHandError::Short { missing: 9 - rest.len() }),
        [byte, ..] => Err(ByHandError::BadInteger { byte: *byte }),
    }
}

/// The frames for both decoders: names and contents of usual lengths.
pub(crate) fn frames() -> Vec<Vec<u8>> {
    let lens = [(1, 0), (8, 64), (17, 300), (40, 4096), (200, 65_536), (300, 10)];
    lens.iter()
        .map(|&(name, content)| {
            let (name, content) = ("n".repeat(name), vec![7; content]);
            datagrammar::to_vec(&Request::Put { name: &name, content: &content }).expect("a frame")
        })
        .collect()
}
