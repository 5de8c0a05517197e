//! A hand-written loop: pieces of one length over a SEQPACKET socket pair, each received straight into its place, by a
//! receiver that knows the length of the message.

use std::io;
use std::os::fd::AsFd as _;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use datagrammar_benches::raw;

use super::Send;
use crate::receiving::Watch;

pub(crate) fn sender(receiver: &mut Command, piece_len: usize) -> Result<Send> {
    let (ours, theirs) = raw::pair()?;
    receiver.stdin(theirs);
    Ok(Box::new(move |content| {
        for piece in content.chunks(piece_len) {
            raw::send(ours.as_fd(), piece)?;
        }
        Ok(())
    }))
}

pub(crate) fn receive(watch: &mut Watch) -> Result<()> {
    let fd = io::stdin();
    let len = watch.len();
    watch.ready()?;
    // The kernel zeroes its pages when they are touched.
    let mut content = vec![0; len];
    let mut filled = 0;
    while filled < len {
        let room = content.get_mut(filled..).context("more came than was sent")?;
        let received = raw::recv(fd.as_fd(), room, 0)?;
        ensure!(received > 0, "the sender has died");
        filled += received;
    }
    watch.received(&content)
}
