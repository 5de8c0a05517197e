//! Socket names, and their bytes as the kernel lays them out.
//!
//! The layouts are ABI: [unix(7)], [vsock(7)], [ip(7)] and [ipv6(7)]. Writing and reading them as
//! bytes needs no `unsafe` and no padding to worry about.
//!
//! [unix(7)]: https://man7.org/linux/man-pages/man7/unix.7.html
//! [vsock(7)]: https://man7.org/linux/man-pages/man7/vsock.7.html
//! [ip(7)]: https://man7.org/linux/man-pages/man7/ip.7.html
//! [ipv6(7)]: https://man7.org/linux/man-pages/man7/ipv6.7.html

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// `sizeof(sockaddr_un.sun_path)`: the most bytes of a UNIX path, whose NUL need not be there
/// (unix(7), BUGS), or of the NUL before an abstract name and the name together.
pub(crate) const SUN_PATH: usize = 108;

/// The name of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    Unix(UnixName),
    Vsock { cid: u32, port: u32 },
    Inet(SocketAddr),
}

/// What `sun_path` holds: nothing (unnamed), a path, or NUL and an abstract name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UnixName {
    len: u8,
    /// Zero from `len` on.
    bytes: [u8; SUN_PATH],
}

impl UnixName {
    pub(crate) const UNNAMED: Self = Self { len: 0, bytes: [0; SUN_PATH] };

    /// `sun_path` as given, or `None` when it does not fit.
    pub(crate) fn new(sun_path: &[u8]) -> Option<Self> {
        let mut name = Self { len: u8::try_from(sun_path.len()).ok()?, ..Self::UNNAMED };
        name.bytes.get_mut(..sun_path.len())?.copy_from_slice(sun_path);
        Some(name)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A `sockaddr` of any family, as the kernel reads and writes it.
#[repr(C, align(8))]
pub(super) struct RawName {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl RawName {
    /// `sizeof(sockaddr_storage)`.
    pub(super) const CAPACITY: usize = 128;

    /// Room for the kernel to write a name into.
    pub(super) fn empty() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0 }
    }

    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    pub(super) fn len(&self) -> libc::socklen_t {
        self.len as libc::socklen_t
    }

    /// Takes note of the length that the kernel reported.
    pub(super) fn set_len(&mut self, len: libc::socklen_t) {
        self.len = usize::try_from(len).unwrap_or(Self::CAPACITY).min(Self::CAPACITY);
    }

    /// The name that was written, or `None` for a family that this crate does not speak.
    pub(super) fn read(&self) -> Option<Name> {
        let bytes = self.bytes.get(..self.len)?;
        // An unbound datagram socket has no name at all, and the kernel reports length 0.
        let Some((family, rest)) = bytes.split_first_chunk() else {
            return Some(Name::Unix(UnixName::UNNAMED));
        };
        match i32::from(u16::from_ne_bytes(*family)) {
            libc::AF_UNIX => {
                // A path may or may not count its NUL (unix(7), BUGS); an abstract name is all of it.
                let path = match rest {
                    [0, ..] | [] => rest,
                    path => path.split(|&byte| byte == 0).next().unwrap_or_default(),
                };
                UnixName::new(path).map(Name::Unix)
            }
            libc::AF_INET => {
                let (port, rest) = rest.split_first_chunk()?;
                let ip = Ipv4Addr::from(*rest.first_chunk::<4>()?);
                Some(Name::Inet(SocketAddr::new(IpAddr::V4(ip), u16::from_be_bytes(*port))))
            }
            libc::AF_INET6 => {
                let (port, rest) = rest.split_first_chunk()?;
                // The flow label is not part of where a datagram goes or came from.
                let (_flow, rest) = rest.split_first_chunk::<4>()?;
                let (ip, rest) = rest.split_first_chunk::<16>()?;
                let scope = rest.first_chunk()?;
                Some(Name::Inet(SocketAddr::V6(SocketAddrV6::new(
                    Ipv6Addr::from(*ip),
                    u16::from_be_bytes(*port),
                    0,
                    u32::from_ne_bytes(*scope),
                ))))
            }
            libc::AF_VSOCK => {
                let (_reserved, rest) = rest.split_first_chunk::<2>()?;
                let (port, rest) = rest.split_first_chunk()?;
                let cid = rest.first_chunk()?;
                Some(Name::Vsock { cid: u32::from_ne_bytes(*cid), port: u32::from_ne_bytes(*port) })
            }
            _ => None,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
            self.len = end;
        }
    }

    fn push_family(&mut self, family: i32) {
        self.push(&(family as libc::sa_family_t).to_ne_bytes());
    }
}

impl From<&Name> for RawName {
    fn from(name: &Name) -> Self {
        let mut raw = Self::empty();
        match name {
            Name::Unix(unix) => {
                raw.push_family(libc::AF_UNIX);
                raw.push(unix.as_bytes());
                if !matches!(unix.as_bytes(), [0, ..] | []) && unix.as_bytes().len() < SUN_PATH {
                    raw.push(&[0]);
                }
            }
            Name::Vsock { cid, port } => {
                raw.push_family(libc::AF_VSOCK);
                raw.push(&[0; 2]);
                raw.push(&port.to_ne_bytes());
                raw.push(&cid.to_ne_bytes());
                raw.push(&[0; 4]);
            }
            Name::Inet(SocketAddr::V4(inet)) => {
                raw.push_family(libc::AF_INET);
                raw.push(&inet.port().to_be_bytes());
                raw.push(&inet.ip().octets());
                raw.push(&[0; 8]);
            }
            Name::Inet(SocketAddr::V6(inet)) => {
                raw.push_family(libc::AF_INET6);
                raw.push(&inet.port().to_be_bytes());
                raw.push(&inet.flowinfo().to_be_bytes());
                raw.push(&inet.ip().octets());
                raw.push(&inet.scope_id().to_ne_bytes());
            }
        }
        raw
    }
}
