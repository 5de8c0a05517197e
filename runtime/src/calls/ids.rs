//! Maps from the ids of calls.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from ids. A client that chooses ids whose hashes collide slows down its own calls alone, and a server bounds
/// their number.
pub(crate) type Ids<T> = HashMap<u64, T, BuildHasherDefault<IdHasher>>;

/// Spreads consecutive numbers.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio.
        let spread = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ spread >> 32;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
