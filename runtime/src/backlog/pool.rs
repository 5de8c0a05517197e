//! Memory that is used again.

/// How many buffers a pool keeps.
const MAX_COUNT: usize = 4;

/// The largest buffer that an idle queue keeps, in bytes.
const MAX_IDLE: usize = 4096;

/// A few buffers of at most `MAX` bytes each.
#[derive(Debug, Default)]
pub(super) struct Pool<const MAX: usize>(Vec<Vec<u8>>);

impl<const MAX: usize> Pool<MAX> {
    /// Returns a buffer that was kept, or one without memory.
    #[inline]
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    /// Keeps a buffer. Returns it if it is too large, or if there are enough.
    #[inline]
    pub(super) fn keep(&mut self, buffer: Vec<u8>) -> Option<Vec<u8>> {
        if self.0.len() >= MAX_COUNT || !(1..=MAX).contains(&buffer.capacity()) {
            return Some(buffer);
        }
        self.0.push(buffer);
        None
    }

    /// Returns whether there is memory that an idle queue does not keep.
    pub(super) fn is_large(&self) -> bool {
        self.0.len() > 1 || self.0.iter().any(|buffer| buffer.capacity() > MAX_IDLE)
    }

    /// Moves what an idle queue does not keep to `unused`.
    pub(super) fn shrink(&mut self, unused: &mut Vec<Vec<u8>>) {
        let small = self.0.iter().position(|buffer| buffer.capacity() <= MAX_IDLE);
        let kept = small.map(|at| self.0.swap_remove(at));
        unused.append(&mut self.0);
        self.0.extend(kept);
    }
}
