//! Running the system's tools, with errors that say what they said.

use anyhow::{Context, bail, ensure};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a command to its end; what it printed to stdout.
pub(crate) fn run(mut command: Command) -> anyhow::Result<Vec<u8>> {
    command.stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    succeeded(&command, output)
}

/// As [`run`], with `input` on stdin.
pub(crate) fn feed(mut command: Command, input: &str) -> anyhow::Result<Vec<u8>> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let mut stdin = child.stdin.take().context("a child without stdin")?;
    // Inputs are smaller than a pipe's buffer, so nobody waits for anybody.
    let written = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = succeeded(&command, child.wait_with_output()?);
    let output = output.with_context(|| format!("its input was:\n{input}"))?;
    written.with_context(|| format!("{command:?} did not read its input"))?;
    Ok(output)
}

/// Fails unless every program is installed; each is given with its Debian package.
pub(crate) fn need(programs: &[(&str, &str)]) -> anyhow::Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (program, package) in programs {
        let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        ensure!(
            there,
            "no `{program}` in PATH: install the Debian package {package}, or all that tests need \
             by `tools/setup test`"
        );
    }
    Ok(())
}

/// Whether `done` says so within `limit`.
pub(crate) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    while !done() {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// The last lines of a log, for an error.
pub(crate) fn log_end(path: &Path) -> String {
    const LINES: usize = 20;
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn succeeded(command: &Command, output: Output) -> anyhow::Result<Vec<u8>> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed with {}: {}", output.status, said.trim());
    }
    Ok(output.stdout)
}
