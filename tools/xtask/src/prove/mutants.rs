//! Changes to the policy, of which its tests must notice each: cargo-mutants makes them.

use super::bench::missing;
use super::claim::{Claim, Verdict};
use crate::command::{command, output, passes};
use anyhow::Context;
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// Whoever sets this waits an hour or two for all of them, or names by `--file`, `--shard` and the
/// like which: the variable's words are arguments of `cargo mutants`.
const VARIABLE: &str = "FARPANE_MUTANTS";
/// What is found of them while they run, below the workspace's root, and the log of each.
const FOLDER: &str = "target/mutation";

const CLAIM: &str = "changes to the policy that its tests notice";
const TARGET: &str = "every viable one";

/// Tries those that the variable says.
pub(super) fn measure(root: &Path) -> anyhow::Result<Vec<Claim>> {
    let not_measured = |reason| Ok(vec![Claim::not_measured(CLAIM, TARGET, reason)]);
    let Ok(arguments) = std::env::var(VARIABLE) else {
        let all = "`--shard 0/1 --jobs 2`";
        return not_measured(format!("takes an hour or two: set {VARIABLE} to {all} for all"));
    };
    if let Some(missing) = missing(&["cargo-mutants"]) {
        return not_measured(missing);
    }
    let folder = root.join(FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let mut list = cargo_mutants(root);
    list.arg("--list");
    let there_are = output(list)?.lines().count();
    let mut run = cargo_mutants(root);
    run.args(arguments.split_whitespace()).arg("--output").arg(&folder).stdout(std::io::stderr());
    // The compiler is a stable one: this lets a test program end at its first failure.
    run.env("PROPTEST_CASES", "32").env("RUSTC_BOOTSTRAP", "1");
    // It does not end well when one is missed: what it counted says so too.
    passes(run)?;
    let outcomes = std::fs::read_to_string(folder.join("mutants.out/outcomes.json"));
    let outcomes = serde_json::from_str(&outcomes.context("cargo mutants did not run")?)?;
    Ok(vec![judge(there_are, &outcomes)])
}

fn cargo_mutants(root: &Path) -> Command {
    let config = "crates/policy/mutants.toml";
    command(root, "cargo", ["mutants", "-p", "farpane-policy", "--config", config])
}

/// What cargo-mutants counted.
#[derive(Deserialize)]
struct Outcomes {
    total_mutants: usize,
    caught: usize,
    missed: usize,
    timeout: usize,
    unviable: usize,
}

/// One that runs for ever was noticed. A part in which none was missed says nothing of the others.
fn judge(there_are: usize, outcomes: &Outcomes) -> Claim {
    let Outcomes { total_mutants, caught, missed, timeout, unviable } = outcomes;
    let measured = format!(
        "of {there_are} {total_mutants} were tried: {caught} failed a test, {timeout} ran for \
         ever, {missed} missed, {unviable} do not compile"
    );
    let all_ran = caught + missed + timeout + unviable == *total_mutants;
    let noticed = all_ran && *missed == 0 && *caught > 0;
    let mut claim = Claim::measured(CLAIM, TARGET, measured, noticed);
    if noticed && *total_mutants < there_are {
        claim.verdict = Verdict::NotMeasured("a part was tried".to_owned());
    }
    claim
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_must_have_been_tried_and_noticed() {
        let judge = |text: &str| judge(9, &serde_json::from_str(text).unwrap()).verdict;
        let good = r#"{"total_mutants":9,"caught":5,"missed":0,"timeout":1,"unviable":3}"#;
        assert_eq!(judge(good), Verdict::Pass);
        for (a, b) in [
            ("missed\":0", "missed\":1"),
            ("mutants\":9", "mutants\":10"),
            ("mutants\":9", "mutants\":8"),
            ("caught\":5", "caught\":0"),
        ] {
            assert_eq!(judge(&good.replace(a, b)), Verdict::Fail, "{b}");
        }
        let part = r#"{"total_mutants":3,"caught":2,"missed":0,"timeout":0,"unviable":1}"#;
        assert!(matches!(judge(part), Verdict::NotMeasured(_)));
        let missed = part.replace("missed\":0", "missed\":1").replace("caught\":2", "caught\":1");
        assert_eq!(judge(&missed), Verdict::Fail);
    }
}
