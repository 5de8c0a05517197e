//! Runs the target `receive`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(receive);
