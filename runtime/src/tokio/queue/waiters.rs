//! Waiting calls: those that wait for room form a line, others wait for the end.

use std::task::{Context, Waker};

/// Calls that wait. Each has a key, which is reused after it has left.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    slots: Vec<Slot>,
    /// The keys that are not in use.
    free: Vec<usize>,
    /// The ends of the line.
    first: Option<usize>,
    last: Option<usize>,
}

#[derive(Debug)]
struct Slot {
    place: Place,
    waker: Option<Waker>,
}

/// What a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// For `room` for its frame, in line between two others.
    InLine { room: usize, before: Option<usize>, after: Option<usize> },
    /// For nothing, because the room for its frame is reserved.
    Admitted { room: usize },
    /// For the end of the queue.
    Watching,
    /// No call has this key.
    Free,
}

/// The most keys that are kept while no call waits.
const MAX_KEPT: usize = 32;

impl Waiters {
    /// Returns whether the line is empty.
    #[inline]
    pub(super) fn is_line_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Adds a call at the end of the line.
    pub(super) fn line_up(&mut self, room: usize) -> usize {
        let before = self.last;
        let key = self.add(Place::InLine { room, before, after: None });
        match before.and_then(|key| self.slots.get_mut(key)) {
            Some(Slot { place: Place::InLine { after, .. }, .. }) => *after = Some(key),
            _ => self.first = Some(key),
        }
        self.last = Some(key);
        key
    }

    /// Adds a call outside the line.
    pub(super) fn add(&mut self, place: Place) -> usize {
        let slot = Slot { place, waker: None };
        match self.free.pop().and_then(|key| Some((key, self.slots.get_mut(key)?))) {
            Some((key, free)) => {
                *free = slot;
                key
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }

    /// Returns the room for the frame that is first in line.
    #[inline]
    pub(super) fn first_room(&self) -> Option<usize> {
        match self.place(self.first?) {
            Place::InLine { room, .. } => Some(room),
            _ => None,
        }
    }

    /// Admits the first in line. Returns its waker.
    pub(super) fn admit_first(&mut self) -> Option<Waker> {
        let key = self.first?;
        let Place::InLine { room, before, after } = self.place(key) else { return None };
        self.unlink(before, after);
        let slot = self.slots.get_mut(key)?;
        slot.place = Place::Admitted { room };
        slot.waker.take()
    }

    /// Returns what a call waits for. Unless the call is admitted, stores its waker, and returns the waker that this
    /// replaces.
    pub(super) fn poll(&mut self, key: usize, cx: &Context<'_>) -> (Place, Option<Waker>) {
        let Some(slot) = self.slots.get_mut(key) else { return (Place::Free, None) };
        let replaced = match (slot.place, &slot.waker) {
            (Place::Admitted { .. }, _) => slot.waker.take(),
            (_, Some(waker)) if waker.will_wake(cx.waker()) => None,
            _ => slot.waker.replace(cx.waker().clone()),
        };
        (slot.place, replaced)
    }

    /// Removes a call. Returns what it waited for, and its waker.
    pub(super) fn remove(&mut self, key: usize) -> (Place, Option<Waker>) {
        let place = self.place(key);
        if let Place::InLine { before, after, .. } = place {
            self.unlink(before, after);
        }
        let Some(slot) = self.slots.get_mut(key) else { return (place, None) };
        slot.place = Place::Free;
        let waker = slot.waker.take();
        self.free.push(key);
        if self.free.len() == self.slots.len() && self.slots.len() > MAX_KEPT {
            (self.slots, self.free) = (Vec::new(), Vec::new());
        }
        (place, waker)
    }

    /// Moves the wakers of all calls to `wakers`.
    pub(super) fn take_wakers(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.slots.iter_mut().filter_map(|slot| slot.waker.take()));
    }

    fn place(&self, key: usize) -> Place {
        self.slots.get(key).map_or(Place::Free, |slot| slot.place)
    }

    /// Takes the call between `before` and `after` out of the line.
    fn unlink(&mut self, before: Option<usize>, after: Option<usize>) {
        match before.and_then(|key| self.slots.get_mut(key)) {
            Some(Slot { place: Place::InLine { after: next, .. }, .. }) => *next = after,
            _ => self.first = after,
        }
        match after.and_then(|key| self.slots.get_mut(key)) {
            Some(Slot { place: Place::InLine { before: previous, .. }, .. }) => *previous = before,
            _ => self.last = before,
        }
    }
}
