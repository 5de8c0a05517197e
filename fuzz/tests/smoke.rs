//! Runs each target for a moment, without a fuzzer.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use datagrammar_fuzz::{Mutations, TARGETS, Target};

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a target on its seeds, and then on random changes of them. `DATAGRAMMAR_FUZZ` multiplies `count`.
fn smoke(name: &str, count: u64) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let number = variable("DATAGRAMMAR_SEED").unwrap_or_else(now);
    println!("DATAGRAMMAR_SEED={number}");
    let Target { run, seeds, .. } = *TARGETS.iter().find(|target| target.name == name).unwrap();
    let count = count * variable("DATAGRAMMAR_FUZZ").unwrap_or(1);
    let mutations = Mutations::new(seeds(), number).take(usize::try_from(count).unwrap());
    for input in seeds().into_iter().chain(mutations) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
            println!("the input: {input:?}");
            resume_unwind(panic);
        }
    }
}

#[test]
fn address() {
    smoke("address", 100_000);
}

#[test]
fn call() {
    smoke("call", 1_000);
}

#[test]
fn decode() {
    smoke("decode", 30_000);
}

#[test]
fn receive() {
    smoke("receive", 5_000);
}

#[test]
fn serve() {
    smoke("serve", 1_000);
}

#[test]
fn socket() {
    smoke("socket", 2_000);
}
