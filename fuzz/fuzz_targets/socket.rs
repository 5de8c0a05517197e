//! The target `socket`: see the crate.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(socket);
