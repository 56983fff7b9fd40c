//! The project's own tasks, run as `cargo xtask TASK`.
#![forbid(unsafe_code)]

mod bench_results;
mod capi;
mod ci;
mod command;
mod fuzz;
mod netlab;
mod prove;
mod tidy;

use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask tidy                        does the source follow the house rules?
  cargo xtask ci                          every check besides the tests (tools/test)
  cargo xtask ci --only clippy --only doc
  cargo xtask fuzz batch --seconds 600    look for inputs that break one target
  cargo xtask prove main-job --json       measure what the project claims
  cargo xtask capi --write                make the C header anew and check the C ABI
  cargo xtask netlab                      write docs/netlab.md
  cargo xtask bench-results               write benches/RESULTS.md";

#[derive(Subcommand)]
enum Task {
    /// Runs every check that a change must pass, besides the tests; all of them, then says which
    /// failed
    Ci(ci::Arguments),
    /// Checks the rules of the house that compilers and linters do not know
    Tidy,
    /// Measures whether what the project claims holds on this machine; fails when a claim does not
    Prove(prove::Arguments),
    /// Fuzzes one target or all, from the seeds and what earlier runs found
    Fuzz(fuzz::Arguments),
    /// Checks the C ABI: header, exports, compilers, installation, sanitizers
    Capi(capi::Arguments),
    /// Runs congestion control in simulated networks and writes the page about it
    Netlab(netlab::Arguments),
    /// Runs the benches and writes their tables to a file
    BenchResults(bench_results::Arguments),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the task found all well.
fn run(task: &Task) -> anyhow::Result<bool> {
    let root = repository_root()?;
    match task {
        Task::Ci(arguments) => ci::run(&root, arguments),
        Task::Tidy => tidy::run(&root),
        Task::Prove(arguments) => prove::run(&root, arguments),
        Task::Fuzz(arguments) => fuzz::run(&root, arguments),
        Task::Capi(arguments) => capi::run(&root, arguments),
        Task::Netlab(arguments) => netlab::run(&root, arguments),
        Task::BenchResults(arguments) => bench_results::run(&root, arguments),
    }
}

/// The folder of the workspace this program was built in.
fn repository_root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.join("../..");
    root.canonicalize().with_context(|| format!("no repository at {}", root.display()))
}
