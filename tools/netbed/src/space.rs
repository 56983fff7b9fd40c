//! A network namespace: a machine as far as networks are concerned.

use crate::run::{feed, run};
use anyhow::{Context, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::OsStr;
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::Command;

/// Where `ip netns` keeps them.
pub(crate) const FOLDER: &str = "/run/netns";

/// A network namespace of a bed. Clones name the same one.
#[derive(Clone, Debug)]
pub struct Space {
    name: String,
    address: IpAddr,
    /// The device to capture on.
    device: &'static str,
}

impl Space {
    pub(crate) fn new(name: String, address: IpAddr, device: &'static str) -> Self {
        Self { name, address, device }
    }

    /// Its name for `ip netns`, unique on this machine.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address: of a machine its own, of a router the outside one, of `public` the one that
    /// is no relay's.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// A command that will run `program` in here. The child's process is the program's own, so it
    /// can be killed. If there is no such program the child exits with 127.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }

    /// Runs `work` on a new thread that is in here, to its end: sockets that it makes are of this
    /// network for as long as they live, on whatever thread. A panic in it goes on here.
    ///
    /// # Errors
    /// The namespace is no more, since its bed was dropped.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
        let enter = || {
            let namespace = File::open(self.path())?;
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), kind)?;
            std::io::Result::Ok(work())
        };
        std::thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(entered) => entered.with_context(|| format!("cannot enter {}", self.name)),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(FOLDER).join(&self.name)
    }

    pub(crate) fn device(&self) -> &'static str {
        self.device
    }

    /// Runs a program in here to its end.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
        let mut command = self.command(program);
        command.args(arguments);
        run(command)
    }

    /// Gives `nft` rules, all or none of which come to be.
    pub(crate) fn nft(&self, rules: &str) -> anyhow::Result<()> {
        let mut command = self.command("nft");
        command.args(["-f", "-"]);
        feed(command, rules).map(drop)
    }

    /// Gives `ip` commands, one a line.
    pub(crate) fn ip(&self, commands: &str) -> anyhow::Result<()> {
        let mut command = self.command("ip");
        command.args(["-batch", "-"]);
        feed(command, commands).map(drop)
    }

    /// Sets what is under /proc/sys/net, as far as this kernel has it.
    pub(crate) fn set(&self, settings: &[(&str, &str)]) -> anyhow::Result<()> {
        let write = || {
            for (name, value) in settings {
                let path = PathBuf::from("/proc/sys/net").join(name);
                if path.exists() {
                    std::fs::write(&path, value)
                        .map_err(|error| anyhow!("cannot write {}: {error}", path.display()))?;
                }
            }
            Ok(())
        };
        self.inside(write)?
    }
}
