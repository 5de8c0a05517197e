//! Byte fields: the types that are written as bytes rather than element by element.

use std::borrow::Cow;

/// A field type that the derive writes as bytes: `Vec<u8>`, `&[u8]`, `Cow<[u8]>`, `Box<[u8]>`.
///
/// The derive recognises these types, and `Option` of them, by how they are written; this trait is
/// how the code it generates reads and makes them.
pub trait Bytes<'f>: AsRef<[u8]> {
    /// The value for `bytes` of a frame: borrowed where the type can, else copied once.
    fn from_frame(bytes: &'f [u8]) -> Self;
}

impl<'f> Bytes<'f> for &'f [u8] {
    #[inline]
    fn from_frame(bytes: &'f [u8]) -> Self {
        bytes
    }
}

impl<'f> Bytes<'f> for Cow<'f, [u8]> {
    #[inline]
    fn from_frame(bytes: &'f [u8]) -> Self {
        Cow::Borrowed(bytes)
    }
}

impl Bytes<'_> for Vec<u8> {
    #[inline]
    fn from_frame(bytes: &[u8]) -> Self {
        bytes.to_vec()
    }
}

impl Bytes<'_> for Box<[u8]> {
    #[inline]
    fn from_frame(bytes: &[u8]) -> Self {
        bytes.into()
    }
}
