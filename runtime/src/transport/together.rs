//! Sending several frames over a connection by one call.

use super::pieces::transmit_connected;
use super::transmit::{Parcel, not_ready};
use super::turns::Turns;
use crate::error::SendError;
use crate::sys::{self, DatagramFd, Kind};
use crate::wait::Wait;

/// The most frames that are sent by one call.
pub(crate) const MAX_TOGETHER: usize = sys::MAX_TOGETHER;

/// Why not all of several frames were sent.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// How many were.
    pub(crate) sent: usize,
    /// Why the next one was not.
    pub(crate) error: SendError,
}

/// Sends frames to the connected peer, in order.
pub(crate) fn transmit_together(
    fd: &DatagramFd,
    turns: &mut Turns,
    parcels: &[Parcel<'_>],
    wait: Wait,
) -> Result<(), Stopped> {
    let mut left = parcels;
    while let [first, others @ ..] = left {
        let sent = parcels.len() - left.len();
        let gone = send_some(fd, turns, left, wait).map_err(|error| Stopped { sent, error })?;
        left = left.get(gone..).unwrap_or_default();
        if gone > 0 {
            continue;
        }
        // It cannot go by the same call as others: for its size, for its descriptors, or because there is
        // no room now, and somebody has to wait for it. Or something is wrong, which is told.
        transmit_connected(fd, turns, *first, wait).map_err(|error| Stopped { sent, error })?;
        left = others;
    }
    Ok(())
}

/// Sends as many frames as go by one call, and returns how many.
fn send_some(
    fd: &DatagramFd,
    turns: &mut Turns,
    parcels: &[Parcel<'_>],
    wait: Wait,
) -> Result<usize, SendError> {
    let alike = parcels.iter().take_while(|parcel| parcel.descriptors.is_empty()).count();
    // Over vsock, a call that is interrupted may have sent a part of a frame.
    if alike < 2 || fd.kind() == Kind::VsockSeqpacket {
        return Ok(0);
    }
    let len = parcels.first().map_or(0, |parcel| parcel.len);
    let _turn = turns.small(wait).map_err(|reason| not_ready(reason, len))?;
    let frames = parcels.iter().take(alike).map(|parcel| parcel.slices);
    // Why the first could not be sent shows when it is sent by itself.
    Ok(sys::send_many(fd, frames, wait.blocks()).unwrap_or_default())
}
