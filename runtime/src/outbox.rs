//! Encodes messages into the thread's buffer and sends the slices, for every sending endpoint.

use std::cell::Cell;
use std::io::IoSlice;
use std::os::fd::BorrowedFd;

use crate::error::{SendAllError, SendError};
use crate::message::{Borrowed, Encoder, Extent, MAX_BORROWED, Message};
use crate::transport::Outgoing;
use crate::wire::{CallHead, HEAD_LEN, Head, frame_len_bytes};

/// The largest encoding buffer that a thread keeps, in bytes.
const MAX_KEPT: usize = 256 * 1024;

/// The longest frame in a bundle, in bytes. Copying a longer one costs more than the system call that it
/// would save.
pub(crate) const MAX_BUNDLED: usize = 16 * 1024;

/// The most byte strings that the messages of one bundle borrow, and the most slices of a bundle.
const MAX_BORROWED_BUNDLED: usize = 16 + MAX_BORROWED;
const MAX_SLICES_BUNDLED: usize = 2 * MAX_BORROWED_BUNDLED + 1;

thread_local! {
    /// Empty in a thread that sends nothing.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    /// Empty in a thread whose messages have no descriptors.
    static DESCRIPTORS: Cell<Vec<BorrowedFd<'static>>> = const { Cell::new(Vec::new()) };
}

/// Encodes `message` as one frame, and sends it with `send`. Returns the frame's length.
#[inline]
pub(crate) fn send<M: Message>(
    message: &M,
    send: impl FnOnce(Outgoing<'_>) -> Result<(), SendError>,
) -> Result<usize, SendError> {
    let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
    let mut encoder = encoder::<M>(&mut borrowed);
    let result = match encoder.append(message) {
        Ok((extent, len)) => {
            let slices = encoder.slices(extent);
            let descriptors = encoder.descriptors_of(extent);
            send(Outgoing { slices: &slices, descriptors, len }).map(|()| len)
        }
        Err(error) => Err(SendError::Encode(error)),
    };
    give_back::<M>(encoder);
    result
}

/// Encodes `message` behind `head`, as a part of a call, and sends it with `send`.
#[inline]
pub(crate) fn send_part<M: Message, T>(
    head: CallHead,
    message: &M,
    send: impl FnOnce(Outgoing<'_>) -> Result<T, SendError>,
) -> Result<T, SendError> {
    let mut borrowed = [Borrowed::NOTHING; MAX_BORROWED];
    let mut encoder = encoder::<M>(&mut borrowed);
    encoder.skip_head();
    let result = match encoder.append(message) {
        Ok((extent, len)) => {
            let (descriptors, whole) = (extent, Extent::up_to(encoder.end()));
            encoder.set_head(head.to_bytes());
            let slices = encoder.slices(whole);
            let descriptors = encoder.descriptors_of(descriptors);
            send(Outgoing { slices: &slices, descriptors, len: HEAD_LEN + len })
        }
        Err(error) => Err(SendError::Encode(error)),
    };
    give_back::<M>(encoder);
    result
}

/// Encodes `messages` and sends them in bundles of at most `max` bytes. Sends a long message, or one with
/// descriptors, alone. `send` sends each datagram; its second argument says whether it is a bundle. Returns
/// the number of messages.
pub(crate) fn send_all<'m, M: Message + 'm>(
    messages: impl IntoIterator<Item = &'m M>,
    max: usize,
    send: impl FnMut(Outgoing<'_>, bool) -> Result<(), SendError>,
) -> Result<usize, SendAllError> {
    let mut borrowed = const { [Borrowed::NOTHING; MAX_BORROWED_BUNDLED] };
    let encoder = encoder::<M>(&mut borrowed);
    let mut bundler = Bundler { encoder, first: None, count: 0, len: HEAD_LEN, sent: 0, send };
    bundler.encoder.skip_head();
    let mut messages = messages.into_iter();
    let result = messages.try_for_each(|message| bundler.add(message, max));
    let result = result.and_then(|()| bundler.flush());
    let Bundler { encoder, sent, .. } = bundler;
    give_back::<M>(encoder);
    result.map(|()| sent).map_err(|error| SendAllError { sent, error })
}

/// Sends the first of `messages` like [`send_all`], but only one datagram. Returns how many messages it holds, 0 if
/// there are none.
#[cfg(feature = "tokio")]
pub(crate) fn send_first<'m, M: Message + 'm>(
    messages: impl IntoIterator<Item = &'m M>,
    max: usize,
    mut send: impl FnMut(Outgoing<'_>, bool) -> Result<(), SendError>,
) -> Result<usize, SendAllError> {
    let is_sent = Cell::new(false);
    let messages = messages.into_iter().take_while(|_| !is_sent.get());
    let result = send_all(messages, max, |outgoing, is_bundle| {
        if is_sent.get() {
            return Err(SendError::WouldBlock { len: outgoing.len });
        }
        send(outgoing, is_bundle)?;
        is_sent.set(true);
        Ok(())
    });
    match result {
        Err(stopped) if is_sent.get() => Ok(stopped.sent),
        result => result,
    }
}

/// Collects frames into bundles, and sends them.
struct Bundler<'m, S> {
    /// Room for a head, and the frames of the bundle.
    encoder: Encoder<'m>,
    /// The extent of the first frame, and its length.
    first: Option<(Extent, usize)>,
    count: usize,
    /// The length of the bundle, in bytes.
    len: usize,
    /// How many messages have been sent.
    sent: usize,
    send: S,
}

impl<'m, S: FnMut(Outgoing<'_>, bool) -> Result<(), SendError>> Bundler<'m, S> {
    /// Adds a message to the bundle, and first sends the bundle if the message does not fit. Sends a message
    /// alone if it is long or has descriptors.
    #[inline]
    fn add<M: Message>(&mut self, message: &'m M, max: usize) -> Result<(), SendError> {
        loop {
            let end = self.encoder.end();
            let (extent, len) = match self.encoder.append_behind_len(message) {
                Ok(appended) => appended,
                Err(error) => {
                    self.flush()?;
                    return Err(error.into());
                }
            };
            let bundled = len + frame_len_bytes(len).1;
            let fits = len <= MAX_BUNDLED && self.len + bundled <= max;
            if fits && self.encoder.descriptors_of(extent).is_empty() {
                self.first.get_or_insert((extent, len));
                self.count += 1;
                self.len += bundled;
                return if self.encoder.has_places() { Ok(()) } else { self.flush() };
            }
            if self.count == 0 {
                (self.first, self.count) = (Some((extent, len)), 1);
                return self.flush();
            }
            // Encode it again as the first message of the next bundle.
            self.encoder.truncate(end);
            self.flush()?;
        }
    }

    /// Sends the collected frames.
    fn flush(&mut self) -> Result<(), SendError> {
        let Some((extent, len)) = self.first.take() else { return Ok(()) };
        let mut places = [IoSlice::new(&[]); MAX_SLICES_BUNDLED];
        let (extent, len, is_bundle) = match self.count {
            1 => (extent, len, false),
            count => {
                self.encoder.set_head(Head::Bundle { count: count as u64 }.to_bytes());
                (Extent::up_to(self.encoder.end()), self.len, true)
            }
        };
        let slices = self.encoder.slices_in(extent, &mut places);
        let descriptors = self.encoder.descriptors_of(extent);
        (self.send)(Outgoing { slices, descriptors, len }, is_bundle)?;
        self.sent += self.count;
        (self.count, self.len) = (0, HEAD_LEN);
        self.encoder.clear();
        self.encoder.skip_head();
        Ok(())
    }
}

/// Creates an encoder in the thread's memory, or in new memory while the thread ends or encodes another message.
#[inline]
fn encoder<'m, M: Message>(borrowed: &'m mut [Borrowed<'m>]) -> Encoder<'m> {
    let encoder = Encoder::new(BUFFER.try_with(Cell::take).unwrap_or_default(), borrowed);
    match M::DESCRIPTORS {
        true => encoder.with_descriptors_in(DESCRIPTORS.try_with(Cell::take).unwrap_or_default()),
        false => encoder,
    }
}

/// Keeps the memory. Does nothing while the thread ends.
#[inline]
fn give_back<M: Message>(encoder: Encoder<'_>) {
    let (buffer, descriptors) = encoder.into_memory();
    if buffer.capacity() <= MAX_KEPT {
        _ = BUFFER.try_with(|kept| kept.set(buffer));
    }
    if M::DESCRIPTORS {
        _ = DESCRIPTORS.try_with(|kept| kept.set(descriptors));
    }
}
