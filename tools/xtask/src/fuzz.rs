//! Fuzzing with cargo-fuzz, whose targets are in `fuzz/`.

use crate::command::{Finished, command, limited, output, passes};
use anyhow::{Context, bail};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Beyond the time given to libFuzzer: it must start, replay what it knows and write its end.
const SLACK: Duration = Duration::from_secs(120);
/// An input that takes longer is a finding, like a crash.
const SLOWEST_INPUT_S: u32 = 10;
/// An input that takes more memory is a finding; the sanitizer's own needs some 400 MiB of it.
const MOST_MEMORY_MIB: u32 = 1_024;

/// What to fuzz.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which target; all when absent
    target: Option<String>,
    /// How long each target looks for new inputs, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
}

/// One target's run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Which.
    pub(crate) target: String,
    /// How many inputs were tried, when libFuzzer got to its end.
    pub(crate) executions: Option<u64>,
    /// Whether no input crashed, hung or took too much memory.
    pub(crate) clean: bool,
    /// The end of libFuzzer's log when one did.
    pub(crate) log: String,
}

/// Fuzzes what `arguments` say; whether nothing was found.
pub(crate) fn run(root: &Path, arguments: &Arguments) -> anyhow::Result<bool> {
    let known = targets(root)?;
    let chosen = match &arguments.target {
        Some(target) if !known.contains(target) => {
            bail!("no fuzz target `{target}`; there are {}", known.join(", "));
        }
        Some(target) => vec![target.clone()],
        None => known,
    };
    fuzz(root, &chosen, arguments.seconds)
}

/// Fuzzes every target for `seconds`; whether nothing was found.
pub(crate) fn smoke(root: &Path, seconds: u64) -> anyhow::Result<bool> {
    fuzz(root, &targets(root)?, seconds)
}

/// The targets there are.
pub(crate) fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let list = output(cargo_fuzz(root, ["list"])).context("tools/setup ci installs cargo-fuzz")?;
    Ok(list.lines().map(str::to_owned).collect())
}

/// Compiles the targets; whether that went well.
pub(crate) fn build(root: &Path) -> anyhow::Result<bool> {
    passes(cargo_fuzz(root, ["build"]))
}

/// Fuzzes one built target for `seconds`, from its seeds and what earlier runs found.
pub(crate) fn fuzz_one(root: &Path, target: &str, seconds: u64) -> anyhow::Result<Run> {
    let (found, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
    fs::create_dir_all(root.join("fuzz").join(&found))?;
    let mut run = cargo_fuzz(root, ["run", target, &found, &seeds, "--"]);
    let leaks = root.join("fuzz/leaks.txt");
    run.env("LSAN_OPTIONS", format!("suppressions={}:print_suppressions=0", leaks.display()));
    run.args([format!("-max_total_time={seconds}"), format!("-timeout={SLOWEST_INPUT_S}")]);
    run.args([format!("-rss_limit_mb={MOST_MEMORY_MIB}"), "-print_final_stats=1".to_owned()]);
    Ok(judge(target, limited(&run, Duration::from_secs(seconds) + SLACK)?))
}

fn fuzz(root: &Path, targets: &[String], seconds: u64) -> anyhow::Result<bool> {
    if !build(root)? {
        return Ok(false);
    }
    let mut all_clean = true;
    for target in targets {
        let run = fuzz_one(root, target, seconds)?;
        let executions = run.executions.map_or("?".to_owned(), |count| count.to_string());
        let verdict = if run.clean { "nothing found" } else { "FOUND SOMETHING" };
        println!("fuzz {target}: {executions} inputs in {seconds} s, {verdict}");
        print!("{}", run.log);
        all_clean &= run.clean;
    }
    Ok(all_clean)
}

fn judge(target: &str, finished: Finished) -> Run {
    let executions = finished
        .stderr
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok());
    let clean = finished.ok && executions.is_some();
    let mut log = if clean { String::new() } else { last_lines(&finished.stderr, 40) };
    if finished.timed_out {
        log.push_str("  stopped: it did not end when its time was up\n");
    }
    Run { target: target.to_owned(), executions, clean, log }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    last.iter().map(|line| format!("  {line}\n")).collect()
}

fn cargo_fuzz<'a>(root: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut fuzz = command(&root.join("fuzz"), "cargo", ["fuzz"]);
    // The sanitizers are behind a compiler flag that a stable toolchain hides.
    fuzz.args(arguments).env("RUSTC_BOOTSTRAP", "1");
    fuzz
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(ok: bool, stderr: &str) -> Finished {
        let (stdout, stderr) = (String::new(), stderr.to_owned());
        Finished { ok, timed_out: false, stdout, stderr }
    }

    #[test]
    fn a_run_to_the_end_is_clean() {
        let log = "#12 DONE\nstat::number_of_executed_units: 12\nstat::peak_rss_mb: 40\n";
        let run = judge("a", finished(true, log));
        assert!(run.clean && run.log.is_empty());
        assert_eq!(run.executions, Some(12));
    }

    #[test]
    fn a_crash_is_told_with_its_log() {
        let log = "==1== ERROR: libFuzzer: deadly signal\nstat::number_of_executed_units: 3\n";
        let run = judge("a", finished(false, log));
        assert!(!run.clean && run.log.contains("deadly signal"));
    }

    #[test]
    fn a_run_that_had_to_be_stopped_says_so() {
        let run = judge("a", Finished { timed_out: true, ..finished(false, "#2 INITED\n") });
        assert!(!run.clean && run.log.contains("time was up"));
    }

    #[test]
    fn a_run_that_tried_nothing_is_not_clean() {
        assert!(!judge("a", finished(true, "")).clean);
    }
}
