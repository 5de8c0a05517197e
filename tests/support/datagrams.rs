//! Datagrams with tag 0: valid ones, and ones that the wire page forbids.

/// The head of a datagram with tag 0: its kind, a number, and a place.
pub fn head(kind: u8, number: u32, place: u64) -> Vec<u8> {
    [&[0, kind][..], &number.to_le_bytes(), &place.to_le_bytes()].concat()
}

/// The kind of a request.
pub const REQUEST: u8 = 5;
/// The kind of an answer.
pub const REPLY: u8 = 6;
/// The kind of an item.
pub const ITEM: u8 = 7;
/// The kind of the end of items.
pub const END: u8 = 8;
/// The kind of a cancellation.
pub const CANCEL: u8 = 9;
/// The kind of a credit for more items.
pub const CREDIT: u8 = 10;

/// A part of the call `id`.
pub fn part(kind: u8, number: u32, id: u64, frame: &[u8]) -> Vec<u8> {
    [&head(kind, number, id), frame].concat()
}

/// A piece of frame 7: the first one (kind 1, of a frame of `place` bytes), or a further one (kind 2, from
/// byte `place` on).
pub fn piece(kind: u8, place: u64, bytes: &[u8]) -> Vec<u8> {
    [&head(kind, 7, place), bytes].concat()
}

/// A bundle that announces `count` frames, with `body` behind its head.
pub fn bundle_of(count: u64, body: &[u8]) -> Vec<u8> {
    [&head(4, 0, count), body].concat()
}

/// A bundle of `frames`.
pub fn bundle<F: AsRef<[u8]>>(frames: &[F]) -> Vec<u8> {
    let mut body = Vec::new();
    for frame in frames {
        let frame = frame.as_ref();
        body.extend(varint(frame.len() as u64));
        body.extend(frame);
    }
    bundle_of(frames.len() as u64, &body)
}

/// `frame` in pieces of at most `len` bytes, as frame `number`.
pub fn pieces(number: u32, frame: &[u8], len: usize) -> Vec<Vec<u8>> {
    let mut at = 0;
    let cut = frame.chunks(len).map(|bytes| {
        let head = if at == 0 { head(1, number, frame.len() as u64) } else { head(2, number, at) };
        at += bytes.len() as u64;
        [head, bytes.to_vec()].concat()
    });
    cut.collect()
}

/// The shortest varint of a number.
pub fn varint(number: u64) -> Vec<u8> {
    match number {
        0..=250 => vec![number as u8],
        251..=0xffff => wide_varint(number, 251),
        0x1_0000..=0xffff_ffff => wide_varint(number, 252),
        _ => wide_varint(number, 253),
    }
}

/// A varint that begins with `first`: 251 (2 bytes follow), 252 (4) or 253 (8), however small the number.
///
/// # Panics
///
/// For another `first`.
pub fn wide_varint(number: u64, first: u8) -> Vec<u8> {
    let len = match first {
        251 => 2,
        252 => 4,
        253 => 8,
        other => panic!("{other} begins no varint of 64 bits"),
    };
    number.to_le_bytes().into_iter().take(len).fold(vec![first], |mut bytes, byte| {
        bytes.push(byte);
        bytes
    })
}
