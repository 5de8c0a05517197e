//! The ways of moving a message between two datagram sockets.

mod framed;
mod plain;
mod quinn;
mod typed;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixDatagram};
use std::process;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use super::{Ends, Way};

/// The family of the sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Family {
    Unix,
    Udp,
}

impl Family {
    /// Its name in the report.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Unix => "UNIX",
            Self::Udp => "UDP",
        }
    }
}

/// A bound socket, and the address of the other one.
enum Socket {
    Unix(UnixDatagram, UnixAddr),
    Udp(UdpSocket, SocketAddr),
}

/// Binds two sockets, for messages that go from the first to the second.
pub(crate) fn pair(way: Way, family: Family) -> Result<Ends> {
    let (left, right) = match family {
        Family::Unix => unix()?,
        Family::Udp => udp()?,
    };
    match way {
        Way::SendAll | Way::Send => typed::pair(left, right, way == Way::SendAll),
        Way::Plain => plain::pair(left, right),
        Way::UdpFramed => framed::pair(left, right),
        Way::QuinnUdp => quinn::pair(left, right),
        _ => bail!("{} has no datagram sockets", way.title()),
    }
}

fn unix() -> Result<(Socket, Socket)> {
    let name = |end| format!("datagrammar-suite-{}-{end}", process::id());
    let left = UnixAddr::from_abstract_name(name("left"))?;
    let right = UnixAddr::from_abstract_name(name("right"))?;
    let (from, to) = (UnixDatagram::bind_addr(&left)?, UnixDatagram::bind_addr(&right)?);
    Ok((Socket::Unix(from, right), Socket::Unix(to, left)))
}

fn udp() -> Result<(Socket, Socket)> {
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let (from, to) = (bind()?, bind()?);
    let (left, right) = (from.local_addr()?, to.local_addr()?);
    Ok((Socket::Udp(from, right), Socket::Udp(to, left)))
}
