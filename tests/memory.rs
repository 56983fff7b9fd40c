//! What is in the memory of a process.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// How often `needle` is in the memory of process `pid` that can be written to.
///
/// # Panics
/// When there is no such process, or it is not ours.
pub fn count_in_memory(pid: u32, needle: &[u8]) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is ours");
    let mut found = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|p| p.contains('w')))
    {
        let range = line.split(' ').next().and_then(|range| range.split_once('-'));
        let at = |text: &str| u64::from_str_radix(text, 16).ok();
        let Some((Some(from), Some(to))) = range.map(|(from, to)| (at(from), at(to))) else {
            continue;
        };
        found += count_in(&memory, from, to, needle);
    }
    found
}

fn count_in(memory: &File, from: u64, to: u64, needle: &[u8]) -> usize {
    let mut buffer = vec![0; PIECE + needle.len()];
    let (mut found, mut at) = (0, from);
    while at < to {
        let want = (to - at).min(buffer.len() as u64) as usize;
        // Pieces that are gone meanwhile, or that no one may read, hold nothing.
        let Ok(read) = memory.read_at(&mut buffer[..want], at) else { break };
        let windows = buffer[..read].windows(needle.len());
        found += windows.take(PIECE).filter(|window| *window == needle).count();
        at += PIECE as u64;
    }
    found
}
