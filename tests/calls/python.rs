//! The Python of `examples/python`, on either side.

mod blobs;
mod sums;

/// Returns the path of a file of the examples.
fn example(name: &str) -> String {
    format!("{}/../examples/python/{name}", env!("CARGO_MANIFEST_DIR"))
}
