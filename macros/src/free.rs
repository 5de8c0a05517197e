//! Tags to suggest in errors.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::value::Tag;

/// The free tags: first those above the greatest tag in use, then the gaps below. Reserved tags are not free.
pub(crate) struct FreeTags<'a> {
    used: HashSet<u32>,
    next: u32,
    reserved: &'a [RangeInclusive<u32>],
}

impl<'a> FreeTags<'a> {
    pub(crate) fn new(
        used: impl Iterator<Item = Tag>,
        reserved: &'a [RangeInclusive<u32>],
    ) -> Self {
        let used: HashSet<_> = used.map(|tag| tag.number).collect();
        let next = after(used.iter().copied().max().unwrap_or(0));
        Self { used, next, reserved }
    }

    pub(crate) fn take(&mut self) -> u32 {
        // Each step passes a used tag or a reserved range. The search meets each at most twice: on the way up,
        // and again after it starts over at 1. If all tags are taken, there is no tag to suggest.
        for _ in 0..2 * (self.used.len() + self.reserved.len()) {
            if let Some(range) = self.reserved.iter().find(|range| range.contains(&self.next)) {
                self.next = after(*range.end());
            } else if self.used.contains(&self.next) {
                self.next = after(self.next);
            } else {
                break;
            }
        }
        self.used.insert(self.next);
        self.next
    }
}

/// Returns the next tag. After the last tag, starts over at 1.
fn after(tag: u32) -> u32 {
    tag.checked_add(1).unwrap_or(1)
}
