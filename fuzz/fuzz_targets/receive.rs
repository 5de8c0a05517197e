//! The target `receive`: see the crate.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| datagrammar_fuzz::receive(input));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    datagrammar_fuzz::run_files(datagrammar_fuzz::receive)
}
