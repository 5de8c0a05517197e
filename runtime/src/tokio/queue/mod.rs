//! Queues: many tasks send over one connection.
//!
//! ```text
//!  handle ─┬─ turn ─┬─ shared ─┬─ backlog ── pool   the datagrams to send, and memory for more
//!  driver ─┴─ idle ─┘          └─ waiters           the calls that wait for room
//! ```

mod driver;
mod handle;
mod idle;
mod shared;
mod turn;
mod waiters;

pub use self::driver::QueueDriver;
pub use self::handle::Queue;
