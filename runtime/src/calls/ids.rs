//! Maps from the ids of calls.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from ids. A client that chooses ids whose hashes collide slows down its own calls alone, and a server bounds
/// their number.
pub(crate) type Ids<T> = HashMap<u64, T, BuildHasherDefault<IdHasher>>;

/// The fewest entries for which a map keeps its memory.
const MIN_KEPT: usize = 1024;

/// Gives memory back after a removal, if few of many entries are left.
#[inline]
pub(crate) fn shrink<T>(ids: &mut Ids<T>) {
    if ids.capacity() > 4 * MIN_KEPT && ids.len() < ids.capacity() / 8 {
        // The room for as many entries again, so that a map that changes little is seldom moved.
        ids.shrink_to(MIN_KEPT.max(2 * ids.len()));
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_returns_after_a_flood() {
        let mut ids = Ids::default();
        let count = |last: u64| (1..=last).map(|id| (id, [0_u64; 8]));
        ids.extend(count(100_000));
        // The last ones stay for long.
        for id in 1..=90_000 {
            ids.remove(&id);
            shrink(&mut ids);
            assert!(ids.capacity() <= (16 * ids.len()).max(4 * MIN_KEPT), "{}", ids.len());
        }
        assert!((90_001..=100_000).all(|id| ids.contains_key(&id)));
        for id in 90_001..=100_000 {
            ids.remove(&id);
            shrink(&mut ids);
        }
        assert!(ids.capacity() <= 4 * MIN_KEPT, "{}", ids.capacity());
        // A small map keeps its memory.
        ids = Ids::default();
        ids.extend(count(MIN_KEPT as u64));
        let capacity = ids.capacity();
        for id in 1..=MIN_KEPT as u64 {
            ids.remove(&id);
            shrink(&mut ids);
        }
        assert_eq!(ids.capacity(), capacity);
    }
}
