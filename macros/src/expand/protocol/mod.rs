//! Expands a checked protocol into its answers, clients, handler traits and services.
//!
//! The items that users name stand beside the protocol, so they name everything by its full path. What needs no name
//! is in a block, like the implementation of `Message`.

mod answer;
mod client;
mod flavor;
mod handler;
mod service;
mod whole;

pub(crate) use self::whole::protocol;
