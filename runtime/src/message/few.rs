//! A list that takes memory only from its second element on.

use std::mem;
use std::ops::Deref;

/// A list that is nearly always empty or of one element, such as the descriptors of a message.
#[derive(Debug, Default)]
pub(super) enum Few<T> {
    #[default]
    None,
    One([T; 1]),
    Many(Vec<T>),
}

impl<T> Few<T> {
    #[inline]
    pub(super) fn push(&mut self, element: T) {
        *self = match mem::take(self) {
            Self::None => Self::One([element]),
            Self::One([first]) => Self::Many(vec![first, element]),
            Self::Many(mut elements) => {
                elements.push(element);
                Self::Many(elements)
            }
        };
    }

    /// Removes all but the first `len` elements.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Many(elements) => elements.truncate(len),
            Self::One(_) if len == 0 => *self = Self::None,
            Self::None | Self::One(_) => {}
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::Many(elements) => elements,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn it_is_a_list() {
        let mut few = Few::default();
        for len in 0..5 {
            assert_eq!(*few, (0..len).collect::<Vec<_>>()[..]);
            few.push(len);
        }
        for len in (0..5).rev() {
            few.truncate(len);
            assert_eq!(few.len(), len as usize);
        }
        few.push(7);
        few.truncate(1);
        assert_eq!(*few, [7]);

        let mut few = Few::default();
        few.push(1);
        few.truncate(0);
        assert!(few.is_empty());
    }
}
