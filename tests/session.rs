//! `farpane share` and `farpane view` with what tests usually tell them.

use crate::{Desk, Program, wait_for};
use farpane_netbed::Space;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the program may take to be ready on a busy machine.
const START: Duration = Duration::from_secs(20);
/// The longest pause between two updates of a picture that is still becoming exact, a flush of
/// the statistics included.
const QUIET: Duration = Duration::from_millis(1_500);

/// A running `farpane share` on loopback.
pub struct Share {
    /// The process.
    pub program: Program,
    folder: tempfile::TempDir,
}

impl Share {
    /// Shares `desk` with consent in advance and waits for the invitation.
    ///
    /// # Panics
    /// When there is none within 20 s.
    pub fn start(desk: &Desk) -> Self {
        Self::with(desk, &["--consent", "auto"])
    }

    /// Shares `desk` with these further arguments.
    ///
    /// # Panics
    /// As [`Share::start`].
    pub fn with(desk: &Desk, more: &[&str]) -> Self {
        Self::start_in(None, desk, "127.0.0.1:0", more)
    }

    /// Shares `desk` from the network `space`, where it listens at `listen`.
    ///
    /// # Panics
    /// As [`Share::start`].
    pub fn start_in(space: Option<&Space>, desk: &Desk, listen: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let invitation = text(&folder.path().join("test.invite"));
        let stats = text(&folder.path().join("share.jsonl"));
        let source = format!("x11:{}", desk.display());
        let mut args = vec!["share", "--listen", listen];
        args.extend(["--invite", &invitation, "--source", &source]);
        if !more.contains(&"--stats") {
            args.extend(["--stats", &stats]);
        }
        args.extend(more);
        let program = Program::start_in(space, &args, None);
        program.wait_said("invitation for one helper", START);
        Self { program, folder }
    }

    /// The invitation's file.
    pub fn invitation(&self) -> PathBuf {
        self.file("test.invite")
    }

    /// A file beside the invitation.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its statistics.
    pub fn updates(&self) -> Updates {
        Updates(self.file("share.jsonl"))
    }
}

/// A running `farpane view`.
pub struct View {
    /// The process.
    pub program: Program,
    stats: PathBuf,
}

impl View {
    /// Shows the shared screen on all of `desk`.
    pub fn on(desk: &Desk, share: &Share) -> Self {
        Self::with(share, Some(desk), &["--fullscreen"])
    }

    /// Takes part without a window, with these further arguments.
    pub fn headless(share: &Share, more: &[&str]) -> Self {
        let args: Vec<&str> = ["--headless"].into_iter().chain(more.iter().copied()).collect();
        Self::with(share, None, &args)
    }

    /// Takes part with these further arguments.
    pub fn with(share: &Share, desk: Option<&Desk>, more: &[&str]) -> Self {
        Self::start_in(None, share, desk, more)
    }

    /// Takes part from the network `space`.
    pub fn start_in(
        space: Option<&Space>,
        share: &Share,
        desk: Option<&Desk>,
        more: &[&str],
    ) -> Self {
        let stats = share.file("view.jsonl");
        let (invitation, own) = (text(&share.invitation()), text(&stats));
        let mut args = vec!["view", "--invite", &invitation];
        if !more.contains(&"--stats") {
            args.extend(["--stats", &own]);
        }
        args.extend(more);
        let program = Program::start_in(space, &args, desk.map(Desk::display));
        Self { program, stats }
    }

    /// Its statistics.
    pub fn updates(&self) -> Updates {
        Updates(self.stats.clone())
    }
}

/// A file of statistics that is being written.
pub struct Updates(PathBuf);

impl Updates {
    /// The whole lines so far.
    ///
    /// # Panics
    /// When one is no JSON.
    pub fn lines(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }

    /// Waits until there were updates and there are no more: the picture is exact and still.
    ///
    /// # Panics
    /// When that takes longer than `limit`.
    pub fn wait_quiet(&self, limit: Duration) {
        let (mut seen, mut since) = (0, Instant::now());
        wait_for("updates, then none", limit, || {
            let lines = self.lines();
            if lines.len() != seen {
                (seen, since) = (lines.len(), Instant::now());
            }
            let is_whole = lines.last().is_some_and(|line| line["partial"] != true);
            is_whole && since.elapsed() >= QUIET
        });
    }
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
