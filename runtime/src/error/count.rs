//! Numbers with their units in the texts of errors: `1 byte`, `2 bytes`.

use std::fmt;

/// A number and its unit.
pub(crate) struct Count<N>(N, &'static str);

/// Returns a number of bytes, for printing.
pub(crate) fn bytes<N>(number: N) -> Count<N> {
    Count(number, "byte")
}

/// Returns a number of `unit`, which is a singular that takes an `s`, for printing.
pub(super) fn number_of<N>(number: N, unit: &'static str) -> Count<N> {
    Count(number, unit)
}

/// Returns the word that goes with a number.
pub(crate) fn with<N: PartialEq + From<u8>>(
    number: N,
    one: &'static str,
    several: &'static str,
) -> &'static str {
    match number == N::from(1) {
        true => one,
        false => several,
    }
}

impl<N: fmt::Display + PartialEq + From<u8> + Copy> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, unit) = *self;
        write!(f, "{number} {unit}{}", with(number, "", "s"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::super::{
        AddressError, BundleFault, DecodeError, Fault, FragmentFault, MemoryFault, RecvError,
        SendAllError, SendError,
    };

    /// All texts with numbers, each number being `n`.
    fn texts(n: usize) -> Vec<String> {
        let (wide, len, count) = (n as u64, n, n);
        let io = || ErrorKind::Other.into();
        let at = 0;
        vec![
            AddressError::TooLong { kind: "path", len, max: n }.to_string(),
            BundleFault::Long { len, max: n }.to_string(),
            BundleFault::Missing { missing: wide }.to_string(),
            BundleFault::Overrun { at, len: wide, left: n }.to_string(),
            BundleFault::Trailing { left: n }.to_string(),
            BundleFault::Descriptors { count }.to_string(),
            DecodeError::Tag { len, fault: Fault::Short { missing: n } }.to_string(),
            DecodeError::TrailingBytes { consumed: n, len }.to_string(),
            DecodeError::FdCount { declared: n, received: n }.to_string(),
            DecodeError::DescriptorsTaken { count }.to_string(),
            FragmentFault::Short { len }.to_string(),
            FragmentFault::Long { len }.to_string(),
            FragmentFault::Offset { expected: n, found: wide }.to_string(),
            FragmentFault::Overrun { offset: n, len, total: n }.to_string(),
            MemoryFault::Length { expected: wide, found: wide }.to_string(),
            MemoryFault::Sparse { len: wide, filled: wide }.to_string(),
            RecvError::TooLarge { len, limit: n }.to_string(),
            RecvError::OverBudget { len, held: n, budget: n }.to_string(),
            RecvError::Incomplete { received: n, total: n }.to_string(),
            RecvError::Unfinished { received: n, total: n }.to_string(),
            RecvError::DescriptorsLost { received: n, limit: None }.to_string(),
            RecvError::NoMemory { len }.to_string(),
            SendError::WouldBlock { len }.to_string(),
            SendError::TimedOut { len }.to_string(),
            SendError::Full { len, capacity: n }.to_string(),
            SendError::TooLarge { len, max: None }.to_string(),
            SendError::NoDescriptors { count, family: "UDP" }.to_string(),
            SendError::TooManyDescriptors { count, max: n }.to_string(),
            SendError::DescriptorsRefused { count }.to_string(),
            SendError::DescriptorsTaken { count }.to_string(),
            SendError::Io { len, source: io() }.to_string(),
            SendAllError { sent: n, error: SendError::Disconnected }.to_string(),
        ]
    }

    const UNITS: [&str; 4] = ["byte", "descriptor", "frame", "message"];

    /// Returns each unit after the number in a text, and the word after it.
    fn units(text: &str, number: &str) -> Vec<(String, String)> {
        let word = |word: &str| word.trim_matches([':', ',', ';']).to_owned();
        let words: Vec<_> = text.split(' ').map(word).collect();
        let is_unit = |word: &str| UNITS.contains(&word.trim_end_matches('s'));
        let at = |at: usize| words.get(at).cloned().unwrap_or_default();
        let found = (1..words.len()).filter(|&unit| at(unit - 1) == number && is_unit(&at(unit)));
        found.map(|unit| (at(unit), at(unit + 1))).collect()
    }

    #[test]
    fn one_is_a_singular_and_others_are_plurals() {
        let (mut singulars, mut plurals) = (0, 0);
        for text in texts(1) {
            for (unit, verb) in units(&text, "1") {
                assert!(!unit.ends_with('s'), "{text}");
                assert!(!["are", "were", "follow"].contains(&&*verb), "{text}");
                singulars += 1;
            }
        }
        for text in texts(2) {
            for (unit, verb) in units(&text, "2") {
                assert!(unit.ends_with('s'), "{text}");
                assert!(!["was", "follows"].contains(&&*verb), "{text}");
                plurals += 1;
            }
        }
        assert!(singulars >= 25 && singulars == plurals, "{singulars} {plurals}");
    }
}
