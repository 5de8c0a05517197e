//! What the derive says to mistakes: one folder for each part of the grammar. And what the compiler says to those
//! who hold what is lent.
//!
//! `TRYBUILD=overwrite` writes the `.stderr` files anew, to be read before they are committed.

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("derive/ui/*/*.rs");
    cases.compile_fail("endpoints/lent/*.rs");
}
