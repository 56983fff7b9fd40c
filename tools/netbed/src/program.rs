//! A program that runs in a namespace until it is ended, with a log.

use crate::run::{log_end, wait_until};
use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// For a program to end when it is asked to.
const STOP_LIMIT: Duration = Duration::from_secs(5);

pub(crate) struct Program {
    child: Child,
    command: String,
    log: PathBuf,
}

impl Program {
    /// Starts it, all that it prints going to the end of the log.
    pub(crate) fn start(mut command: Command, log: PathBuf) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, command: format!("{command:?}"), log })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it is `ready`; an error with the log's end if it ends or takes too long.
    pub(crate) fn wait_ready(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> anyhow::Result<()> {
        let mut ended = None;
        let done = wait_until(limit, || {
            ended = self.child.try_wait().ok().flatten();
            ended.is_some() || ready()
        });
        let what = match ended {
            Some(status) => format!("ended with {status} before it was ready"),
            None if done => return Ok(()),
            None => format!("was not ready after {limit:?}"),
        };
        bail!("{} {what}. Its log ends with:\n{}", self.command, log_end(&self.log))
    }

    pub(crate) fn ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Ends it by SIGKILL, with its group if it leads one, and waits.
    pub(crate) fn kill(&mut self) {
        if self.ended() {
            return;
        }
        // Neither fails but where there is nobody to be killed.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end by a signal, and waits.
    pub(crate) fn stop(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.ended() {
            return Ok(());
        }
        let id = Pid::from_child(&self.child);
        kill_process(id, signal).with_context(|| format!("cannot signal {}", self.command))?;
        if wait_until(STOP_LIMIT, || self.ended()) {
            return Ok(());
        }
        self.kill();
        bail!("{} did not end within {STOP_LIMIT:?} and was killed", self.command)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
