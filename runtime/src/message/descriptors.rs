//! The descriptors that came with a frame, handed out to its fields one by one.

use std::error::Error;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::vec;

use crate::codec::{MAX_DEPTH, MAX_EMPTY_ELEMENTS};
use crate::error::DecodeError;

/// Descriptors beside a frame, in the order in which its message's `fd` fields take them. Those that
/// are left are closed when this is dropped.
///
/// For message types written by hand, and for other transports; a [`Frame`](crate::Frame) has its
/// own.
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
    left: vec::IntoIter<OwnedFd>,
    // These take no more than one number: every frame that is received brings a `Descriptors`.
    received: u32,
    /// Elements of no bytes met so far in the frame.
    empty_elements: u16,
    /// How many messages the one that is being read is nested in.
    nested: u8,
    unknown: Unknown,
}

const _: () = assert!(MAX_EMPTY_ELEMENTS <= u16::MAX as u32 && MAX_DEPTH <= u8::MAX as u32);

/// Whether a nested message had a field or a variant that this side does not know. The frame does not say how
/// many descriptors go with it.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Unknown {
    #[default]
    Nothing,
    Something,
    /// And descriptors were taken after it.
    Before,
}

impl From<Vec<OwnedFd>> for Descriptors {
    fn from(descriptors: Vec<OwnedFd>) -> Self {
        let received = u32::try_from(descriptors.len()).unwrap_or(u32::MAX);
        Self { received, left: descriptors.into_iter(), ..Self::default() }
    }
}

impl Descriptors {
    /// How many have not been taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.as_slice().is_empty()
    }

    /// Takes the next one, for an `fd` field.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FdCount`] when none is left, and [`DecodeError::Fd`], naming `field`, when the
    /// field's type does not take what came.
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

    /// Takes the next `count`, for a field that holds several.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
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

    /// Checks that the message has taken all of them. A message in another one need not.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FdCount`]. [`DecodeError::FdUnclear`] if some are left and a nested message had
    /// something that this side does not know: then those that were taken after it may be its own.
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.check(false)
    }

    /// As [`finish`](Self::finish), for a message that may end before its frame does. `is_at_end` is whether
    /// they end together.
    #[doc(hidden)]
    pub fn finish_extensible(&self, is_at_end: bool) -> Result<(), DecodeError> {
        self.check(!is_at_end)
    }

    /// Checks what is left. `has_more` is whether this message has something that this side does not know.
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

    /// How many messages the one that is read next is nested in, and the elements of no bytes so far.
    pub(super) fn nesting(&self) -> (u32, u32) {
        (self.nested.into(), self.empty_elements.into())
    }

    /// Both are below their limits.
    pub(super) fn enter_nested(&mut self, nested: u32, empty_elements: u32) {
        self.nested = u8::try_from(nested).unwrap_or(u8::MAX);
        self.empty_elements = u16::try_from(empty_elements).unwrap_or(u16::MAX);
    }

    /// Notes the end of a nested message, and whether it had something that this side does not know.
    pub(super) fn left_nested(&mut self, empty_elements: u32, has_more: bool) {
        self.empty_elements = u16::try_from(empty_elements).unwrap_or(u16::MAX);
        if has_more && self.unknown == Unknown::Nothing {
            self.unknown = Unknown::Something;
        }
    }

    /// Those that have not been taken.
    pub(crate) fn borrow(&self) -> Vec<BorrowedFd<'_>> {
        self.left.as_slice().iter().map(OwnedFd::as_fd).collect()
    }

    /// How many have been taken.
    pub(crate) fn taken(&self) -> usize {
        (self.received as usize).saturating_sub(self.len())
    }

    /// The error for a message that declares `more` descriptors than it has taken.
    #[cold]
    fn miscounted(&self, more: usize) -> DecodeError {
        let received = self.received as usize;
        DecodeError::FdCount { declared: self.taken().saturating_add(more), received }
    }
}
