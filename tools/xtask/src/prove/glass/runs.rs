//! Running the bench.

use super::Row;
use crate::command::{command, limited, output};
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

/// The first run also makes what the workloads show.
const LIMIT: Duration = Duration::from_secs(600);
/// Only one run at a time can go on on a machine: how often and how long it is tried.
const TRY_AGAIN: Duration = Duration::from_secs(10);
const TRIES: usize = 60;
/// What a run says that found another one going on.
const BUSY: &str = "another run is going on";

/// What was run: program, workload, and the link's rate when it is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The program.
    pub(super) peer: &'static str,
    /// The workload.
    pub(super) workload: &'static str,
    /// The rate, as `10mbit`.
    pub(super) rate: Option<&'static str>,
}

impl Key {
    pub(super) fn new(
        peer: &'static str,
        workload: &'static str,
        rate: Option<&'static str>,
    ) -> Self {
        Self { peer, workload, rate }
    }
}

/// Why there is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoRow {
    /// The run failed.
    Failed(String),
    /// It was not run.
    NotRun(String),
}

/// The bench, and what its runs came to.
pub(super) struct Runs {
    /// A copy of the bench, as it writes into its own folder.
    copy: Option<(tempfile::TempDir, PathBuf)>,
    /// Why nothing is run.
    reason: String,
    done: BTreeMap<Key, Result<Row, NoRow>>,
}

impl Runs {
    /// No runs, because of `reason`.
    pub(super) fn without(reason: &str) -> Self {
        Self { copy: None, reason: reason.to_owned(), done: BTreeMap::new() }
    }

    /// Copies the bench of `directory`, to measure the program `farpane`.
    pub(super) fn prepare(directory: &Path, farpane: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let from = directory.join(".").to_string_lossy().into_owned();
        let to = folder.path().to_string_lossy().into_owned();
        output(command(Path::new("."), "cp", ["-a", &from, &to]))
            .with_context(|| format!("--glass {}", directory.display()))?;
        output(command(Path::new("."), "chmod", ["-R", "u+w", &to]))?;
        let copy = Some((folder, farpane.to_owned()));
        Ok(Self { copy, reason: "not run".to_owned(), done: BTreeMap::new() })
    }

    /// Runs one program through one workload.
    pub(super) fn run(&mut self, key: Key) -> anyhow::Result<()> {
        if let Some((folder, farpane)) = &self.copy {
            let outcome = run(folder.path(), farpane, key)?;
            self.done.insert(key, outcome);
        }
        Ok(())
    }

    /// The row of a run.
    pub(super) fn row(&self, key: Key) -> Result<&Row, NoRow> {
        match self.done.get(&key) {
            Some(outcome) => outcome.as_ref().map_err(Clone::clone),
            None => Err(NoRow::NotRun(self.reason.clone())),
        }
    }

    /// All rows there are.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.done.values().filter_map(|outcome| outcome.clone().ok())
    }

    /// Runs that came to this.
    #[cfg(test)]
    pub(super) fn of(done: impl IntoIterator<Item = (Key, Result<Row, NoRow>)>) -> Self {
        Self { done: done.into_iter().collect(), ..Self::without("not run") }
    }
}

fn run(folder: &Path, farpane: &Path, key: Key) -> anyhow::Result<Result<Row, NoRow>> {
    let mut run = command(folder, "bash", ["run.sh", key.peer, key.workload]);
    if let Some(rate) = key.rate {
        run.args(["--rate", rate]);
    }
    run.env("FARPANE", farpane).env("GLASS_CSV", folder.join("rows.csv"));
    for _ in 0..TRIES {
        let finished = limited(&run, LIMIT)?;
        if finished.stderr.contains(BUSY) {
            eprintln!("{BUSY}; waiting for its end");
            sleep(TRY_AGAIN);
            continue;
        }
        eprint!("{}{}", finished.stderr, finished.stdout);
        let last = |text: &str| text.lines().last().unwrap_or("it said nothing").to_owned();
        let row = finished.stdout.lines().rev().find_map(Row::parse).filter(|_| finished.ok);
        return Ok(row.ok_or_else(|| NoRow::Failed(last(&finished.stderr))));
    }
    Ok(Err(NoRow::NotRun(BUSY.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn bench(script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("run.sh"), script).unwrap();
        folder
    }

    #[test]
    fn a_run_gives_its_row_and_leaves_the_bench_as_it_was() {
        let folder = bench("echo peer=$1 workload=$2 rate=$4 program=$FARPANE; echo x > made");
        let mut runs = Runs::prepare(folder.path(), Path::new("/p")).unwrap();
        let key = Key::new("a", "idle", Some("10mbit"));
        runs.run(key).unwrap();
        let row = runs.row(key).unwrap();
        let texts = ["peer", "workload", "rate", "program"].map(|c| row.text(c));
        assert_eq!(texts, ["a", "idle", "10mbit", "/p"]);
        assert_eq!(runs.rows().count(), 1);
        assert!(!folder.path().join("made").exists());
    }

    #[test]
    fn a_failed_run_says_why() {
        let folder = bench("echo k=1; echo no viewer >&2; exit 1");
        let mut runs = Runs::prepare(folder.path(), Path::new("/p")).unwrap();
        let key = Key::new("a", "idle", None);
        runs.run(key).unwrap();
        assert_eq!(runs.row(key), Err(NoRow::Failed("no viewer".to_owned())));
        let other = Key::new("b", "idle", None);
        assert_eq!(runs.row(other), Err(NoRow::NotRun("not run".to_owned())));
    }

    #[test]
    fn a_bench_that_is_not_there_is_an_error() {
        let error = Runs::prepare(Path::new("/no/such/bench"), Path::new("/p")).err().unwrap();
        assert!(error.to_string().contains("/no/such/bench"));
    }
}
