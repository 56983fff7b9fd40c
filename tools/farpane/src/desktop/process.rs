//! Programs that are started for a scene and do not outlive it.

use anyhow::{Context, Result, anyhow, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to end by itself when asked.
const END_WAIT: Duration = Duration::from_secs(2);

/// How often somebody who watches a program hears of it.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Levels of children of children that are looked for: a terminal has a shell has a command.
const MAX_LEVELS: u32 = 8;

/// A program of the system and the Debian package that has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    pub(super) program: &'static str,
    pub(super) package: &'static str,
}

impl Tool {
    /// Whether the program can be found.
    pub(super) fn is_installed(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(self.program).is_file())
    }

    /// The program on `display`, without arguments, silent.
    pub(super) fn command(self, display: &str) -> Command {
        let mut command = Command::new(self.program);
        command.env("DISPLAY", display).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Starts a command of this tool in a process group of its own.
    pub(super) fn spawn(self, mut command: Command) -> Result<Process> {
        let child = command.process_group(0).spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => anyhow!(
                "{} is not installed; install the Debian package {}",
                self.program,
                self.package
            ),
            _ => anyhow!(error).context(format!("cannot start {}", self.program)),
        })?;
        Ok(Process { name: self.program, child })
    }
}

/// A file without a name that holds `text`, to be a program's input.
pub(super) fn input(text: &str) -> Result<Stdio> {
    let memory = memfd_create("farpane-input", MemfdFlags::CLOEXEC)
        .context("cannot make memory for a program's input")?;
    let mut file = File::from(memory);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file.into())
}

/// A running program. Ends, with all that it started, when dropped.
pub(super) struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Its output once it has ended, or an error when it failed or took longer than `limit`.
    pub(super) fn output_within(mut self, limit: Duration) -> Result<String> {
        let status = self.wait_until(Instant::now() + limit)?;
        let Some(status) = status else {
            bail!("{} has not ended after {limit:?}", self.name);
        };
        let output = match self.child.stdout.take() {
            Some(output) => io::read_to_string(output)?,
            None => String::new(),
        };
        if !status.success() {
            bail!("{} failed ({status}): {}", self.name, output.trim());
        }
        Ok(output)
    }

    /// Waits until it has ended, but at most for `time`, telling `progress` how long it has been.
    /// True when it ended by itself, and well.
    pub(super) fn watch(
        &mut self,
        time: Duration,
        progress: &mut super::Progress<'_>,
    ) -> Result<bool> {
        let begin = Instant::now();
        loop {
            let passed = begin.elapsed();
            if progress(passed.min(time)).is_break() || passed >= time {
                return Ok(false);
            }
            let next = begin + (passed + PROGRESS_INTERVAL).min(time);
            if let Some(status) = self.wait_until(next)? {
                if !status.success() {
                    bail!("{} failed ({status})", self.name);
                }
                let _: ControlFlow<()> = progress(begin.elapsed().min(time));
                return Ok(true);
            }
        }
    }

    fn wait_until(&mut self, deadline: Instant) -> Result<Option<ExitStatus>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(status));
        }
        if let Some(fd) = pidfd(self.child.id()) {
            await_end(&fd, deadline);
        }
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Not yet reaped, so its number is still its own; without it nothing is left to end.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // A terminal's shell leaves the process group, so it is found by its parent.
        let mut started = Vec::new();
        descendants(self.child.id(), MAX_LEVELS, &mut started);
        let group = Pid::from_child(&self.child);
        let deadline = Instant::now() + END_WAIT;
        let _ = kill_process_group(group, Signal::TERM);
        if let Some(fd) = pidfd(self.child.id())
            && !await_end(&fd, deadline)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        for fd in started {
            if !await_end(&fd, deadline) {
                let _ = pidfd_send_signal(&fd, Signal::KILL);
                await_end(&fd, Instant::now() + END_WAIT);
            }
        }
    }
}

fn pidfd(pid: u32) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Collects handles of all that `pid` started and that started in turn.
fn descendants(pid: u32, levels: u32, into: &mut Vec<OwnedFd>) {
    if levels == 0 {
        return;
    }
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    for child in list.unwrap_or_default().split_whitespace().filter_map(|p| p.parse().ok()) {
        into.extend(pidfd(child));
        descendants(child, levels - 1, into);
    }
}

/// Waits for the end of a process. False when it still runs at the deadline.
fn await_end(fd: &OwnedFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], left.as_ref()) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
