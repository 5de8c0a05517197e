//! Receiving frames as bytes: one read, one inbox, one assembly, for every kind of socket.
//!
//! ```text
//!  inbox ─── what a datagram is, and which frame comes next
//!    ├─ feed ─── the next datagram: wait for it, read it
//!    │    ├─ turn ───── whether to begin with the peek or with the read
//!    │    ├─ pieces ─── a large frame that comes in pieces
//!    │    │    └─ assembly ── … what has come of it
//!    │    └─ slot ───── the read, and where the last datagram lies: in a lane, or in own memory
//!    │         └─ pool ────── lanes that nobody uses
//!    ├─ bundle ─ many frames in one datagram
//!    └─ memory ─ a frame in sealed memory beside its datagram
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
