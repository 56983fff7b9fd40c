//! The checks a change must pass besides the tests.

use crate::command::{command, passes};
use crate::{capi, fuzz, tidy};
use std::net::ToSocketAddrs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What to check.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only this step; may be given several times
    #[arg(long = "only", value_name = "STEP", value_parser = step_names())]
    only: Vec<String>,
    /// How long each fuzz target looks for new inputs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    fuzz_seconds: u64,
}

/// Runs the steps; whether all passed.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut rows = Vec::new();
    for step in &STEPS {
        if arguments.only.is_empty() || arguments.only.iter().any(|name| name == step.name) {
            println!("\n== {} ==", step.name);
            let start = Instant::now();
            let passed = (step.check)(root, arguments).unwrap_or_else(|error| {
                println!("{error:#}");
                false
            });
            rows.push((step.name, passed, start.elapsed()));
        }
    }
    println!("\n== checks ==");
    for (name, passed, took) in &rows {
        let verdict = if *passed { "passed" } else { "FAILED" };
        println!("{name:<12} {verdict}  {:>6.1} s", took.as_secs_f64());
    }
    let total: Duration = rows.iter().map(|(_, _, took)| *took).sum();
    println!("{:<12} {:>15.1} s", "total", total.as_secs_f64());
    Ok(rows.iter().all(|(_, passed, _)| *passed))
}

struct Step {
    name: &'static str,
    check: fn(&Path, &Arguments) -> anyhow::Result<bool>,
}

/// Quick ones first.
const STEPS: [Step; 9] = [
    Step { name: "format", check: format },
    Step { name: "scripts", check: scripts },
    Step { name: "tidy", check: |root, _| tidy::run(root) },
    Step { name: "deny", check: deny },
    Step { name: "clippy", check: clippy },
    Step { name: "program", check: program },
    Step { name: "doc", check: doc },
    Step { name: "capi", check: |root, _| capi::run(root, &capi::Arguments::default()) },
    Step { name: "fuzz", check: |root, arguments| fuzz::smoke(root, arguments.fuzz_seconds) },
];

fn step_names() -> [&'static str; STEPS.len()] {
    STEPS.each_ref().map(|step| step.name)
}

fn format(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    let workspace = passes(cargo(root, &["fmt", "--all", "--check"]))?;
    let fuzz = passes(cargo(&root.join("fuzz"), &["fmt", "--check"]))?;
    Ok(workspace && fuzz)
}

fn scripts(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    passes(command(root, "shellcheck", tidy::scripts(root)?))
}

fn deny(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    let check = |what: &[&str]| {
        let mut deny = cargo(root, &["deny", "--all-features", "check", "--hide-inclusion-graph"]);
        // deny.toml says who may use a crate, whether or not somebody does yet.
        deny.args(["--allow", "unused-wrapper"]).args(what);
        passes(deny)
    };
    // The advisories are a repository on GitHub; what is vulnerable does not depend on the change.
    if ("github.com", 443).to_socket_addrs().is_ok() {
        check(&["advisories", "bans", "licenses", "sources"])
    } else {
        println!("SKIPPED: advisories, github.com is out of reach");
        check(&["bans", "licenses", "sources"])
    }
}

fn clippy(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    let mut clippy = cargo(root, &["clippy", "--workspace", "--all-targets", "--all-features"]);
    clippy.args(["--", "-D", "warnings"]);
    passes(clippy)
}

/// As users build it, alone: the program of the tests has other people's crates with the features
/// that the whole workspace gives them.
fn program(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    passes(cargo(root, &["check", "--package", "farpane-cli"]))
}

fn doc(root: &Path, _: &Arguments) -> anyhow::Result<bool> {
    // The program and the library of the same name would overwrite each other's pages.
    let mut doc = cargo(root, &["doc", "--workspace", "--all-features", "--no-deps", "--lib"]);
    // Examples have the dependencies of tests, hence the features that clippy checked them with.
    doc.arg("--examples");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    passes(doc)
}

fn cargo(directory: &Path, arguments: &[&str]) -> Command {
    command(directory, "cargo", arguments)
}
