//! Writes the seeds of each target to a subdirectory of the directory that the command line names.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use datagrammar_fuzz::TARGETS;

fn main() -> Result<()> {
    let corpus = PathBuf::from(std::env::args_os().nth(1).context("name a directory")?);
    for target in TARGETS {
        let directory = corpus.join(target.name);
        fs::create_dir_all(&directory)?;
        for (number, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(directory.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
