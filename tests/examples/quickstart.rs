//! `quickstart`, which the README shows.

use std::process::Command;

#[test]
fn quickstart_runs() {
    let output = crate::run(&mut Command::new(env!("CARGO_BIN_EXE_quickstart")));
    for line in
        ["server: zeros, 100000 bytes", "client: stored 0 bytes", "client: stored 100000 bytes"]
    {
        assert!(output.contains(line), "{output}");
    }
}

#[test]
fn the_readme_shows_quickstart_as_it_is() {
    let source = include_str!("../../examples/quickstart.rs");
    let (_, shown) = source.split_once("\n\n").unwrap();
    assert!(include_str!("../../README.md").contains(shown), "copy it into the README");
}
