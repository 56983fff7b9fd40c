//! A still desktop costs nothing.

use super::bench::{Bench, missing};
use super::claim::Claim;
use anyhow::{Context, bail, ensure};
use farpane_capture::{Xvfb, monotonic_us};
use farpane_frame::Size;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(1920, 1080);
/// How long nothing has changed before counting begins.
const SETTLE: Duration = Duration::from_secs(3);
/// How long is counted.
const STILL: Duration = Duration::from_secs(30);
/// How long anything may take to start or end.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(100);
/// Of a core, for each side.
const MAX_CPU_PERCENT: f64 = 1.0;
/// A terminal full of text that stays.
const TEXT: &str = "seq 1 2000 | paste -sd' ' | fold -s -w 150; exec sleep 3600";

/// Shares a still terminal to a window on another display and counts updates and CPU time.
pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Claim>> {
    let updates = format!("idle {} s: updates sent", STILL.as_secs());
    let sides = ["idle: sharer's CPU", "idle: helper's CPU"];
    let cpu_target = format!("< {MAX_CPU_PERCENT} % of a core");
    if let Some(reason) = missing(&["Xvfb", "xterm"]) {
        let mut claims = vec![Claim::not_measured(updates, "0", reason.clone())];
        let unknown = |side| Claim::not_measured(side, cpu_target.clone(), reason.clone());
        claims.extend(sides.map(unknown));
        return Ok(claims);
    }
    let seen = watch(&bench.farpane)?;
    let measured = format!("{}, after {} before", seen.updates, seen.updates_before);
    let mut claims = vec![Claim::measured(updates, "0", measured, seen.updates == 0)];
    for (side, ticks) in sides.into_iter().zip(seen.ticks) {
        let per_second = rustix::param::clock_ticks_per_second();
        let percent = 100.0 * ticks as f64 / per_second as f64 / seen.took.as_secs_f64();
        let measured = format!("{percent:.2} %, {ticks} ticks of 1/{per_second} s");
        claims.push(Claim::measured(side, &*cpu_target, measured, percent < MAX_CPU_PERCENT));
    }
    Ok(claims)
}

/// What happened while nothing happened.
struct Seen {
    /// Updates sent or shown in that time.
    updates: usize,
    /// Updates sent before: without any, nothing was watched.
    updates_before: usize,
    /// CPU time of the sharer and of the helper.
    ticks: [u64; 2],
    took: Duration,
}

fn watch(farpane: &Path) -> anyhow::Result<Seen> {
    let (shared, shown) = (Xvfb::start(SIZE, 24)?, Xvfb::start(SIZE, 24)?);
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    let stats = [file("share.jsonl"), file("view.jsonl")];
    let mut xterm = Command::new("xterm");
    xterm.args(["-geometry", "160x60+20+20", "-e", "sh", "-c", TEXT]);
    let _terminal = Running::start(xterm.env("DISPLAY", shared.display()))?;
    let mut share = Command::new(farpane);
    share.args(["share", "--listen", "127.0.0.1:0", "--consent", "auto"]);
    share.arg("--source").arg(format!("x11:{}", shared.display()));
    share.arg("--invite").arg(file("invite")).arg("--stats").arg(&stats[0]);
    let mut share = Running::start(&mut share)?;
    wait("an invitation", || Ok(fs::metadata(file("invite")).is_ok_and(|m| m.len() > 0)))?;
    let mut view = Command::new(farpane);
    view.args(["view", "--fullscreen"]).arg("--invite").arg(file("invite"));
    let view = view.arg("--stats").arg(&stats[1]).env("DISPLAY", shown.display());
    let mut view = Running::start(view)?;
    wait("updates", || Ok(times(&stats[0], "sent_us")?.len() > 1))?;
    settle(&stats[0])?;
    let pids = [share.0.id(), view.0.id()];
    let (begun, begun_us, before) = (Instant::now(), monotonic_us(), ticks(pids)?);
    eprintln!("nothing happens for {} s", STILL.as_secs());
    sleep(STILL);
    let (took, ended_us, after) = (begun.elapsed(), monotonic_us(), ticks(pids)?);
    // Files are whole once both have ended.
    view.end("the helper")?;
    share.end("the sharer")?;
    let [sent, composed] = [times(&stats[0], "sent_us")?, times(&stats[1], "composed_us")?];
    let during =
        |times: &[u64]| times.iter().filter(|at| (begun_us..ended_us).contains(at)).count();
    Ok(Seen {
        updates: during(&sent) + during(&composed),
        updates_before: sent.iter().filter(|at| **at < begun_us).count(),
        ticks: [0, 1].map(|side| after[side] - before[side]),
        took,
    })
}

/// Waits until no update has been sent for [`SETTLE`].
fn settle(stats: &Path) -> anyhow::Result<()> {
    wait("a desktop at rest", || {
        let last = times(stats, "sent_us")?.into_iter().max().unwrap_or_default();
        Ok(monotonic_us() > last + SETTLE.as_micros() as u64)
    })
}

fn wait(what: &str, mut there: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let until = Instant::now() + LIMIT;
    while !there()? {
        ensure!(Instant::now() < until, "there is no sign of {what} after {} s", LIMIT.as_secs());
        sleep(LOOK);
    }
    Ok(())
}

/// The times under `key` in a file of JSON lines, of which the last may not be complete.
fn times(file: &Path, key: &str) -> anyhow::Result<Vec<u64>> {
    let text = fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let record = |line| serde_json::from_str::<serde_json::Value>(line).ok()?[key].as_u64();
    Ok(text.lines().filter_map(record).collect())
}

/// User and system time of each process.
fn ticks(pids: [u32; 2]) -> anyhow::Result<[u64; 2]> {
    let read = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} has ended"))?;
        parse_ticks(&stat).with_context(|| format!("/proc/{pid}/stat holds {stat:?}"))
    };
    Ok([read(pids[0])?, read(pids[1])?])
}

/// Fields 14 and 15; the second, a name in parentheses, may hold anything.
fn parse_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// A process that is killed when this is dropped.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        Ok(Self(started.with_context(|| format!("cannot start {command:?}"))?))
    }

    /// Ends it as Ctrl-C does.
    fn end(&mut self, what: &str) -> anyhow::Result<()> {
        if self.0.try_wait()?.is_some() {
            bail!("{what} ended by itself");
        }
        let sent = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status()?;
        ensure!(sent.success(), "{what} cannot be told to end");
        wait(&format!("the end of {what}"), || Ok(self.0.try_wait()?.is_some()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 17 0 0 20 0 4 0 1 2";
        assert_eq!(parse_ticks(stat), Some(267));
        assert_eq!(parse_ticks("12 (a) S 1"), None);
        let own = std::process::id();
        assert!(ticks([own, own]).is_ok());
    }

    #[test]
    fn lines_without_the_time_are_passed_over() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let lines = "{\"sent_us\":5}\n{\"other\":6}\n{\"sent_us\":9}\n{\"sen";
        std::io::Write::write_all(&mut file, lines.as_bytes()).unwrap();
        assert_eq!(times(file.path(), "sent_us").unwrap(), [5, 9]);
        assert!(times(Path::new("/no/such/file"), "sent_us").is_err());
    }
}
