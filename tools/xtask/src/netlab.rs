//! Congestion control in simulated networks, and the page that shows it.

use crate::command::{command, passes};
use std::path::Path;

/// What to run.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask netlab                            replaces docs/netlab.md and its pictures
  cargo xtask netlab -- --case 5.1 --series     some cases, see `cargo xtask netlab -- --help`")]
pub(crate) struct Arguments {
    /// For the laboratory itself, in place of `--docs docs`
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs it; whether all floors hold.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut lab = command(root, "cargo", ["run", "--release", "-p", "farpane-netlab", "--"]);
    match arguments.arguments.as_slice() {
        [] => lab.args(["--docs", "docs"]),
        given => lab.args(given),
    };
    passes(lab)
}
