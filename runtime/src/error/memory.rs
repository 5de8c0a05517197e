//! What is wrong with a descriptor that should be sealed memory.

use std::io;

use thiserror::Error;

/// Why a descriptor is not memory that can be read without its sender interfering.
///
/// ```
/// use std::fs::File;
///
/// use datagrammar::{MemoryFault, SharedBytes};
///
/// let file = File::open("/proc/version")?;
/// let refused = SharedBytes::try_from(std::os::fd::OwnedFd::from(file));
/// assert!(matches!(refused, Err(MemoryFault::Unsealed { .. })));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MemoryFault {
    /// It is not a memory file, or one that its sender can still change.
    #[error(
        "the memory is not sealed against {} (memfd_create, then fcntl F_ADD_SEALS with all four)",
        unsealed(*.missing)
    )]
    Unsealed {
        /// The missing ones of `F_SEAL_SEAL`, `F_SEAL_SHRINK`, `F_SEAL_GROW` and `F_SEAL_WRITE`.
        missing: i32,
    },

    /// It is sealed, but not made of ordinary pages. Of huge pages (`MFD_HUGETLB`), the kernel does not
    /// tell which ones were paid for.
    #[error(
        "the memory is in a file system of type {found:#x}, not in tmpfs: \
         use memfd_create without MFD_HUGETLB"
    )]
    Backing {
        /// The type of the file system that holds it (`f_type` of statfs(2)).
        found: u64,
    },

    /// It is not as long as its datagram says.
    #[error("the memory holds {found} bytes, and {expected} were announced")]
    Length {
        /// The length announced.
        expected: u64,
        /// Its length.
        found: u64,
    },

    /// It has holes, which reading would fill at the receiver's expense.
    #[error(
        "nothing was written at byte {filled} of the memory's {len}: reading that would be at our expense"
    )]
    Sparse {
        /// Its length.
        len: u64,
        /// How much of it comes before the first hole.
        filled: u64,
    },

    /// It begins with the byte 0, as no frame does.
    #[error("the memory begins with tag 0, which is the runtime's, and holds no frame")]
    NotAFrame,

    /// No descriptor came with a datagram that says so.
    #[error("a frame in memory was announced, and no descriptor came with it")]
    Missing,

    /// The operating system refused.
    #[error("the memory cannot be used")]
    Io(#[from] io::Error),
}

fn unsealed(missing: i32) -> String {
    // include/uapi/linux/fcntl.h
    let names = [(1, "sealing"), (2, "shrinking"), (4, "growing"), (8, "writing")];
    let names = names.into_iter().filter(|(bit, _)| missing & bit != 0).map(|(_, name)| name);
    names.collect::<Vec<_>>().join(", ")
}
