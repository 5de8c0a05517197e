//! What every sending endpoint does: encode into a buffer of the thread's, and send the slices.

use std::cell::Cell;
use std::io::IoSlice;

use crate::error::{SendAllError, SendError};
use crate::message::{Borrowed, Encoded, Encoder, Extent, MAX_BORROWED, MAX_SLICES, Message};
use crate::transport::{MAX_TOGETHER, Parcel, Stopped};

/// The most that a thread keeps to encode its next messages into, in bytes.
const MAX_KEPT: usize = 256 * 1024;

/// How much is encoded before it is sent, in bytes, but for the last message.
pub(crate) const MAX_AHEAD: usize = 64 * 1024;

/// How many byte strings are borrowed by messages that are encoded together, and of how many slices those
/// are made that are sent by one call, at most. Every call pays for the places, and 16 frames by one call are
/// as fast as 32 (measured).
const MAX_BORROWED_TOGETHER: usize = 16 + MAX_BORROWED;
const MAX_SLICES_TOGETHER: usize = MAX_TOGETHER + MAX_SLICES;

thread_local! {
    /// A connection that sends nothing has none.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Encodes `message` as one frame, which `transmit` sends. The frame's length.
#[inline]
pub(crate) fn send<M: Message>(
    message: &M,
    transmit: impl FnOnce(Parcel<'_>) -> Result<(), SendError>,
) -> Result<usize, SendError> {
    let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
    let mut encoder = Encoder::new(take_buffer(), &mut borrowed);
    let appended = encoder.append(message);
    let encoded = encoder.finish();
    let result = appended.map_err(SendError::Encode).and_then(|(extent, len)| {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let (slices, _) = encoded.slices(extent, &mut slices);
        transmit(Parcel { slices, descriptors: encoded.descriptors(extent), len })?;
        Ok(len)
    });
    give_back(encoded);
    result
}

/// Encodes `messages`, each as one frame, which `transmit` sends some of at a time. How many there were.
pub(crate) fn send_all<'m, M: Message + 'm>(
    messages: impl IntoIterator<Item = &'m M>,
    mut transmit: impl FnMut(&[Parcel<'_>]) -> Result<(), Stopped>,
) -> Result<usize, SendAllError> {
    let mut messages = messages.into_iter();
    let mut sent = 0;
    let mut next = messages.next();
    while next.is_some() {
        let mut borrowed = const { [Borrowed::NOTHING; MAX_BORROWED_TOGETHER] };
        let mut encoder = Encoder::new(take_buffer(), &mut borrowed);
        let mut extents = const { [(Extent::NOTHING, 0); MAX_TOGETHER] };
        let (mut count, mut refused) = (0, None);
        for place in &mut extents {
            if encoder.buffered() >= MAX_AHEAD || !encoder.has_places() {
                break;
            }
            let Some(message) = next else { break };
            match encoder.append(message) {
                Ok(appended) => *place = appended,
                Err(error) => {
                    refused = Some(error);
                    break;
                }
            }
            count += 1;
            next = messages.next();
        }
        let encoded = encoder.finish();
        let extents = extents.get(..count).unwrap_or_default();
        let result = transmit_all(&encoded, extents, &mut transmit);
        give_back(encoded);
        result
            .map_err(|Stopped { sent: more, error }| SendAllError { sent: sent + more, error })?;
        sent += count;
        if let Some(error) = refused {
            return Err(SendAllError { sent, error: error.into() });
        }
    }
    Ok(sent)
}

/// Has frames sent, each given by where it is and its length.
fn transmit_all(
    encoded: &Encoded<'_>,
    extents: &[(Extent, usize)],
    transmit: &mut impl FnMut(&[Parcel<'_>]) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let mut sent = 0;
    while sent < extents.len() {
        let mut places = [IoSlice::new(&[]); MAX_SLICES_TOGETHER];
        let mut places = &mut places[..];
        let mut parcels = const { [Parcel::EMPTY; MAX_TOGETHER] };
        let mut count = 0;
        for (parcel, &(extent, len)) in parcels.iter_mut().zip(extents.iter().skip(sent)) {
            if places.len() < MAX_SLICES {
                break;
            }
            let (slices, left) = encoded.slices(extent, places);
            *parcel = Parcel { slices, descriptors: encoded.descriptors(extent), len };
            places = left;
            count += 1;
        }
        transmit(parcels.get(..count).unwrap_or_default())
            .map_err(|stopped| Stopped { sent: sent + stopped.sent, ..stopped })?;
        sent += count;
    }
    Ok(())
}

/// The thread's buffer; a new one while the thread ends, or while it encodes another message.
#[inline]
fn take_buffer() -> Vec<u8> {
    BUFFER.try_with(Cell::take).unwrap_or_default()
}

#[inline]
fn give_back(encoded: Encoded<'_>) {
    let buffer = encoded.into_buffer();
    if buffer.capacity() <= MAX_KEPT {
        // Or else the thread is ending.
        _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
}
