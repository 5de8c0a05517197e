//! Receives frames as bytes, for every kind of socket.
//!
//! ```text
//!  next ─── returns the next frame, or its length
//!    └─ classify ─── classifies a datagram, and handles it
//!         ├─ memory ─────── a frame in sealed memory
//!         └─ reader ─────── returns the next datagram, and waits for it
//!              └─ inbox ──────── the last datagram, and the rest of its bundle
//!                   ├─ bundle ────── many frames in one datagram
//!                   ├─ first_call ── whether to begin with the peek or with the read
//!                   └─ pieces ────── reads datagrams: a piece directly into its place
//!                        ├─ assembly ── the frame under assembly
//!                        └─ slot ────── the last datagram, in a lane or in own memory
//!                             └─ pool ──── idle lanes
//! ```

mod assembly;
mod bundle;
mod classify;
mod first_call;
mod inbox;
mod memory;
mod next;
mod pieces;
mod pool;
mod reader;
mod slot;

pub(crate) use self::inbox::Inbox;
#[cfg(feature = "tokio")]
pub(crate) use self::reader::check_shutdown;
