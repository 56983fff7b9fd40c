//! Running other programs.

use anyhow::{Context, bail};
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether its exit status was 0.
    pub(crate) ok: bool,
    /// Whether it was stopped because its time was up.
    pub(crate) timed_out: bool,
    /// What it wrote to its standard output.
    pub(crate) stdout: String,
    /// What it wrote to its standard error.
    pub(crate) stderr: String,
}

/// A program to be run in `directory`.
pub(crate) fn command(
    directory: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).args(arguments);
    // What cargo said of this package. Build scripts look at it: with it in one run and without it
    // in the next, cargo would compile ring, and all that is above it, each time.
    let variables = std::env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| is_of_package(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

fn is_of_package(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| variable.starts_with(prefix))
}

/// Runs `command` with this program's own output and says whether it ended well.
pub(crate) fn passes(mut command: Command) -> anyhow::Result<bool> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    Ok(status.success())
}

/// Runs `command` and returns what it wrote to its standard output.
///
/// # Errors
/// It cannot start, or does not end well; the error then holds its standard error.
pub(crate) fn output(mut command: Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs `command` with what it starts for at most `limit` and returns how it ended.
pub(crate) fn limited(command: &Command, limit: Duration) -> anyhow::Result<Finished> {
    // coreutils' `timeout` stops the whole process group and kills what does not obey.
    let mut timed = Command::new("timeout");
    timed.arg("--kill-after=5").arg(limit.as_secs_f64().to_string());
    timed.arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => timed.env(key, value),
            None => timed.env_remove(key),
        };
    }
    let output = timed.output().with_context(|| format!("cannot start {command:?}"))?;
    Ok(Finished {
        ok: output.status.success(),
        timed_out: is_timeout(output.status),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// `timeout` ends with 124 when it stopped the program, 137 when it had to kill it.
fn is_timeout(status: ExitStatus) -> bool {
    matches!(status.code(), Some(124 | 137))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        command(Path::new("/"), "sh", ["-c", script])
    }

    #[test]
    fn output_and_status_come_back() {
        let done =
            limited(&shell("echo out; echo err >&2; exit 3"), Duration::from_secs(20)).unwrap();
        assert!(!done.ok && !done.timed_out);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("out\n", "err\n"));
    }

    #[test]
    fn a_program_that_never_ends_is_stopped() {
        let done = limited(&shell("cat /dev/zero >/dev/null"), Duration::from_millis(50)).unwrap();
        assert!(!done.ok && done.timed_out);
    }

    #[test]
    fn a_failure_tells_what_the_program_said() {
        let error = output(shell("echo no such thing >&2; exit 1")).unwrap_err();
        assert!(error.to_string().contains("no such thing"));
    }
}
