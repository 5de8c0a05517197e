//! The descriptors that came with a frame. The fields take them one by one.

use std::error::Error;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::slice;
use std::vec;

use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::DecodeError;

/// The descriptors that came with a frame, in the order of the `fd` fields.
///
/// Dropping it closes the descriptors that no field took.
///
/// Use it for message types written by hand, and for other transports. A [`Frame`](crate::Frame) already holds
/// its descriptors.
///
/// ```
/// use std::fs::File;
/// use std::io::Read;
///
/// use datagrammar::{DecodeError, Descriptors, Message};
///
/// #[derive(Message)]
/// #[message(tag = 1)]
/// struct Import {
///     #[message(fd)]
///     file: File,
/// }
///
/// let file = File::open("/proc/version")?;
/// let mut descriptors = Descriptors::from(vec![file.into()]);
/// let mut import = Import::decode_with(&[1], &mut descriptors)?;
/// let mut text = String::new();
/// import.file.read_to_string(&mut text)?;
/// assert!(text.starts_with("Linux"));
///
/// let error = Import::decode(&[1]).err();
/// assert!(matches!(error, Some(DecodeError::FdCount { declared: 1, received: 0 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Descriptors {
    left: Left,
    // The following fields fit in 8 bytes: every received frame has a `Descriptors`.
    received: u32,
    /// Elements of no bytes in the frame so far.
    empty_elements: u16,
    /// How many messages are around the one that is being read.
    nested: u8,
    unknown: Unknown,
}

const _: () = assert!(MAX_EMPTY_ELEMENTS <= u16::MAX as u32 && MAX_DEPTH <= u8::MAX as u32);

/// Whether a nested message had an unknown part: a field or a variant that this side does not know. The frame
/// does not say how many descriptors belong to that part.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Unknown {
    #[default]
    Nothing,
    Something,
    /// A nested message had an unknown part, and later fields took descriptors.
    Before,
}

/// The descriptors that no field has taken yet. One, the usual number, needs no memory.
#[derive(Debug)]
enum Left {
    AtMostOne(Option<OwnedFd>),
    Many(vec::IntoIter<OwnedFd>),
}

impl Default for Left {
    fn default() -> Self {
        Self::AtMostOne(None)
    }
}

impl Left {
    #[inline]
    fn as_slice(&self) -> &[OwnedFd] {
        match self {
            Self::AtMostOne(one) => one.as_ref().map(slice::from_ref).unwrap_or_default(),
            Self::Many(many) => many.as_slice(),
        }
    }

    #[inline]
    fn next(&mut self) -> Option<OwnedFd> {
        match self {
            Self::AtMostOne(one) => one.take(),
            Self::Many(many) => many.next(),
        }
    }
}

impl From<Vec<OwnedFd>> for Descriptors {
    fn from(mut descriptors: Vec<OwnedFd>) -> Self {
        Self::drain(&mut descriptors)
    }
}

impl Descriptors {
    /// Moves `descriptors` here. Leaves their memory to the caller if there is at most one.
    #[inline]
    pub(crate) fn drain(descriptors: &mut Vec<OwnedFd>) -> Self {
        let received = u32::try_from(descriptors.len()).unwrap_or(u32::MAX);
        let left = match received {
            0 | 1 => Left::AtMostOne(descriptors.pop()),
            _ => Left::Many(mem::take(descriptors).into_iter()),
        };
        Self { received, left, ..Self::default() }
    }

    /// Returns how many descriptors are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left.as_slice().len()
    }

    /// Returns whether no descriptor is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.as_slice().is_empty()
    }

    /// Takes the next descriptor, for an `fd` field.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FdCount`] if no descriptor is left. [`DecodeError::Fd`], naming `field`, if the type of the
    /// field refuses the descriptor.
    pub fn take<T>(&mut self, field: &'static str) -> Result<T, DecodeError>
    where
        T: TryFrom<OwnedFd, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let descriptor = self.left.next().ok_or_else(|| self.miscounted(1))?;
        if self.unknown == Unknown::Something {
            self.unknown = Unknown::Before;
        }
        T::try_from(descriptor).map_err(|error| DecodeError::Fd { field, source: error.into() })
    }

    /// Takes the next `count` descriptors, for an `fd` field that holds several.
    ///
    /// # Errors
    ///
    /// Those of [`take`](Self::take).
    pub fn take_many<T>(&mut self, field: &'static str, count: u64) -> Result<Vec<T>, DecodeError>
    where
        T: TryFrom<OwnedFd, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > self.len() {
            return Err(self.miscounted(count));
        }
        (0..count).map(|_| self.take(field)).collect()
    }

    /// Checks that no descriptor is left after the message. Inside an outer message, it checks nothing: the outer
    /// message may take more.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FdCount`] if some are left. [`DecodeError::FdUnclear`] instead if a nested message had a
    /// field or a variant that this side does not know, and later fields took descriptors: these may belong to
    /// the nested message.
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.check(false)
    }

    /// Checks the same as [`finish`](Self::finish), for an `extensible` message. `is_at_end` says whether the
    /// message ends where its frame ends.
    #[doc(hidden)]
    pub fn finish_extensible(&self, is_at_end: bool) -> Result<(), DecodeError> {
        self.check(!is_at_end)
    }

    /// Checks the remaining descriptors. `has_more` says whether the message has fields that this side does not know.
    #[inline]
    fn check(&self, has_more: bool) -> Result<(), DecodeError> {
        if self.is_empty() || self.nested > 0 {
            return Ok(());
        }
        match self.unknown {
            Unknown::Before => Err(DecodeError::FdUnclear),
            Unknown::Something => Ok(()),
            Unknown::Nothing if has_more => Ok(()),
            Unknown::Nothing => Err(self.miscounted(0)),
        }
    }

    /// Returns how many messages are around the next one, and the number of elements of no bytes so far.
    pub(super) fn nesting(&self) -> (u32, u32) {
        (self.nested.into(), self.empty_elements.into())
    }

    /// Sets what [`nesting`](Self::nesting) returns. Both numbers are within their limits.
    pub(super) fn enter_nested(&mut self, nested: u32, empty_elements: u32) {
        self.nested = u8::try_from(nested).unwrap_or(u8::MAX);
        self.empty_elements = u16::try_from(empty_elements).unwrap_or(u16::MAX);
    }

    /// Notes the end of a nested message. `has_more` says whether it had a part that this side does not know.
    pub(super) fn left_nested(&mut self, empty_elements: u32, has_more: bool) {
        self.empty_elements = u16::try_from(empty_elements).unwrap_or(u16::MAX);
        if has_more && self.unknown == Unknown::Nothing {
            self.unknown = Unknown::Something;
        }
    }

    /// Returns the descriptors that are left.
    pub(crate) fn borrow(&self) -> Vec<BorrowedFd<'_>> {
        self.left.as_slice().iter().map(OwnedFd::as_fd).collect()
    }

    /// Returns how many descriptors were taken.
    pub(crate) fn taken(&self) -> usize {
        (self.received as usize).saturating_sub(self.len())
    }

    /// Returns the error for a message that declares `more` descriptors beyond those that it took.
    #[cold]
    fn miscounted(&self, more: usize) -> DecodeError {
        let received = self.received as usize;
        DecodeError::FdCount { declared: self.taken().saturating_add(more), received }
    }
}
