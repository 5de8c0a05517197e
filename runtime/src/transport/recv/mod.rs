//! Receives frames as bytes, for every kind of socket.
//!
//! ```text
//!  inbox ─── returns the next frame
//!    ├─ classify ─── classifies a datagram, and handles it
//!    │    ├─ bundle ────── many frames in one datagram
//!    │    └─ memory ────── a frame in sealed memory
//!    └─ reader ───── waits for the next datagram
//!         ├─ first_call ── whether to begin with the peek or with the read
//!         └─ pieces ────── reads datagrams: a piece directly into its place
//!              ├─ assembly ── the frame under assembly
//!              └─ slot ────── the last datagram, in a lane or in own memory
//!                   └─ pool ──── idle lanes
//! ```

mod assembly;
mod bundle;
mod classify;
mod first_call;
mod inbox;
mod memory;
mod pieces;
mod pool;
mod reader;
mod slot;

pub(crate) use self::inbox::Inbox;
