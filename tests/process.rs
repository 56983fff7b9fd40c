//! What processes hold, as the kernel tells.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// A process, distinct from a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its number.
    pub pid: u32,
    /// Its program's name.
    pub name: String,
    /// Clock ticks from the start of the machine to its own.
    started: u64,
}

impl Life {
    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.state != 'Z')
    }
}

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Open descriptors.
    pub descriptors: usize,
    /// Descriptors of memory that is shared with others.
    pub shared_memory: usize,
    /// Mapped pieces of shared memory, of System V or by descriptor.
    pub shared_maps: usize,
    /// Threads.
    pub threads: usize,
    /// Child processes.
    pub children: usize,
    /// System V segments it created.
    pub segments: usize,
}

impl Resources {
    /// What process `pid` holds now.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn of(pid: u32) -> Self {
        let links: Vec<String> = entries(&format!("/proc/{pid}/fd"))
            .iter()
            .filter_map(|fd| Some(fs::read_link(fd).ok()?.display().to_string()))
            .collect();
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
        let is_shared = |text: &&str| text.contains("/memfd:") || text.contains("/SYSV");
        Self {
            descriptors: links.len(),
            shared_memory: links.iter().map(String::as_str).filter(is_shared).count(),
            shared_maps: maps.lines().filter(is_shared).count(),
            threads: entries(&format!("/proc/{pid}/task")).len(),
            children: descendants(pid).len(),
            segments: segments_of(pid),
        }
    }

    /// Whether there is more of anything than in `before`. Less is no leak: something may have
    /// been on its way out when `before` was taken.
    pub fn exceeds(&self, before: &Self) -> bool {
        let counts = |r: &Self| {
            [r.descriptors, r.shared_memory, r.shared_maps, r.threads, r.children, r.segments]
        };
        counts(self).iter().zip(counts(before)).any(|(now, before)| *now > before)
    }
}

/// How many System V segments that process `pid` created exist, whether or not it still runs.
pub fn segments_of(pid: u32) -> usize {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let creator = |line: &str| line.split_whitespace().nth(4)?.parse().ok();
    table.lines().skip(1).filter(|line| creator(line) == Some(pid)).count()
}

/// Whether process `pid` runs; one that only waits to be reaped does not.
pub fn is_running(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != 'Z')
}

/// User and system time that process `pid` has used, in steps of 10 ms.
///
/// # Panics
/// When there is no such process.
pub fn cpu_time(pid: u32) -> Duration {
    let ticks = stat(pid).expect("the process runs").cpu_ticks;
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The processes that `pid` and its children have started and that still run.
pub fn descendants(pid: u32) -> Vec<Life> {
    let all: HashMap<u32, Stat> = entries("/proc")
        .iter()
        .filter_map(|path| path.rsplit('/').next()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect();
    let is_below = |start: u32| {
        let mut at = start;
        // Parents are read one after the other, so in theory they could form a ring.
        for _ in 0..64 {
            match all.get(&at) {
                Some(stat) if stat.parent == pid => return true,
                Some(stat) => at = stat.parent,
                None => return false,
            }
        }
        false
    };
    let life = |(pid, stat): (&u32, &Stat)| Life {
        pid: *pid,
        name: stat.name.clone(),
        started: stat.started,
    };
    all.iter().filter(|(pid, stat)| stat.state != 'Z' && is_below(**pid)).map(life).collect()
}

/// What `/proc/PID/stat` says, see proc_pid_stat(5).
struct Stat {
    name: String,
    state: char,
    parent: u32,
    cpu_ticks: u64,
    started: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may itself contain some.
    let (head, tail) = text.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Stat {
        name: head.split_once('(')?.1.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(number(1)?).ok()?,
        cpu_ticks: number(11)? + number(12)?,
        started: number(19)?,
    })
}

fn entries(folder: &str) -> Vec<String> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    found.map(|entry| entry.path().display().to_string()).collect()
}
