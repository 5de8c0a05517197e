//! Parses addresses.

use datagrammar::Address;

/// Parses an address. Its text must parse to the same address.
pub fn address(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    let Ok(address) = text.parse::<Address>() else { return };
    let written = address.to_string();
    assert_eq!(written.parse::<Address>().as_ref(), Ok(&address), "{text:?} is {written:?}");
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "unix:/run/blobs.sock",
        "unix:@abstract",
        "unix:@a\\x00b",
        "unix:",
        "vsock:2:1234",
        "udp:127.0.0.1:7000",
        "udp:[::1]:7000",
        "udp:[fe80::1%2]:7000",
    ];
    texts.into_iter().map(|text| text.as_bytes().to_vec()).collect()
}
