//! Socket names: a `sockaddr` in the kernel's layout, so sends and receives need no conversion.
//!
//! The layouts are ABI: unix(7), vsock(7), ip(7) and ipv6(7). Encoding and decoding bytes needs no
//! `unsafe`, and no care for padding.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// `sizeof(sockaddr_un.sun_path)`: the most bytes of a UNIX path, which may lack its NUL (unix(7), BUGS), or of
/// a NUL and an abstract name.
pub(crate) const SUN_PATH: usize = 108;

/// The name of a socket.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Name {
    /// A `sockaddr` of `len` bytes. A UNIX path has no NUL: the kernel adds it (unix(7), BUGS).
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

/// A parsed name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View<'n> {
    /// `sun_path`: nothing (unnamed), a path, or NUL and an abstract name.
    Unix(&'n [u8]),
    Vsock {
        cid: u32,
        port: u32,
    },
    Inet(SocketAddr),
}

impl Name {
    /// More than any supported family needs: a family and a path, to which the kernel may add a NUL.
    pub(super) const CAPACITY: usize = 119;

    /// The name of a UNIX socket that was never bound. Also room for the kernel to write a name.
    pub(crate) const UNNAMED: Self = {
        let mut bytes = [0; Self::CAPACITY];
        [bytes[0], bytes[1]] = (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes();
        Self { bytes, len: FAMILY_LEN as u8 }
    };

    /// Returns the name of a UNIX socket with this `sun_path`, or `None` if it does not fit.
    pub(crate) fn unix(sun_path: &[u8]) -> Option<Self> {
        let fits = sun_path.len() <= SUN_PATH;
        fits.then(|| Self::new(libc::AF_UNIX, &[sun_path]))
    }

    pub(crate) fn vsock(cid: u32, port: u32) -> Self {
        let (cid, port) = (cid.to_ne_bytes(), port.to_ne_bytes());
        Self::new(libc::AF_VSOCK, &[&[0; 2], &port, &cid, &[0; 4]])
    }

    pub(crate) fn inet(inet: SocketAddr) -> Self {
        let port = inet.port().to_be_bytes();
        match inet {
            SocketAddr::V4(inet) => {
                Self::new(libc::AF_INET, &[&port, &inet.ip().octets(), &[0; 8]])
            }
            SocketAddr::V6(inet) => {
                let (flow, scope) = (inet.flowinfo().to_be_bytes(), inet.scope_id().to_ne_bytes());
                Self::new(libc::AF_INET6, &[&port, &flow, &inet.ip().octets(), &scope])
            }
        }
    }

    /// Parses the name.
    pub(crate) fn view(&self) -> View<'_> {
        self.read().unwrap_or(View::Unix(&[]))
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    pub(super) fn len(&self) -> libc::socklen_t {
        self.len.into()
    }

    /// Records that the kernel wrote a name of `len` bytes. A name of an unsupported family becomes unnamed.
    pub(super) fn set_len(&mut self, len: libc::socklen_t) {
        self.len = u8::try_from(len).unwrap_or(u8::MAX).min(Self::CAPACITY as u8);
        match self.read() {
            // The kernel may or may not count the NUL of a path (unix(7), BUGS). All bytes of an abstract
            // name count.
            Some(View::Unix(path @ [1..=u8::MAX, ..])) => {
                let len = path.iter().position(|&byte| byte == 0).unwrap_or(path.len());
                self.len = (FAMILY_LEN + len) as u8;
            }
            Some(_) => {}
            // Or the length is 0: an unbound UNIX datagram socket.
            None => *self = Self::UNNAMED,
        }
    }

    fn new(family: libc::c_int, parts: &[&[u8]]) -> Self {
        let (mut name, mut len) = (Self::UNNAMED, 0);
        let family = (family as libc::sa_family_t).to_ne_bytes();
        let bytes = family.iter().chain(parts.iter().copied().flatten());
        for (place, byte) in name.bytes.iter_mut().zip(bytes) {
            *place = *byte;
            len += 1;
        }
        Self { len, ..name }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Parses the name. Returns `None` for an unsupported family.
    fn read(&self) -> Option<View<'_>> {
        let (family, rest) = self.as_bytes().split_first_chunk()?;
        match i32::from(u16::from_ne_bytes(*family)) {
            libc::AF_UNIX => Some(View::Unix(rest)),
            libc::AF_INET => {
                let (port, rest) = rest.split_first_chunk()?;
                let ip = Ipv4Addr::from(*rest.first_chunk::<4>()?);
                Some(View::Inet(SocketAddrV4::new(ip, u16::from_be_bytes(*port)).into()))
            }
            libc::AF_INET6 => {
                let (port, rest) = rest.split_first_chunk()?;
                let (flow, rest) = rest.split_first_chunk()?;
                let (ip, rest) = rest.split_first_chunk::<16>()?;
                let (ip, port) = (Ipv6Addr::from(*ip), u16::from_be_bytes(*port));
                let (flow, scope) = (u32::from_be_bytes(*flow), rest.first_chunk()?);
                let scope = u32::from_ne_bytes(*scope);
                Some(View::Inet(SocketAddrV6::new(ip, port, flow, scope).into()))
            }
            libc::AF_VSOCK => {
                let (_reserved, rest) = rest.split_first_chunk::<2>()?;
                let (port, rest) = rest.split_first_chunk()?;
                let cid = u32::from_ne_bytes(*rest.first_chunk()?);
                Some(View::Vsock { cid, port: u32::from_ne_bytes(*port) })
            }
            _ => None,
        }
    }
}

/// The length of the family at the front of a `sockaddr`, in bytes.
const FAMILY_LEN: usize = size_of::<libc::sa_family_t>();

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    /// The name that the kernel would write as `bytes`.
    fn written(bytes: &[u8]) -> Name {
        let mut name = Name { bytes: [0; Name::CAPACITY], len: 0 };
        name.bytes.get_mut(..bytes.len()).unwrap().copy_from_slice(bytes);
        name.set_len(bytes.len() as libc::socklen_t);
        name
    }

    #[test]
    fn a_path_is_the_same_with_and_without_its_nul() {
        let family = (libc::AF_UNIX as u16).to_ne_bytes();
        let path = Name::unix(b"/a").unwrap();
        for bytes in [&b"/a"[..], b"/a\0", b"/a\0\0\0"] {
            assert_eq!(written(&[&family, bytes].concat()), path);
        }
        assert_eq!((path.view(), path.len()), (View::Unix(b"/a"), 4));
        let longest = Name::unix(&[b'x'; SUN_PATH]).unwrap();
        assert_eq!(longest.len(), 110);
        assert_eq!(Name::unix(&[b'x'; SUN_PATH + 1]), None);
    }

    #[test]
    fn an_abstract_name_is_all_of_its_bytes() {
        let family = (libc::AF_UNIX as u16).to_ne_bytes();
        let name = Name::unix(b"\0a\0").unwrap();
        assert_eq!(written(&[&family, &b"\0a\0"[..]].concat()), name);
        assert_ne!(written(&[&family, &b"\0a"[..]].concat()), name);
        assert_eq!(name.len(), 5);
    }

    #[test]
    fn what_cannot_be_said_is_no_name() {
        for bytes in [&[][..], &[1], &[1, 0], &[99, 0, 1, 2, 3], &[2, 0, 1]] {
            assert_eq!(written(bytes), Name::UNNAMED);
        }
        assert_eq!(Name::UNNAMED.len(), 2);
    }
}
