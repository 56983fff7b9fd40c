//! A bed: its building and its end.

use crate::config::{Config, Side};
use crate::leftovers;
use crate::plan::Plan;
use crate::run::{feed, need};
use crate::space::Space;
use anyhow::{Context, ensure};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// What every bed runs, with the Debian packages.
const TOOLS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("nsenter", "util-linux"),
];

/// A sharer's and a helper's machine, their routers, and a public network with relays.
///
/// Dropping it ends every process in its namespaces, politely and after a second by force, and
/// removes them. If that does not come to pass, since the process was killed, the next bed built
/// on this machine does it.
pub struct Bed {
    pub(crate) plan: Plan,
    /// For keys, logs, and all else that ends with the bed.
    folder: TempDir,
    numbers: AtomicUsize,
    relays: AtomicUsize,
}

impl Bed {
    /// Builds the network, in some 100 ms.
    ///
    /// # Errors
    /// This process is not root, may not make namespaces, or a program is not installed; the error
    /// says what to do. Tests that need a bed should fail then.
    pub fn build(config: &Config) -> anyhow::Result<Self> {
        need(&TOOLS)?;
        let root = rustix::process::geteuid().is_root();
        ensure!(root, "network namespaces need root: run this as root");
        leftovers::remove();
        let tag = leftovers::tag();
        let folder = tempfile::Builder::new().prefix(&format!("{tag}-")).tempdir()?;
        let plan = Plan::new(config, &tag);
        // From here on its drop removes what has come to be.
        let bed = Self { plan, folder, numbers: AtomicUsize::new(0), relays: AtomicUsize::new(0) };
        let names = bed.plan.spaces().map(|space| format!("netns add {}\n", space.name()));
        let mut command = Command::new("ip");
        command.args(["-batch", "-"]);
        feed(command, &names.collect::<String>()).context(
            "cannot make network namespaces. They need CAP_SYS_ADMIN and CAP_NET_ADMIN, which \
             containers have only if they are privileged",
        )?;
        bed.plan.connect().context("cannot connect the network namespaces")?;
        Ok(bed)
    }

    /// The sharer's machine.
    pub fn sharer(&self) -> &Space {
        self.machine(Side::Sharer)
    }

    /// The helper's machine.
    pub fn helper(&self) -> &Space {
        self.machine(Side::Helper)
    }

    /// The machine of a side.
    pub fn machine(&self, side: Side) -> &Space {
        &self.plan.machines[side.index()]
    }

    /// The router of a side; its address is the outside one.
    pub fn router(&self, side: Side) -> &Space {
        self.plan.router(side).space()
    }

    /// The public network, where the relays are.
    pub fn public(&self) -> &Space {
        &self.plan.public
    }

    /// Another number each time.
    pub(crate) fn number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of the next relay.
    pub(crate) fn relay_number(&self) -> usize {
        self.relays.fetch_add(1, Ordering::Relaxed)
    }

    /// A new folder that lives as long as the bed.
    pub(crate) fn new_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(format!("{name}-{}", self.number()));
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let names: Vec<_> = self.plan.spaces().map(|space| space.name().to_owned()).collect();
        leftovers::remove_namespaces(&names);
    }
}
