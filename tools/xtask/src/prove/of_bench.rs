//! What a bench claims of itself.

use super::claim::Claim;
use crate::command::{command, output};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// A line of `-- --claims`.
#[derive(Deserialize)]
struct Line {
    claim: String,
    target: String,
    measured: String,
    holds: Option<bool>,
}

/// Runs the bench `name` and gives what it claims; its tables go to standard error.
///
/// # Errors
/// It does not compile, fails, or claims nothing.
pub(super) fn claims(root: &Path, name: &str) -> anyhow::Result<Vec<Claim>> {
    let bench = ["bench", "--quiet", "-p", "farpane-benches", "--bench", name];
    let mut bench = command(root, "cargo", bench);
    bench.args(["--", "--claims"]);
    claims_of(bench, name)
}

/// Runs a program that was told to print its claims, and gives them.
///
/// # Errors
/// It fails, or claims nothing.
pub(super) fn claims_of(program: Command, name: &str) -> anyhow::Result<Vec<Claim>> {
    let text = output(program)?;
    let (claims, table): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('{'));
    eprintln!("{}", table.join("\n"));
    anyhow::ensure!(!claims.is_empty(), "{name} claims nothing");
    let read = |line: &str| {
        let Line { claim, target, measured, holds } = serde_json::from_str(line)?;
        Ok(match holds {
            Some(holds) => Claim::measured(claim, target, measured, holds),
            None => Claim::not_measured(claim, target, measured),
        })
    };
    claims.into_iter().map(read).collect()
}
