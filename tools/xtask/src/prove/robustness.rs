//! Whatever dies, fills up or changes its size, the session ends well or goes on.

use super::bench::{Bench, missing};
use super::cargo_test::{self, Tests};
use super::claim::Claim;

/// What is claimed, and words in the names of the end-to-end tests that show it.
const THEMES: [(&str, &[&str]); 5] = [
    ("a display that dies or comes back is told and survived", &["display_loss"]),
    ("a display that changes its size is followed", &["changes_its_size", "changes_of_size"]),
    ("a killed sharer or helper is noticed by the other", &["killed"]),
    ("a full disk ends statistics, not the session", &["full_disk"]),
    ("nothing leaks", &["leaks"]),
];

/// Runs the end-to-end tests.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Claim>> {
    if let Some(reason) = missing(&["Xvfb"]) {
        let claims =
            THEMES.iter().map(|(name, _)| Claim::not_measured(*name, "tests pass", reason.clone()));
        return Ok(claims.collect());
    }
    let tests = cargo_test::run(&bench.root, &bench.farpane, &["-p", "farpane-tests"])?;
    for name in &tests.failed {
        eprintln!("failed: {name}");
    }
    Ok(judge(&tests))
}

fn judge(tests: &Tests) -> Vec<Claim> {
    let counted = |(passed, failed): (usize, usize)| match (passed, failed) {
        (0, 0) => "no test ran".to_owned(),
        (passed, failed) => format!("{passed} passed, {failed} failed"),
    };
    let claim = |(name, words): &(&str, &[&str])| {
        let (passed, failed) = tests.count(words);
        let holds = passed > 0 && failed == 0;
        Claim::measured(*name, "tests pass", counted((passed, failed)), holds)
    };
    let mut claims: Vec<_> = THEMES.iter().map(claim).collect();
    let (passed, failed) = (tests.passed.len(), tests.failed.len());
    let measured = counted((passed, failed));
    claims.push(Claim::measured("end-to-end tests", "all pass", measured, tests.ok && passed > 0));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_without_a_test_fails() {
        let passed = ["leaks::a", "full_disk::b", "endings::a_killed_helper"].map(str::to_owned);
        let failed = vec!["display_loss::c".to_owned()];
        let tests = Tests { passed: passed.into(), failed, ok: false, text: String::new() };
        let claims = judge(&tests);
        let fails: Vec<_> = claims.iter().map(Claim::fails).collect();
        assert_eq!(fails, [true, true, false, false, false, true]);
        assert_eq!(claims[1].measured, "no test ran");
        assert_eq!(claims[5].measured, "3 passed, 1 failed");
    }
}
