//! Running tests and reading what became of each.

use crate::command::{Finished, command, limited};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longer than compiling and running takes on a slow machine.
const LIMIT: Duration = Duration::from_secs(3_600);

/// What became of tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tests {
    /// Names of those that passed.
    pub(super) passed: Vec<String>,
    /// Names of those that failed.
    pub(super) failed: Vec<String>,
    /// What passing tests printed, and all else on standard output.
    pub(super) text: String,
    /// Whether all compiled, ran to the end and passed.
    pub(super) ok: bool,
}

impl Tests {
    /// How many whose name contains one of `words` passed and failed.
    pub(super) fn count(&self, words: &[&str]) -> (usize, usize) {
        let count = |names: &[String]| {
            names.iter().filter(|name| words.iter().any(|word| name.contains(word))).count()
        };
        (count(&self.passed), count(&self.failed))
    }
}

/// Runs `cargo test --release` with `arguments`; tests find the release build of farpane by the
/// environment.
pub(super) fn run(root: &Path, farpane: &Path, arguments: &[&str]) -> anyhow::Result<Tests> {
    let mut test = command(root, "cargo", ["test", "--release", "--no-fail-fast"]);
    test.args(arguments).env("FARPANE_BIN", farpane);
    finish(test)
}

/// Runs `test`, some `cargo test`, to its end.
pub(super) fn finish(mut test: Command) -> anyhow::Result<Tests> {
    test.arg("--").env("CARGO_TERM_COLOR", "never");
    finish_program(test)
}

/// Runs `test`, a test program, to its end.
pub(super) fn finish_program(mut test: Command) -> anyhow::Result<Tests> {
    test.arg("--show-output");
    let finished = limited(&test, LIMIT)?;
    if !finished.ok {
        eprint!("{}{}", finished.stdout, finished.stderr);
    }
    Ok(read(finished))
}

/// The number right before `words` in a line; 0 without one.
pub(super) fn number_before(text: &str, words: &str) -> usize {
    let before = text.split_once(words).map_or("", |(before, _)| before);
    before.rsplit([' ', '\n']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn read(finished: Finished) -> Tests {
    let mut tests = Tests { ok: finished.ok, ..Tests::default() };
    for line in finished.stdout.lines() {
        let Some((name, end)) = line.strip_prefix("test ").and_then(|l| l.rsplit_once(" ... "))
        else {
            continue;
        };
        match end {
            "ok" => tests.passed.push(name.to_owned()),
            "FAILED" => tests.failed.push(name.to_owned()),
            _ => {}
        }
    }
    tests.text = finished.stdout;
    tests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_is_counted_by_its_name() {
        let stdout = "\
running 4 tests
test a::size_one ... ok
test a::size_two ... FAILED
test b::other ... ok
test b::later ... ignored, too slow
test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out
";
        let finished = Finished {
            ok: false,
            timed_out: false,
            stdout: stdout.to_owned(),
            stderr: String::new(),
        };
        let tests = read(finished);
        assert_eq!(tests.passed, ["a::size_one", "b::other"]);
        assert_eq!(tests.failed, ["a::size_two"]);
        assert_eq!(tests.count(&["size"]), (1, 1));
        assert_eq!(tests.count(&["size", "other"]), (2, 1));
        assert_eq!(tests.count(&["missing"]), (0, 0));
        assert!(!tests.ok);
    }
}
