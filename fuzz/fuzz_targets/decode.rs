//! Runs the target `decode`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(decode);
