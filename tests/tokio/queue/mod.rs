//! Queues: many tasks send over one connection.

mod ends;
mod kinds;
mod model;
mod order;
mod room;
mod steps;
