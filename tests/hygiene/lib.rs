//! Derived code compiles, and means the same, in unusual surroundings: no prelude,
//! the runtime under another name, every name shadowed, traits whose methods clash, raw
//! identifiers, types made by `macro_rules!`, and every warning an error.
//!
//! The same file is compiled as edition 2021 and as edition 2024.
#![no_implicit_prelude]
#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    single_use_lifetimes,
    trivial_casts,
    clippy::all,
    clippy::pedantic
)]

#[cfg(test)]
mod clashing;
#[cfg(test)]
mod macros;
#[cfg(test)]
mod nested;
#[cfg(test)]
pub mod protocol;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod shadows;
