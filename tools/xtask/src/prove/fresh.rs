//! A fresh clone builds, shows itself and passes its tests.

use super::bench::Bench;
use super::claim::Claim;
use super::demo;
use crate::command::{command, limited, output};
use std::time::{Duration, Instant};

/// Installing, compiling everything and running all tests.
const LIMIT: Duration = Duration::from_secs(2 * 3_600);

/// Clones the last commit and runs its scripts, when that is `asked` for.
pub(super) fn measure(bench: &Bench, asked: bool) -> anyhow::Result<Vec<Claim>> {
    let names = ["fresh clone: tools/run", "fresh clone: tools/test"];
    let targets = ["identical, status 0", "status 0, none failed"];
    if !asked {
        let claims = names.iter().zip(targets);
        let claims =
            claims.map(|(name, target)| Claim::not_measured(*name, target, "pass --fresh"));
        return Ok(claims.collect());
    }
    let folder = tempfile::tempdir()?;
    let (clone, target) = (folder.path().join("clone"), folder.path().join("target"));
    let source = bench.root.to_string_lossy().into_owned();
    let into = clone.to_string_lossy().into_owned();
    output(command(folder.path(), "git", ["clone", "--quiet", &source, &into]))?;
    let head = output(command(&clone, "git", ["rev-parse", "--short", "HEAD"]))?;
    let run = |script: &str| {
        eprintln!("{script} of {}", head.trim());
        let mut run = command(&clone, &clone.join(script).to_string_lossy(), [""; 0]);
        run.env("CARGO_TARGET_DIR", &target);
        let start = Instant::now();
        let finished = limited(&run, LIMIT)?;
        if !finished.ok {
            eprint!("{}{}", finished.stdout, finished.stderr);
        }
        anyhow::Ok((finished, start.elapsed()))
    };
    let (shown, took) = run("tools/run")?;
    let (measured, holds) = demo::judge(&shown, took);
    let shown = Claim::measured(names[0], targets[0], measured, holds);
    let (tested, _) = run("tools/test")?;
    let sum = tested.stdout.lines().last().unwrap_or_default();
    let holds = tested.ok && none_failed(sum);
    Ok(vec![shown, Claim::measured(names[1], targets[1], sum, holds)])
}

/// Whether the last line of tools/test tells of tests that passed, and of none that failed.
fn none_failed(sum: &str) -> bool {
    let passed = sum.strip_suffix(" passed, 0 failed").and_then(|n| n.parse::<u64>().ok());
    passed.is_some_and(|passed| passed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sum_with_tests_and_without_failures_holds() {
        assert!(none_failed("12 passed, 0 failed"));
        for sum in ["0 passed, 0 failed", "12 passed, 1 failed", "", "12 passed, 10 failed"] {
            assert!(!none_failed(sum), "{sum}");
        }
    }
}
