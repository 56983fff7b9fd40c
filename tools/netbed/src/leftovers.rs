//! Names that say whose they are, and the removal of what is nobody's any more.

use crate::run::{run, wait_until};
use crate::space::FOLDER;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PREFIX: &str = "netbed";
/// For programs to write what they hold and to end: dumpcap and coturn take far less.
const POLITE: Duration = Duration::from_secs(1);
/// For the kernel to end those that were killed.
const KILLED: Duration = Duration::from_secs(5);

/// A name for a bed's parts: of this process, which its number and start tell from all others, and
/// different for each bed.
pub(crate) fn tag() -> String {
    static BEDS: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    let start = started(process).unwrap_or(0);
    format!("{PREFIX}-{process}-{start}-{}", BEDS.fetch_add(1, Ordering::Relaxed))
}

/// Removes the namespaces, processes and folders of beds whose process is gone. What cannot be
/// removed hinders nobody.
pub(crate) fn remove() {
    let orphans = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| is_orphan(name)).collect()
    };
    remove_namespaces(&orphans(Path::new(FOLDER)));
    let temporary = std::env::temp_dir();
    for name in orphans(&temporary) {
        let _ = fs::remove_dir_all(temporary.join(name));
    }
}

/// Ends every process in these namespaces, and removes them.
pub(crate) fn remove_namespaces(names: &[String]) {
    let ids: HashSet<_> =
        names.iter().filter_map(|name| id(&Path::new(FOLDER).join(name))).collect();
    end_processes(&ids);
    for name in names {
        let mut command = Command::new("ip");
        command.args(["netns", "del", name]);
        // Another process may be removing the same.
        let _ = run(command);
    }
}

fn end_processes(namespaces: &HashSet<(u64, u64)>) {
    let signal = |signal| {
        let processes = processes(namespaces);
        for &process in &processes {
            // One that has just ended is what is wanted.
            let _ = kill_process(process, signal);
        }
        processes.is_empty()
    };
    if !signal(Signal::TERM) && !wait_until(POLITE, || processes(namespaces).is_empty()) {
        wait_until(KILLED, || signal(Signal::KILL));
    }
}

/// The processes in these namespaces, but for this one.
fn processes(namespaces: &HashSet<(u64, u64)>) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let here = entries.filter(|entry| {
        id(&entry.path().join("ns/net")).is_some_and(|id| namespaces.contains(&id))
    });
    here.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|process| process.as_raw_pid().unsigned_abs() != std::process::id())
        .collect()
}

/// What tells one namespace from all others.
fn id(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn is_orphan(name: &str) -> bool {
    let mut parts = name.split('-');
    if parts.next() != Some(PREFIX) {
        return false;
    }
    let (Some(process), Some(start)) = (parts.next(), parts.next()) else { return false };
    let (Ok(process), Ok(start)) = (process.parse(), start.parse::<u64>()) else { return false };
    started(process) != Some(start)
}

/// When a process was started, in ticks since the machine was; none if there is no such process.
fn started(process: u32) -> Option<u64> {
    /// Counted from the state, the first field after the name, which may contain anything.
    const FIELD: usize = 19;
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    fields.split_whitespace().nth(FIELD)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_owns_is_an_orphan() {
        let own = tag();
        assert_ne!(own, tag());
        assert!(!is_orphan(&format!("{own}-public")));
        let process = std::process::id();
        assert!(is_orphan(&format!("netbed-{process}-1-0-public")), "another's number is reused");
        assert!(is_orphan("netbed-4194399-1-0-public"), "no such process");
        for foreign in ["netbed", "netbed-x-1-0", "netbed-7", "other-4194399-1-0-public", ""] {
            assert!(!is_orphan(foreign), "{foreign}");
        }
    }
}
