//! Runs the target `address`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(address);
