//! Splits an input into steps.

/// The unread rest of an input.
#[derive(Debug)]
pub(crate) struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    pub(crate) fn new(bytes: &'i [u8]) -> Self {
        Self(bytes)
    }

    /// Takes a byte. Returns `None` at the end.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Takes a string of bytes: its length in two bytes, then the bytes. Takes fewer bytes at the end.
    pub(crate) fn bytes(&mut self) -> &'i [u8] {
        let len = self.byte().map_or(0, usize::from) | self.byte().map_or(0, usize::from) << 8;
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}

/// Writes an input of steps, each of which is a byte and a string of bytes.
pub(crate) fn written<B: AsRef<[u8]>>(steps: impl IntoIterator<Item = (u8, B)>) -> Vec<u8> {
    let mut input = Vec::new();
    for (step, bytes) in steps {
        let bytes = bytes.as_ref();
        input.push(step);
        input.extend((bytes.len() as u16).to_le_bytes());
        input.extend(bytes);
    }
    input
}
