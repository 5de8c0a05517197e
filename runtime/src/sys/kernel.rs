//! Which kernel this is.

use std::ffi::CStr;

/// The kernel's release, such as `6.18.44`, and its first two numbers.
///
/// `int uname(struct utsname *buf)`; see [uname(2)].
///
/// [uname(2)]: https://man7.org/linux/man-pages/man2/uname.2.html
pub(crate) fn kernel_release() -> (String, (u32, u32)) {
    // SAFETY: utsname is arrays of characters, for which zero bytes are valid.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a utsname, exclusively borrowed for the call. It fails for a bad
    // pointer only, and then the name stays empty.
    unsafe { libc::uname(&raw mut names) };
    let bytes = names.release.map(libc::c_char::cast_unsigned);
    let release = CStr::from_bytes_until_nul(&bytes).unwrap_or_default().to_string_lossy();
    let mut numbers = release.split(|byte: char| !byte.is_ascii_digit());
    let mut number = || numbers.next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let version = (number(), number());
    (release.into_owned(), version)
}
