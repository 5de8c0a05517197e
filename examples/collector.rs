//! Collects datagrams from other programs, and receives each into a buffer of exactly its size.
//!
//! There are no typed messages here. The socket and the receive are the standard library's. `peek_len` adds
//! the length of the next datagram, which the standard library lacks.
//!
//! ```console
//! $ collector unix:/tmp/collector.sock
//! $ logger --socket /tmp/collector.sock hello
//! $ NOTIFY_SOCKET=/tmp/collector.sock systemd-notify --ready
//! ```

use std::fs;
use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use anyhow::{Context as _, bail};
use clap::Parser;
use datagrammar::{Address, peek_len};

/// Prints every datagram sent to ADDRESS by any program.
#[derive(Parser)]
struct Arguments {
    /// The address: unix:/path, unix:@abstract, or udp:IP:PORT.
    address: Address,
    /// Exit after this many datagrams.
    #[arg(long)]
    count: Option<u64>,
    /// The longest datagram to print, in bytes. Longer ones are reported and dropped.
    #[arg(long, default_value_t = 1024 * 1024)]
    limit: usize,
}

fn main() -> anyhow::Result<()> {
    let Arguments { address, count, limit } = Arguments::parse();
    let socket = Socket::bind(&address).with_context(|| {
        format!("binding {address} (remove the path if an earlier run was interrupted)")
    })?;
    eprintln!("collecting at {}", socket.address(address)?);
    let mut buffer = Vec::new();
    for _ in 0..count.unwrap_or(u64::MAX) {
        let len = peek_len(&socket)?;
        // Receiving a datagram over the limit into an empty buffer drops it.
        buffer.resize(if len > limit { 0 } else { len }, 0);
        socket.receive(&mut buffer)?;
        match len > limit {
            true => println!("{len} bytes, over the limit of {limit}: dropped"),
            false => println!("{len} bytes: {}", buffer.escape_ascii()),
        }
    }
    socket.remove(&address)
}

/// A datagram socket of the standard library.
enum Socket {
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

impl Socket {
    fn bind(address: &Address) -> anyhow::Result<Self> {
        Ok(if let Some(path) = address.as_pathname() {
            Self::Unix(UnixDatagram::bind(path)?)
        } else if let Some(name) = address.as_abstract_name() {
            Self::Unix(UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(name)?)?)
        } else if let Some(inet) = address.as_udp() {
            Self::Udp(UdpSocket::bind(inet)?)
        } else {
            bail!("expected a unix: or udp: address");
        })
    }

    /// Returns the bound address: the kernel may have chosen a UDP port.
    fn address(&self, bound: Address) -> io::Result<Address> {
        match self {
            Self::Unix(_) => Ok(bound),
            Self::Udp(socket) => Ok(socket.local_addr()?.into()),
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(socket) => socket.recv(buffer),
            Self::Udp(socket) => socket.recv(buffer),
        }
    }

    /// Removes the path.
    fn remove(self, address: &Address) -> anyhow::Result<()> {
        match address.as_pathname() {
            Some(path) => fs::remove_file(path).context("removing the socket"),
            None => Ok(()),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix(socket) => socket.as_fd(),
            Self::Udp(socket) => socket.as_fd(),
        }
    }
}
