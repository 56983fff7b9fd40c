//! Video, refinement and exact coding: what they cost, how they look, over links of all rates.

use super::claim::Claim;
use super::{Findings, Part, cargo_test, of_bench};
use crate::command::command;
use std::path::Path;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 3] = [("tests", tests), ("codec", codec), ("links", links)];
    Ok(Findings::of_parts(root, &parts))
}

/// Tests whose names have these words show these claims.
const THEMES: [(&str, &[&str]); 5] = [
    ("every branch of probes of hardware, by scripted processes", &["hardware::probe"]),
    ("every branch of the fail-over, by scripted encoders", &["hardware::failover"]),
    ("a hung driver costs the time limit at most, once", &["hardware::remembered"]),
    ("damaged access units and batches do no harm", &["bad_units", "bad_batches"]),
    ("streams of video in batches", &["units_", "a_unit_", "held_units", "streams_are_bounded"]),
];

fn tests(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let features = ["--features", "vulkan-video,nvenc"];
    let mut test = command(root, "cargo", ["test", "--no-fail-fast", "-p", "farpane-codec"]);
    test.args(features);
    let tests = cargo_test::finish(test)?;
    let mut claims: Vec<_> = THEMES
        .iter()
        .map(|(name, words)| {
            let (passed, failed) = tests.count(words);
            let measured = format!("{passed} passed, {failed} failed");
            Claim::measured(*name, "tests pass", measured, passed > 0 && failed == 0)
        })
        .collect();
    let ok = tests.ok && tests.failed.is_empty();
    let measured = format!("{} passed, {} failed", tests.passed.len(), tests.failed.len());
    claims.push(Claim::measured("tests of the package", "all pass", measured, ok));
    claims.push(Claim::not_measured(
        "pictures encoded by a device",
        "alike after decoding",
        "no machine here encodes in hardware",
    ));
    Ok(claims)
}

fn codec(root: &Path) -> anyhow::Result<Vec<Claim>> {
    of_bench::claims(root, "codec")
}

fn links(root: &Path) -> anyhow::Result<Vec<Claim>> {
    of_bench::claims(root, "links")
}
