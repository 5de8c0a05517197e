//! Sealed memory to share with another process: filled, sealed, and checked before it is read.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;

use crate::error::MemoryFault;
use crate::sys::{self, Mapping};

/// Shared bytes: a field type for large data that the receiver reads without a copy.
///
/// The bytes are in a sealed memory file (memfd_create(2)), which no process can change, not even its creator.
/// The message carries the descriptor, so mark the field `fd`. The receiver checks that all four seals are
/// set and that the sender has written every page, and then maps the file read-only.
///
/// ```
/// use datagrammar::{Connection, Message, SharedBytes};
///
/// #[derive(Message)]
/// #[message(tag = 1)]
/// struct Picture {
///     width: u32,
///     #[message(fd)]
///     pixels: SharedBytes,
/// }
///
/// let (mut ours, mut theirs) = Connection::<Picture, Picture>::pair()?;
/// let pixels = SharedBytes::new(&[7; 640 * 480])?;
/// ours.send(&Picture { width: 640, pixels })?;
///
/// let picture = theirs.recv()?.expect("a frame").decode()?;
/// assert_eq!((picture.width, picture.pixels.len(), picture.pixels[1000]), (640, 307_200, 7));
///
/// let fd = std::os::fd::OwnedFd::from(picture.pixels);
/// assert_eq!(SharedBytes::try_from(fd)?[..3], [7; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SharedBytes {
    memfd: File,
    mapping: Mapping,
}

impl SharedBytes {
    /// Copies `bytes` into sealed memory.
    ///
    /// # Errors
    ///
    /// The errors of the system calls, if memory or descriptors have run out. `RLIMIT_FSIZE` also limits memory
    /// files: beyond it, the kernel sends SIGXFSZ (setrlimit(2)).
    pub fn new(bytes: &[u8]) -> io::Result<Self> {
        Self::with(|memory| memory.write_all(bytes))
    }

    /// Calls `fill` to write the memory as a file, and seals the result.
    ///
    /// ```
    /// use std::io::{BufWriter, Write};
    ///
    /// let numbers = datagrammar::SharedBytes::with(|memory| {
    ///     let mut memory = BufWriter::new(memory);
    ///     (0..1000).try_for_each(|number| writeln!(memory, "{number}"))?;
    ///     memory.flush()
    /// })?;
    /// assert!(numbers.starts_with(b"0\n1\n2\n"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of `fill` and of [`new`](Self::new); `ResourceBusy` if the file is still mapped for writing, or if
    /// something else uses its memory for most of a second.
    pub fn with(fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Self> {
        let mut memfd = sys::memfd()?;
        fill(&mut memfd)?;
        fill_holes(&memfd)?;
        sys::seal(memfd.as_fd())?;
        Ok(Self { mapping: Mapping::new(&memfd)?, memfd })
    }
}

impl Deref for SharedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.mapping
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl AsFd for SharedBytes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memfd.as_fd()
    }
}

/// The descriptor of the sealed memory file, for another process or for `try_from`.
impl From<SharedBytes> for OwnedFd {
    fn from(shared: SharedBytes) -> Self {
        shared.memfd.into()
    }
}

impl TryFrom<OwnedFd> for SharedBytes {
    type Error = MemoryFault;

    /// Checks and maps a descriptor from an untrusted sender.
    ///
    /// # Errors
    ///
    /// [`MemoryFault`] if the descriptor is not sealed memory, or if the memory has holes.
    fn try_from(fd: OwnedFd) -> Result<Self, MemoryFault> {
        let memfd = File::from(fd);
        checked_len(&memfd)?;
        Ok(Self { mapping: Mapping::new(&memfd)?, memfd })
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedBytes").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Checks that no process can change a memory file, and that its sender has written every page. Returns its
/// length in bytes.
pub(crate) fn checked_len(memfd: &File) -> Result<u64, MemoryFault> {
    match sys::missing_seals(memfd.as_fd()) {
        0 => {}
        missing => return Err(MemoryFault::Unsealed { missing }),
    }
    // A file of huge pages can be sealed too, and always reports that it has no holes
    // (fs/hugetlbfs/inode.c): reading a hole yields zeros, and mapping it allocates huge pages.
    match sys::file_system(memfd.as_fd())? {
        sys::TMPFS => {}
        found => return Err(MemoryFault::Backing { found }),
    }
    let (len, filled) = (memfd.metadata()?.len(), sys::first_hole(memfd, 0)?);
    match filled < len {
        true => Err(MemoryFault::Sparse { len, filled }),
        false => Ok(len),
    }
}

/// Writes zeros into holes, because a receiver refuses memory with holes.
fn fill_holes(memfd: &File) -> io::Result<()> {
    let len = memfd.metadata()?.len();
    let mut at = 0;
    loop {
        at = sys::first_hole(memfd, at)?;
        // A hole begins at a page boundary, and no page is shorter than this.
        match len - at {
            0 => return Ok(()),
            left @ ..4096 => memfd.write_all_at(&vec![0; left as usize], at)?,
            _ => memfd.write_all_at(&[0; 4096], at)?,
        }
    }
}
