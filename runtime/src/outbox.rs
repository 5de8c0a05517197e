//! What every sending endpoint does: encode into a buffer of the thread's, and send the slices.

use std::cell::Cell;
use std::io::IoSlice;
use std::mem;

use crate::error::{EncodeError, SendAllError, SendError};
use crate::message::{Encoder, Layout, MAX_SLICES, Message};
use crate::socket::{MAX_TOGETHER, Parcel, Stopped};

/// The most that a thread keeps to encode its next messages into, in bytes.
const MAX_KEPT: usize = 256 * 1024;

/// How much is encoded at most before it is sent, in bytes, but for the last message.
const MAX_AHEAD: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The thread's buffer, which it gets back when this is dropped: a connection that sends nothing has none.
struct Lent(Vec<u8>);

impl Lent {
    #[inline]
    fn take() -> Self {
        // There is none while the thread ends, or while another message is encoded.
        let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
        buffer.clear();
        Self(buffer)
    }

    /// Encodes a message after those that have been. What comes of one that cannot be encoded is taken away.
    #[inline]
    fn encode<'m, M: Message>(&mut self, message: &'m M) -> Result<Layout<'m>, EncodeError> {
        let start = self.0.len();
        let mut encoder = Encoder::new(mem::take(&mut self.0));
        let result = message.encode(&mut encoder);
        let (buffer, layout) = encoder.finish();
        self.0 = buffer;
        let result = result.and_then(|()| layout.check());
        if result.is_err() {
            self.0.truncate(start);
        }
        result.map(|_len| layout)
    }
}

impl Drop for Lent {
    #[inline]
    fn drop(&mut self) {
        if self.0.capacity() <= MAX_KEPT {
            _ = BUFFER.try_with(|buffer| buffer.set(mem::take(&mut self.0)));
        }
    }
}

/// Encodes `message` as one frame, which `transmit` sends. The frame's length.
#[inline]
pub(crate) fn send<M: Message>(
    message: &M,
    transmit: impl FnOnce(Parcel<'_>) -> Result<(), SendError>,
) -> Result<usize, SendError> {
    let mut lent = Lent::take();
    let layout = lent.encode(message)?;
    let mut slices = [IoSlice::new(&[]); MAX_SLICES];
    let parcel = parcel(&layout, &lent.0, &mut slices);
    transmit(parcel)?;
    Ok(parcel.len)
}

/// Encodes `messages`, each as one frame, which `transmit` sends some of at a time. How many there were.
pub(crate) fn send_all<'m, M: Message + 'm>(
    messages: impl IntoIterator<Item = &'m M>,
    mut transmit: impl FnMut(&[Parcel<'_>]) -> Result<(), Stopped>,
) -> Result<usize, SendAllError> {
    let mut messages = messages.into_iter();
    let mut lent = Lent::take();
    let mut sent = 0;
    loop {
        let mut layouts = [const { None }; MAX_TOGETHER];
        let mut count = 0;
        let mut refused = None;
        lent.0.clear();
        for place in &mut layouts {
            if lent.0.len() >= MAX_AHEAD {
                break;
            }
            let Some(message) = messages.next() else { break };
            match lent.encode(message) {
                Ok(layout) => *place = Some(layout),
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
            count += 1;
        }
        let mut slices = [[IoSlice::new(&[]); MAX_SLICES]; MAX_TOGETHER];
        let mut parcels = [Parcel::EMPTY; MAX_TOGETHER];
        for ((place, slices), layout) in
            parcels.iter_mut().zip(&mut slices).zip(layouts.iter().flatten())
        {
            *place = parcel(layout, &lent.0, slices);
        }
        transmit(parcels.get(..count).unwrap_or_default())
            .map_err(|stopped| SendAllError { sent: sent + stopped.sent, error: stopped.error })?;
        sent += count;
        match refused {
            Some(error) => return Err(SendAllError { sent, error: error.into() }),
            None if count == 0 => return Ok(sent),
            None => {}
        }
    }
}

/// A frame, as it is sent.
#[inline]
fn parcel<'p>(
    layout: &'p Layout<'p>,
    buffer: &'p [u8],
    slices: &'p mut [IoSlice<'p>; MAX_SLICES],
) -> Parcel<'p> {
    let slices = layout.slices(buffer, slices);
    let len = slices.iter().map(|slice| slice.len()).sum();
    Parcel { slices, descriptors: layout.descriptors(), len }
}
