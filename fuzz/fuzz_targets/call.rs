//! Runs the target `call`.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(call);
