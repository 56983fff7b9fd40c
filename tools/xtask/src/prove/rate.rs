//! Congestion control: in simulated networks, the same again, and on the wall clock.

use super::claim::Claim;
use super::{Findings, Part, cargo_test, of_bench};
use crate::command::{command, output};
use crate::fuzz;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// What the whole suite may take.
const MOST_SECONDS: f64 = 300.0;
/// How long the fuzzer looks at what helpers report.
const FUZZ_SECONDS: u64 = 120;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 5] = [
        ("netlab", netlab),
        ("same seed", same_seed),
        ("wall clock", wall_clock),
        ("tests", tests),
        ("fuzz", fuzzing),
    ];
    Ok(Findings::of_parts(root, &parts))
}

fn lab(root: &Path, arguments: &[&str]) -> Command {
    let run = ["run", "--quiet", "--release", "-p", "farpane-netlab", "--"];
    let mut run = command(root, "cargo", run);
    run.args(arguments);
    run
}

fn netlab(root: &Path) -> anyhow::Result<Vec<Claim>> {
    // Compiling is not part of what is measured.
    output(lab(root, &["--help"]))?;
    let begun = Instant::now();
    let mut claims = of_bench::claims_of(lab(root, &["--claims"]), "netlab")?;
    let seconds = begun.elapsed().as_secs_f64();
    claims.push(Claim::measured(
        "the whole suite, in virtual time",
        format!("<= {MOST_SECONDS:.0} s"),
        format!("{seconds:.0} s"),
        seconds <= MOST_SECONDS,
    ));
    Ok(claims)
}

fn same_seed(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let run = |seed: &str| output(lab(root, &["--own", "--series", "--claims", "--seed", seed]));
    let (first, second, other) = (run("1")?, run("1")?, run("2")?);
    let measured = format!(
        "{} bytes, {}; another seed {}",
        first.len(),
        if first == second { "equal" } else { "different" },
        if first == other { "the same" } else { "others" }
    );
    let holds = first == second && first != other;
    Ok(vec![Claim::measured("the same seed gives the same output", "equal", measured, holds)])
}

fn wall_clock(root: &Path) -> anyhow::Result<Vec<Claim>> {
    of_bench::claims_of(lab(root, &["--wall", "--claims"]), "netlab --wall")
}

fn tests(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let packages = ["farpane-rate", "farpane-linksim", "farpane-linkemu", "farpane-netlab"];
    let mut test = command(root, "cargo", ["test", "--no-fail-fast"]);
    test.args(packages.iter().flat_map(|package| ["-p", package]));
    let tests = cargo_test::finish(test)?;
    let ok = tests.ok && tests.failed.is_empty() && !tests.passed.is_empty();
    let measured = format!("{} passed, {} failed", tests.passed.len(), tests.failed.len());
    Ok(vec![Claim::measured("tests of rate, linksim, linkemu, netlab", "all pass", measured, ok)])
}

fn fuzzing(root: &Path) -> anyhow::Result<Vec<Claim>> {
    anyhow::ensure!(fuzz::build(root)?, "the fuzz targets do not compile");
    let run = fuzz::fuzz_one(root, "rate", FUZZ_SECONDS)?;
    let name = format!("hostile reports, fuzzed for {FUZZ_SECONDS} s");
    let inputs = run.executions.map_or("?".to_owned(), |count| count.to_string());
    let found = if run.clean { "nothing found" } else { "something was found" };
    let measured = format!("{inputs} inputs, {found}");
    Ok(vec![Claim::measured(name, "nothing found", measured, run.clean)])
}
