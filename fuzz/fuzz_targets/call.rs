//! The target `call`: see the crate.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| datagrammar_fuzz::call(input));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    datagrammar_fuzz::run_files(datagrammar_fuzz::call)
}
