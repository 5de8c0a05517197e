//! Compile errors: those of the derive, with one folder for each part of the grammar, and those of the compiler
//! for code that keeps a borrowed value too long.
//!
//! `TRYBUILD=overwrite` rewrites the `.stderr` files: read the diff.

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("derive/ui/*/*.rs");
    cases.compile_fail("endpoints/lent/*.rs");
}
