//! The C ABI: its gates, what it survives, what it costs.

use super::claim::Claim;
use super::{Findings, Part, cargo_test};
use crate::capi::{self, exchange, install};
use crate::command::{command, output};
use anyhow::Context;
use serde::Deserialize;
use std::path::Path;

/// Calls that must be refused, at least.
const MIN_CASES: usize = 300;
/// Of the Rust helper's median delay.
const MAX_OVERHEAD: f64 = 1.05;
/// Sessions whose first frame is timed.
const SESSIONS: usize = 50;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 4] =
        [("gates", gates), ("misuse and panics", tests), ("overhead", overhead), ("size", size)];
    Ok(Findings::of_parts(root, &parts))
}

fn gates(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let gates = capi::gates(root)?;
    let claims = gates.into_iter().map(|(name, outcome)| {
        let measured =
            outcome.as_ref().map_or_else(|error| format!("{error:#}"), |()| "yes".into());
        Claim::measured(name, "yes", measured, outcome.is_ok())
    });
    Ok(claims.collect())
}

/// Runs the package's tests, some of which inject panics.
fn tests(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let arguments = ["-p", "farpane-capi", "--features", "fault-injection"];
    let tests = cargo_test::run(root, Path::new("farpane"), &arguments)?;
    let cases: usize = tests.text.lines().filter_map(cases).sum();
    let (passed, failed) = (tests.passed.len(), tests.failed.len());
    let panics = tests.count(&["a_panic_in_"]);
    let all = tests.ok && failed == 0;
    Ok(vec![
        Claim::measured(
            "wrong calls, each with its error",
            format!(">= {MIN_CASES} cases"),
            format!("{cases} cases"),
            all && cases >= MIN_CASES,
        ),
        Claim::measured(
            "a panic in each thread is an event and an error",
            "7 threads",
            format!("{} pass, {} fail", panics.0, panics.1),
            panics == (7, 0),
        ),
        Claim::measured(
            "tests of the package",
            "all pass",
            format!("{passed} passed, {failed} failed"),
            all,
        ),
    ])
}

/// The number in `wrong handles: 239 cases`.
fn cases(line: &str) -> Option<usize> {
    line.strip_suffix(" cases")?.rsplit(' ').next()?.parse().ok()
}

/// What the bench of the same name prints.
#[derive(Deserialize)]
struct Delays {
    rust_p50_us: f64,
    rust_p95_us: f64,
    c_p50_us: f64,
    c_p95_us: f64,
}

fn overhead(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let bench = ["bench", "--quiet", "-p", "farpane-capi", "--bench", "overhead"];
    let text = output(command(root, "cargo", bench))?;
    let line = text.lines().find(|line| line.starts_with('{')).context("no figures")?;
    let delays: Delays = serde_json::from_str(line)?;
    let holds = delays.c_p50_us <= MAX_OVERHEAD * delays.rust_p50_us;
    let measured = format!(
        "{} of {} us (p95 {} of {} us)",
        delays.c_p50_us, delays.rust_p50_us, delays.c_p95_us, delays.rust_p95_us
    );
    let target = format!("<= {MAX_OVERHEAD} of the Rust helper's");
    Ok(vec![Claim::measured("delay of a C helper, p50", target, measured, holds)])
}

/// How large a release is, and how long a C program waits for its first frame with it.
fn size(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let folder = tempfile::tempdir()?;
    let installed = install::install(root, folder.path(), install::Profile::Release)?;
    let mib = |path: &Path| -> anyhow::Result<String> {
        Ok(format!("{:.1} MiB", std::fs::metadata(path)?.len() as f64 / f64::from(1 << 20)))
    };
    let programs = exchange::Programs::compile(root, &installed, exchange::Tool::None)?;
    let desk = exchange::Desk::start()?;
    let mut first = (0..SESSIONS)
        .map(|_| Ok(exchange::share(&programs, &desk, &["--frames", "1"])?.0))
        .collect::<anyhow::Result<Vec<f64>>>()?;
    first.sort_by(f64::total_cmp);
    let at = |percent: usize| first[(first.len() - 1) * percent / 100];
    let measured = format!("p50 {:.1} ms, p95 {:.1} ms of {SESSIONS}", at(50), at(95));
    let told = "told";
    Ok(vec![
        Claim::measured("libfarpane.so, release", told, mib(&installed.library())?, true),
        Claim::measured("libfarpane.a, release", told, mib(&installed.archive())?, true),
        Claim::measured("first frame of a C helper on loopback", told, measured, true),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted() {
        assert_eq!(cases("wrong handles: 239 cases"), Some(239));
        assert_eq!(cases("test result: ok. 6 passed"), None);
    }
}
