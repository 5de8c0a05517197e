//! Receives frames as bytes, for every kind of socket.
//!
//! ```text
//!  inbox ─── classifies datagrams, and returns the next frame
//!    ├─ feed ─── waits for the next datagram, and reads it
//!    │    ├─ turn ───── whether to begin with the peek or with the read
//!    │    ├─ pieces ─── a large frame in pieces
//!    │    │    └─ assembly ── the pieces that have arrived
//!    │    └─ slot ───── the last datagram, in a lane or in own memory
//!    │         └─ pool ────── idle lanes
//!    ├─ bundle ─ many frames in one datagram
//!    └─ memory ─ a frame in sealed memory
//! ```

mod assembly;
mod bundle;
mod feed;
mod inbox;
mod memory;
mod pieces;
mod pool;
mod slot;
mod turn;

pub(crate) use self::inbox::Inbox;
