//! Runs the target `socket`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(socket);
