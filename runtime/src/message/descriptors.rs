//! The descriptors that came with a frame, handed out to its fields one by one.

use std::fmt::Display;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::vec;

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
    received: usize,
    left: vec::IntoIter<OwnedFd>,
}

impl From<Vec<OwnedFd>> for Descriptors {
    fn from(descriptors: Vec<OwnedFd>) -> Self {
        Self { received: descriptors.len(), left: descriptors.into_iter() }
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
        T: TryFrom<OwnedFd, Error: Display>,
    {
        let descriptor = self.left.next().ok_or_else(|| self.miscounted(1))?;
        T::try_from(descriptor)
            .map_err(|error| DecodeError::Fd { field, reason: error.to_string().into() })
    }

    /// Takes the next `count`, for a field that holds several.
    ///
    /// # Errors
    ///
    /// As [`take`](Self::take).
    pub fn take_many<T>(&mut self, field: &'static str, count: u64) -> Result<Vec<T>, DecodeError>
    where
        T: TryFrom<OwnedFd, Error: Display>,
    {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > self.len() {
            return Err(self.miscounted(count));
        }
        (0..count).map(|_| self.take(field)).collect()
    }

    /// Checks that the message has taken all of them.
    ///
    /// # Errors
    ///
    /// [`DecodeError::FdCount`].
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() {
            return Ok(());
        }
        Err(self.miscounted(0))
    }

    /// Those that have not been taken.
    pub(crate) fn borrow(&self) -> Vec<BorrowedFd<'_>> {
        self.left.as_slice().iter().map(OwnedFd::as_fd).collect()
    }

    /// How many have been taken.
    pub(crate) fn taken(&self) -> usize {
        self.received - self.len()
    }

    /// The error for a message that declares `more` descriptors than it has taken.
    #[cold]
    fn miscounted(&self, more: usize) -> DecodeError {
        DecodeError::FdCount {
            declared: self.taken().saturating_add(more),
            received: self.received,
        }
    }
}
