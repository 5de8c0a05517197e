//! `quickstart`, its twin on tokio, and `calls`, which the README shows.

use std::process::Command;

fn check(program: &str) {
    let output = crate::run(&mut Command::new(program));
    for line in
        ["server: zeros, 100000 bytes", "client: stored 0 bytes", "client: stored 100000 bytes"]
    {
        assert!(output.contains(line), "{output}");
    }
}

#[test]
fn both_run() {
    check(env!("CARGO_BIN_EXE_quickstart"));
    check(env!("CARGO_BIN_EXE_quickstart_tokio"));
}

#[test]
fn the_readme_shows_quickstart_as_it_is() {
    let source = include_str!("../../examples/quickstart.rs");
    let (_, shown) = source.split_once("\n\n").unwrap();
    assert!(include_str!("../../README.md").contains(shown), "copy it into the README");
}

#[test]
fn calls_runs() {
    let output = crate::run(&mut Command::new(env!("CARGO_BIN_EXE_calls")));
    let error = "Err(Answered(\"invalid digit found in string\"))";
    assert_eq!(output, format!("the sum is 6\nno sum: {error}\n"));
}

#[test]
fn the_readme_shows_calls_as_it_is() {
    let source = include_str!("../../examples/calls.rs");
    let (_, shown) = source.split_once("\n\n").unwrap();
    assert!(include_str!("../../README.md").contains(shown), "copy it into the README");
    assert!(shown.lines().count() < 30);
}

#[test]
fn the_readme_shows_both_side_by_side() {
    let readme = include_str!("../../README.md");
    let (_, serve) =
        include_str!("../../examples/quickstart_tokio.rs").split_once("async fn serve(").unwrap();
    assert!(readme.contains(&format!("async fn serve({serve}")), "copy it into the README");
}
