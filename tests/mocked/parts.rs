//! Parts of calls, as bytes.

pub(crate) const REQUEST: u8 = 5;
pub(crate) const REPLY: u8 = 6;
pub(crate) const ITEM: u8 = 7;
pub(crate) const END: u8 = 8;
pub(crate) const CANCEL: u8 = 9;
pub(crate) const CREDIT: u8 = 10;

pub(crate) fn part(kind: u8, number: u32, id: u64, frame: &[u8]) -> Vec<u8> {
    [&[0, kind][..], &number.to_le_bytes(), &id.to_le_bytes(), frame].concat()
}
