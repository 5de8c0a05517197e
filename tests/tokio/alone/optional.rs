//! Without its feature, nothing of tokio or tracing is compiled.

use std::path::Path;
use std::process::Command;

use datagrammar_tests::skipped;

use super::alone;

/// Returns the names of the packages that the runtime is compiled with, or `None` without cargo.
fn packages(arguments: &[&str]) -> Option<Vec<String>> {
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    cargo.args(["tree", "--offline", "--package", "datagrammar", "--edges", "normal,build"]);
    let output = cargo.args(["--prefix", "none"]).args(arguments).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap();
    Some(listed.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

#[test]
fn without_the_feature_nothing_of_tokio_is_compiled() {
    let _alone = alone();
    let Some(with) = packages(&["--features", "tokio"]) else {
        skipped("cargo is not installed");
        return;
    };
    let of_tokio = ["tokio", "mio", "futures-core"].map(str::to_owned);
    assert!(of_tokio.iter().all(|package| with.contains(package)), "{with:?}");
    let without = packages(&[]).unwrap();
    assert!(without.contains(&"datagrammar".to_owned()), "{without:?}");
    assert!(!of_tokio.iter().any(|package| without.contains(package)), "{without:?}");
    // The user chooses the runtime: no macros, processes or threads come with it.
    assert!(!with.iter().any(|package| package == "tokio-macros" || package == "num_cpus"));
}

#[test]
fn without_the_feature_nothing_of_tracing_is_compiled() {
    let Some(with) = packages(&["--features", "tracing"]) else {
        skipped("cargo is not installed");
        return;
    };
    assert!(with.iter().any(|package| package == "tracing-core"), "{with:?}");
    // Neither attribute macros nor another logger.
    assert!(!with.iter().any(|package| package == "tracing-attributes" || package == "log"));
    let without = packages(&["--features", "tokio"]).unwrap();
    assert!(!without.iter().any(|package| package.starts_with("tracing")), "{without:?}");
}
