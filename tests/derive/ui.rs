//! What the derive says to mistakes: one folder for each part of the grammar.
//!
//! `TRYBUILD=overwrite` writes the `.stderr` files anew, to be read before they are committed.

#[test]
fn mistakes_are_reported_where_they_are() {
    trybuild::TestCases::new().compile_fail("derive/ui/*/*.rs");
}
