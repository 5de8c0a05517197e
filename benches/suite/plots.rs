//! The plots: lines over sizes, and bars of ways.

use std::path::Path;

use anyhow::Result;

use crate::plan::Plan;
use crate::results::Results;

pub(crate) fn draw(_out: &Path, _plan: &Plan, _results: &Results) -> Result<()> {
    Ok(())
}
