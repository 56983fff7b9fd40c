//! Paths: directly, by relays over UDP and TLS, and from one to another, in real networks.

use super::claim::Claim;
use super::{Findings, Part, cargo_test, of_bench};
use crate::command::command;
use std::path::Path;

/// Cases of networks and refusals that are to be listed, at the least.
const MIN_CASES: usize = 40;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 3] = [("bench", bench), ("cases", cases), ("doctor", doctor)];
    Ok(Findings::of_parts(root, &parts))
}

fn bench(root: &Path) -> anyhow::Result<Vec<Claim>> {
    of_bench::claims(root, "paths")
}

/// The tests of a binary of the network's; they print what they listed.
fn tests(root: &Path, binary: &str) -> anyhow::Result<cargo_test::Tests> {
    let arguments = ["test", "--no-fail-fast", "-p", "farpane-net", "--test", binary];
    cargo_test::finish(command(root, "cargo", arguments))
}

fn all_pass(tests: &cargo_test::Tests) -> bool {
    tests.ok && tests.failed.is_empty() && !tests.passed.is_empty()
}

fn cases(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let tests = tests(root, "paths")?;
    let (passed, failed) = (tests.passed.len(), tests.failed.len());
    let (private, public) = tests.count(&["privacy::"]);
    let (inspected, accepted) = tests.count(&["inspection::"]);
    Ok(vec![
        Claim::measured(
            "networks, faults, refusals and hostile datagrams, each a clear error or a way",
            format!(">= {MIN_CASES} cases, all pass"),
            format!("{passed} passed, {failed} failed"),
            all_pass(&tests) && passed >= MIN_CASES,
        ),
        Claim::measured(
            "captures of relayed sessions: no known text in them, only outbound flows",
            "all pass",
            format!("{private} passed, {public} failed"),
            private > 0 && public == 0,
        ),
        Claim::measured(
            "TLS that is inspected is named and never accepted",
            "all pass",
            format!("{inspected} passed, {accepted} failed"),
            inspected > 0 && accepted == 0,
        ),
    ])
}

fn doctor(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let tests = tests(root, "doctor")?;
    let (passed, failed) = (tests.passed.len(), tests.failed.len());
    let measured = format!("{passed} passed, {failed} failed");
    let claim = "doctor's verdicts and advice in each of those networks";
    Ok(vec![Claim::measured(claim, "all pass", measured, all_pass(&tests))])
}
