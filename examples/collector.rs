//! A collector of datagrams that other programs send, each received into a buffer of its own size.
//!
//! Nothing here is a message of ours: the socket is the standard library's, and so is the receive.
//! What is missing there is the length, which `peek_len` asks the kernel for.
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

/// Prints every datagram that comes to ADDRESS, whoever sends it.
#[derive(Parser)]
struct Arguments {
    /// unix:/path, unix:@abstract, or udp:IP:PORT.
    address: Address,
    /// End after this many datagrams.
    #[arg(long)]
    count: Option<u64>,
    /// The longest datagram that is kept, in bytes. Longer ones are named and dropped.
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
        // A datagram over the limit goes into no bytes at all, and is gone.
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

    /// Where it is: a UDP port may have been left to the kernel to choose.
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

    /// Leaves no path behind.
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
