//! Changes: found exactly by every kernel and by GPUs, and faster than others find them.

use super::claim::Claim;
use super::{Findings, Part, cargo_test, cross, of_bench};
use crate::command::command;
use std::path::Path;

/// Random pairs of frames that every kernel and the GPU compare.
const PAIRS: usize = 100_000;
/// Frames in a row whose replay must give each next one.
const STEPS: usize = 10_000;

/// Measures every claim.
pub(super) fn measure(root: &Path) -> anyhow::Result<Findings> {
    let parts: [(&str, Part); 3] = [("tests", tests), ("bench", bench), ("aarch64", cross::neon)];
    Ok(Findings::of_parts(root, &parts))
}

/// What the package's tests count. They are built as `cargo test` builds them: a release does not
/// know the lines of functions that became part of others, and so not who allocated.
fn tests(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let test = ["test", "--no-fail-fast", "-p", "farpane-damage", "--features", "gpu"];
    let mut test = command(root, "cargo", test);
    test.env("FARPANE_TEST_PAIRS", PAIRS.to_string());
    let tests = cargo_test::finish(test)?;
    let ok = tests.ok && tests.failed.is_empty();
    let mut claims = Vec::new();
    for line in tests.text.lines().filter(|line| line.contains(" pairs equal by ")) {
        let count = cargo_test::number_before(line, " pairs equal by ");
        let (_, by) = line.split_once(" pairs equal by ").unwrap_or_default();
        let claim = format!("random pairs of frames, bit for bit equal by {by}");
        let holds = ok && count >= PAIRS;
        claims.push(Claim::measured(claim, format!(">= {PAIRS}"), count.to_string(), holds));
    }
    let steps = sum(&tests.text, " steps replayed");
    let claim = "frames replayed out of moves and rectangles, byte for byte";
    let (target, holds) = (format!(">= {STEPS}"), ok && steps >= STEPS);
    claims.push(Claim::measured(claim, target, steps.to_string(), holds));
    claims.extend(allocations(&tests));
    let measured = format!("{} passed, {} failed", tests.passed.len(), tests.failed.len());
    claims.push(Claim::measured("tests of the package", "all pass", measured, ok));
    Ok(claims)
}

fn allocations(tests: &cargo_test::Tests) -> [Claim; 3] {
    let (passed, failed) = tests.count(&["the_steady_state_allocates_nothing"]);
    let none = passed > 0 && failed == 0;
    let by_cpu = if none { "0" } else { "some, or not run" };
    let is_counted = tests.text.contains(" ours, ");
    let ours = cargo_test::number_before(&tests.text, " ours, ");
    let all = ours + cargo_test::number_before(&tests.text, " of wgpu");
    let by_gpu = |whose: &str, count: usize| {
        let claim = format!("allocations in the steady state, GPU, {whose}");
        let measured = if is_counted { format!("{count} a frame") } else { "not run".into() };
        Claim::measured(claim, "0", measured, is_counted && count == 0)
    };
    [
        Claim::measured("allocations in the steady state, CPU", "0", by_cpu, none),
        by_gpu("our own", ours),
        by_gpu("with those inside wgpu", all),
    ]
}

fn bench(root: &Path) -> anyhow::Result<Vec<Claim>> {
    of_bench::claims(root, "damage")
}

/// The numbers before `words` in all lines together.
fn sum(text: &str, words: &str) -> usize {
    text.lines().map(|line| cargo_test::number_before(line, words)).sum()
}

#[cfg(test)]
mod tests_of_reading {
    use super::*;

    #[test]
    fn counts_are_read_where_they_are_printed() {
        let text = "6000 steps replayed\nnothing\nand 4000 steps replayed by all";
        assert_eq!(sum(text, " steps replayed"), 10_000);
        assert_eq!(
            cargo_test::number_before("4000 pairs equal by sse2", " pairs equal by "),
            4_000
        );
        assert_eq!(cargo_test::number_before("pairs", " pairs equal by "), 0);
    }
}
