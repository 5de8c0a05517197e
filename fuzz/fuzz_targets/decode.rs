//! The target `decode`: see the crate.

#![cfg_attr(fuzzing, no_main)]

datagrammar_fuzz::program!(decode);
