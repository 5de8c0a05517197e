//! Faults of shared memory.

use std::io;

use thiserror::Error;

use super::count::{bytes, with};

/// Why a descriptor is not sealed memory that is safe to read.
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
    /// It is not a memory file, or its sender can still change it.
    #[error(
        "the memory is not sealed against {}: the sender must add all four seals (F_ADD_SEALS)",
        missing_seal_names(*.missing)
    )]
    Unsealed {
        /// The missing seals, as bits: `F_SEAL_SEAL`, `F_SEAL_SHRINK`, `F_SEAL_GROW`, `F_SEAL_WRITE`.
        missing: i32,
    },

    /// It is sealed, but not made of ordinary pages. The kernel does not report which huge pages
    /// (`MFD_HUGETLB`) were written.
    #[error(
        "the memory is in a file system of type {found:#x}, not in tmpfs: \
         use memfd_create without MFD_HUGETLB"
    )]
    Backing {
        /// The type of the file system that holds it (`f_type` of statfs(2)).
        found: u64,
    },

    /// Its length differs from the one that its datagram announces.
    #[error(
        "the memory has {}, but {expected} {} announced",
        bytes(*.found), with(*.expected, "was", "were")
    )]
    Length {
        /// The announced length, in bytes.
        expected: u64,
        /// Its length, in bytes.
        found: u64,
    },

    /// It has holes: pages that its sender never wrote. Reading them would allocate memory for the receiver.
    #[error(
        "the memory of {} has a hole at byte {filled}: the sender must write every page",
        bytes(*.len)
    )]
    Sparse {
        /// Its length, in bytes.
        len: u64,
        /// The position of the first hole, in bytes.
        filled: u64,
    },

    /// The memory begins with tag 0, so it does not hold a frame.
    #[error(
        "the memory begins with tag 0, which is reserved for the runtime, so it holds no frame"
    )]
    NotAFrame,

    /// A datagram announced a frame in sealed memory, but no descriptor came with it.
    #[error("a frame in sealed memory was announced, but no descriptor came with it")]
    Missing,

    /// The operating system refused.
    #[error("the memory cannot be used")]
    Io(#[from] io::Error),
}

fn missing_seal_names(missing: i32) -> String {
    // include/uapi/linux/fcntl.h
    let names = [(1, "sealing"), (2, "shrinking"), (4, "growing"), (8, "writing")];
    let names = names.into_iter().filter(|(bit, _)| missing & bit != 0).map(|(_, name)| name);
    names.collect::<Vec<_>>().join(", ")
}
