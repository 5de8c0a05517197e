//! The content of the message. Each word shows its position, so that a missing, repeated, moved or damaged one is
//! found.

use anyhow::{Result, ensure};

const MIB: usize = 1024 * 1024;

/// Makes the content of a message of `mib` MiB, all of it resident.
pub(crate) fn make(mib: usize) -> Vec<u8> {
    let len = len(mib);
    let mut content = Vec::with_capacity(len);
    for index in 0..len / size_of::<u64>() {
        content.extend_from_slice(&word(index));
    }
    content
}

/// Checks that `content` is that of a message of `mib` MiB.
pub(crate) fn check(content: &[u8], mib: usize) -> Result<()> {
    let (found, expected) = (content.len(), len(mib));
    ensure!(found == expected, "{found} bytes came of {expected}");
    let (words, _) = content.as_chunks();
    let damaged = words.iter().enumerate().position(|(index, &found)| found != word(index));
    ensure!(damaged.is_none(), "what came differs from word {damaged:?} on");
    Ok(())
}

/// The length of a message of `mib` MiB, in bytes.
pub(crate) fn len(mib: usize) -> usize {
    mib * MIB
}

fn word(index: usize) -> [u8; 8] {
    // An odd factor, so that no two words are the same.
    (index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()
}
