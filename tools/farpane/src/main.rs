//! The farpane command line: share a screen, view it, and see both at work.
#![forbid(unsafe_code)]

mod bell;
mod commands;
mod desktop;
mod files;
mod interrupt;
mod logging;
mod snapshot;
mod stats;
mod table;
mod terminal;
mod window;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Puts a sharer's screen in front of a helper, exactly and at once.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shares a display with real applications to a helper on this machine and compares both.
    Demo(commands::demo::Args),
    /// Shares a screen: writes an invitation and waits for the helper who has it.
    Share(commands::share::Args),
    /// Shows the screen that an invitation leads to.
    View(commands::view::Args),
    /// Says whether this machine reaches what a session needs, and what to allow.
    Doctor(commands::doctor::Args),
    /// Verifies and exports the audit logs that sharers and helpers keep.
    Audit(commands::audit::Args),
    /// Records a desktop to a file, for benches and bug reports.
    RecordTrace(commands::record::Args),
    /// Plays a recorded desktop and says what is in it.
    Replay(commands::replay::Args),
    /// Makes a tenant, and signs who may help and which devices are its own.
    Tenant(commands::tenant::Args),
    /// Tries a driver for `share`, in a process that it may take with it.
    #[command(hide = true)]
    ProbeEncoder(commands::probe::Args),
}

fn main() -> ExitCode {
    logging::start();
    let result = match Cli::parse().command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Share(args) => commands::share::run(&args),
        Command::View(args) => commands::view::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::RecordTrace(args) => commands::record::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Tenant(args) => commands::tenant::run(&args),
        Command::ProbeEncoder(args) => Ok(commands::probe::run(&args)),
    };
    result.unwrap_or_else(|error| {
        eprintln!("farpane: {error:#}");
        ExitCode::FAILURE
    })
}
