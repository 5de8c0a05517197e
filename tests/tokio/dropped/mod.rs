//! Futures that are dropped at every poll: nothing is lost, doubled or cut.

mod driver;
mod model;
mod opening;
mod receiving;
mod sending;
mod stream;
