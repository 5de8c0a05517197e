//! Compile errors: those of the derive, with one folder for each part of the grammar, and those of the compiler
//! for code that keeps a borrowed value too long, in `ui/lent`.
//!
//! `TRYBUILD=overwrite` rewrites the `.stderr` files: read the diff.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The lines that a person reads before giving up.
const MAX_LINES: usize = 25;

#[test]
fn mistakes_are_reported_where_they_are() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*/*.rs");
}

#[test]
fn no_error_is_longer_than_25_lines() -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    outputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("ui"), &mut files)?;
    assert!(files.len() > 50, "only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file)?;
        for error in text.split("\n\n") {
            let (lines, first) = (error.lines().count(), error.lines().next().unwrap_or_default());
            assert!(
                first.starts_with("error") || first.starts_with("warning"),
                "{file:?}: {first}"
            );
            assert!(lines <= MAX_LINES, "{lines} lines in {file:?}: {first}");
        }
    }
    Ok(())
}

/// Collects the `.stderr` files in a folder and its subfolders.
fn outputs(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            outputs(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "stderr") {
            files.push(path);
        }
    }
    Ok(())
}
