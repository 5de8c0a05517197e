//! Queues: many tasks send over one connection.

mod ends;
mod kinds;
mod memory;
mod model;
mod order;
mod room;
mod steps;
