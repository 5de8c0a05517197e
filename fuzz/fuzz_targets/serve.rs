//! Runs the target `serve`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(serve);
