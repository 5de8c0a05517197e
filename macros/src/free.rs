//! Tags to propose where one is missing or wrong.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use crate::value::Tag;

/// The tags above every one in use, and after the last the gaps below, but none that is reserved.
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
        // Each step passes a tag in use or a range, each of which is met once on the way up and once
        // from the start again. Were every tag taken, there would be none to propose.
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

/// The tag after this one: after the last, the first.
fn after(tag: u32) -> u32 {
    tag.checked_add(1).unwrap_or(1)
}
