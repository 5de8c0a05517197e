//! Addresses of endpoints, as text and as the kernel's socket name.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use crate::error::AddressError;
use crate::sys::{Kind, Name, SUN_PATH, View};

/// The address of an endpoint.
///
/// It parses from text, and prints as text that parses to the same address.
///
/// | text | meaning |
/// | --- | --- |
/// | `unix:/run/blobs.sock` | a UNIX socket at a path, of at most 108 bytes |
/// | `unix:@blobs` | a UNIX socket with an abstract name, of at most 107 bytes. The name has no permissions: anybody in the network namespace can take it |
/// | `vsock:2:9000` | a port of a virtual machine, named by its CID. CID 2 is the host. CID 1 is this machine, if the kernel has `vsock_loopback`. CID 4294967295 listens on every CID of this machine |
/// | `udp:127.0.0.1:9000`, `udp:[::1]:9000` | a UDP port of an IP address |
///
/// In a UNIX address, `%` and two hexadecimal digits stand for one byte (`%25` is a percent sign), so text
/// can express every path and name. An address is `Copy`, and allocates nothing. The address of a UNIX socket
/// that was never bound has no text form: it prints as `(unnamed)`, which does not parse.
///
/// With serde, an address is its text, in messages and in configuration files.
///
/// ```
/// use datagrammar::Address;
///
/// let address: Address = "unix:/run/blobs.sock".parse()?;
/// assert_eq!(address.as_pathname(), Some(std::path::Path::new("/run/blobs.sock")));
/// assert_eq!(address.to_string(), "unix:/run/blobs.sock");
/// # Ok::<(), datagrammar::AddressError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Address {
    name: Name,
}

impl Address {
    /// Returns the address of a UNIX socket at `path`.
    ///
    /// # Errors
    ///
    /// [`AddressError::NoName`] if the path is empty, [`AddressError::TooLong`] if it is longer than
    /// 108 bytes, [`AddressError::NulInPath`] if it contains a NUL byte.
    ///
    /// ```
    /// # use datagrammar::Address;
    /// assert_eq!(Address::from_pathname("/run/a b.sock")?, "unix:/run/a b.sock".parse()?);
    /// # Ok::<(), datagrammar::AddressError>(())
    /// ```
    pub fn from_pathname(path: impl AsRef<Path>) -> Result<Self, AddressError> {
        let bytes = path.as_ref().as_os_str().as_bytes();
        if bytes.is_empty() {
            return Err(AddressError::NoName);
        }
        if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
            return Err(AddressError::NulInPath { at });
        }
        Self::unix("path", bytes.len(), bytes)
    }

    /// Returns the address of a UNIX socket with the abstract name `name`, which may be any bytes.
    ///
    /// # Errors
    ///
    /// [`AddressError::NoName`] if the name is empty, [`AddressError::TooLong`] if it is longer than
    /// 107 bytes.
    ///
    /// ```
    /// # use datagrammar::Address;
    /// assert_eq!(Address::from_abstract_name("blobs")?, "unix:@blobs".parse()?);
    /// # Ok::<(), datagrammar::AddressError>(())
    /// ```
    pub fn from_abstract_name(name: impl AsRef<[u8]>) -> Result<Self, AddressError> {
        let name = name.as_ref();
        if name.is_empty() {
            return Err(AddressError::NoName);
        }
        Self::unix("name", name.len(), &[&[0], name].concat())
    }

    /// Returns the address of a port of the virtual machine `cid`. CID 2 is the host.
    ///
    /// ```
    /// # use datagrammar::Address;
    /// assert_eq!(Address::vsock(2, 9000), "vsock:2:9000".parse()?);
    /// # Ok::<(), datagrammar::AddressError>(())
    /// ```
    #[must_use]
    pub fn vsock(cid: u32, port: u32) -> Self {
        Self { name: Name::vsock(cid, port) }
    }

    /// Returns the path, if this is a UNIX address with one.
    #[must_use]
    pub fn as_pathname(&self) -> Option<&Path> {
        match self.name.view() {
            View::Unix(unix) => match unix {
                [] | [0, ..] => None,
                path => Some(Path::new(OsStr::from_bytes(path))),
            },
            _ => None,
        }
    }

    /// Returns the abstract name, if this is a UNIX address with one.
    #[must_use]
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        match self.name.view() {
            View::Unix(unix) => unix.strip_prefix(&[0]),
            _ => None,
        }
    }

    /// Returns the IP address and the port, if this is a UDP address.
    #[must_use]
    pub fn as_udp(&self) -> Option<SocketAddr> {
        match self.name.view() {
            View::Inet(inet) => Some(inet),
            _ => None,
        }
    }

    /// Returns the CID and the port, if this is a vsock address.
    #[must_use]
    pub fn as_vsock(&self) -> Option<(u32, u32)> {
        match self.name.view() {
            View::Vsock { cid, port } => Some((cid, port)),
            _ => None,
        }
    }

    /// Returns whether this is the address of a UNIX socket that was never bound. Nothing can be sent
    /// to it.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.name == Name::UNNAMED
    }

    /// Returns the kind of socket that connects to this address.
    pub(crate) fn connection_kind(&self) -> Option<Kind> {
        match self.name.view() {
            View::Unix(_) => Some(Kind::UnixSeqpacket),
            View::Vsock { .. } => Some(Kind::VsockSeqpacket),
            View::Inet(_) => None,
        }
    }

    /// Returns the kind of socket that sends datagrams to this address without a connection.
    pub(crate) fn datagram_kind(&self) -> Option<Kind> {
        match self.name.view() {
            View::Unix(_) => Some(Kind::UnixDatagram),
            View::Vsock { .. } => None,
            View::Inet(SocketAddr::V4(_)) => Some(Kind::Udp4),
            View::Inet(SocketAddr::V6(_)) => Some(Kind::Udp6),
        }
    }

    pub(crate) fn name(&self) -> &Name {
        &self.name
    }

    fn unix(kind: &'static str, len: usize, sun_path: &[u8]) -> Result<Self, AddressError> {
        let max = SUN_PATH - (sun_path.len() - len);
        let name = Name::unix(sun_path).ok_or(AddressError::TooLong { kind, len, max })?;
        Ok(Self { name })
    }
}

impl From<Name> for Address {
    fn from(name: Name) -> Self {
        Self { name }
    }
}

impl From<SocketAddr> for Address {
    /// Returns a UDP address. Drops the IPv6 flow label, which does not identify a destination.
    fn from(mut inet: SocketAddr) -> Self {
        if let SocketAddr::V6(inet) = &mut inet {
            inet.set_flowinfo(0);
        }
        Self { name: Name::inet(inet) }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.split_once(':') {
            Some(("unix", unix)) => match unix.strip_prefix('@') {
                Some(name) => Self::from_abstract_name(unescape(name, 1)?),
                None => Self::from_pathname(OsStr::from_bytes(&unescape(unix, 0)?)),
            },
            Some(("vsock", vsock)) => {
                let numbers = vsock
                    .split_once(':')
                    .and_then(|(cid, port)| Some((cid.parse().ok()?, port.parse().ok()?)));
                match numbers {
                    Some((cid, port)) => Ok(Self::vsock(cid, port)),
                    None => Err(AddressError::Vsock { text: vsock.into() }),
                }
            }
            Some(("udp", udp)) => match udp.parse::<SocketAddr>() {
                Ok(inet) => Ok(inet.into()),
                Err(_) => Err(AddressError::Udp { text: udp.into() }),
            },
            _ => Err(AddressError::UnknownFamily { text: text.into() }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.view() {
            View::Unix(unix) => match unix {
                [] => f.write_str("(unnamed)"),
                [0, name @ ..] => {
                    f.write_str("unix:@")?;
                    escape(name, f)
                }
                // A relative path that begins with `@`, which would parse as an abstract name.
                [b'@', path @ ..] => {
                    f.write_str("unix:%40")?;
                    escape(path, f)
                }
                path => {
                    f.write_str("unix:")?;
                    escape(path, f)
                }
            },
            View::Vsock { cid, port } => write!(f, "vsock:{cid}:{port}"),
            View::Inet(inet) => write!(f, "udp:{inet}"),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_unnamed() {
            true => {
                Err(ser::Error::custom("the address of a socket that was never bound has no text"))
            }
            false => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Writes bytes as text, and `%XX` for each byte that is not printable.
fn escape(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || character == '%' {
                let mut utf8 = [0; 4];
                hex(character.encode_utf8(&mut utf8).as_bytes(), f)?;
            } else {
                f.write_char(character)?;
            }
        }
        hex(chunk.invalid(), f)?;
    }
    Ok(())
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "%{byte:02x}"))
}

/// Decodes each `%XX` of `text`. `skipped` is the number of address bytes before `text`, for error
/// positions.
fn unescape(text: &str, skipped: usize) -> Result<Vec<u8>, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    let mut at = skipped + bytes.len();
    for part in parts {
        let digits = part.get(..2).filter(|digits| !digits.starts_with('+'));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or(AddressError::BadEscape { at })?);
        bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
        at += 1 + part.len();
    }
    Ok(bytes)
}
