//! Memory that is given to another process: filled, sealed, and checked before it is read.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;

use crate::error::MemoryFault;
use crate::sys::{self, Mapping};

/// Bytes that a peer reads where they are, without a copy: a field type for large data.
///
/// They lie in a memory file that is sealed: nobody can change it any more, not even its maker. What
/// travels is its descriptor, so the field is an `fd` one. The receiver maps it, to be read only, after
/// it has checked that all four seals are there and that the sender has paid for all of the memory.
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
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SharedBytes {
    memfd: File,
    mapping: Mapping,
}

impl SharedBytes {
    /// Copies `bytes` into memory that can be shared, once.
    ///
    /// # Errors
    ///
    /// Of the system calls, when memory or descriptors have run out. (A limit of file sizes, RLIMIT_FSIZE,
    /// holds for memory files, too, and over it comes SIGXFSZ.)
    pub fn new(bytes: &[u8]) -> io::Result<Self> {
        Self::with(|memory| memory.write_all(bytes))
    }

    /// Has `fill` write the memory, as a file. What the file then holds is shared.
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
    /// Those of `fill`, as [`new`](Self::new), and `ResourceBusy` while the file is mapped for writing.
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

impl TryFrom<OwnedFd> for SharedBytes {
    type Error = MemoryFault;

    /// Takes over a descriptor from somebody who is not trusted.
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

/// Checks that nobody can change a memory file any more, and that its sender has filled all of it. Its
/// length, in bytes.
pub(crate) fn checked_len(memfd: &File) -> Result<u64, MemoryFault> {
    match sys::missing_seals(memfd.as_fd()) {
        0 => {}
        missing => return Err(MemoryFault::Unsealed { missing }),
    }
    // A file of huge pages can be sealed too, and says that it has no holes, whatever was written
    // (fs/hugetlbfs/inode.c): reading it yields zeros, and mapping it takes huge pages.
    match sys::file_system(memfd)? {
        sys::TMPFS => {}
        found => return Err(MemoryFault::Backing { found }),
    }
    let (len, filled) = (memfd.metadata()?.len(), sys::first_hole(memfd, 0)?);
    match filled < len {
        true => Err(MemoryFault::Sparse { len, filled }),
        false => Ok(len),
    }
}

/// Writes zeros where nothing has been written: a receiver refuses holes.
fn fill_holes(memfd: &File) -> io::Result<()> {
    let len = memfd.metadata()?.len();
    let mut at = 0;
    loop {
        at = sys::first_hole(memfd, at)?;
        // A hole begins with a page, and no page is shorter than this.
        match len - at {
            0 => return Ok(()),
            left @ ..4096 => memfd.write_all_at(&vec![0; left as usize], at)?,
            _ => memfd.write_all_at(&[0; 4096], at)?,
        }
    }
}
