//! What probes found, so that no driver is probed twice.

use super::Backend;
use super::probe::{Probe, Verdict, one_line};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The first line of the file. The number changes when probes become better.
const HEAD: &str = "farpane video hardware 1";
/// The newest lines that are kept: some versions of each backend's driver.
const LINES: usize = 16;
/// A larger file is not one of ours: it holds 16 lines of at most 300 characters.
const FILE_BYTES: u64 = 32 << 10;

/// Verdicts in a small file, a line for each backend and driver.
///
/// A driver that was found to hang, crash or fail is not probed again before it changes
/// ([`super::driver_fingerprint`]); to try again, remove the file. A probe is noted before it
/// begins. One that took the app, or the machine, with it counts as crashed in the next run; so it
/// does for another app that asks meanwhile. The file is replaced as a whole; of two apps that
/// write at once, the later one's line stays, and the other probes once more. A file that cannot be
/// read or is none of ours counts as nothing remembered.
#[derive(Clone, Debug)]
pub struct Remembered {
    path: PathBuf,
}

/// What [`Remembered::choose`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The backend that works, and its driver's fingerprint.
    pub chosen: Option<(Backend, String)>,
    /// What was found out, in the order in which it was.
    pub verdicts: Vec<(Backend, Verdict)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    backend: Backend,
    driver: String,
    /// `None`: a probe began.
    verdict: Option<Verdict>,
}

impl Remembered {
    /// What is remembered in the file `path`, which need not exist; its folder does.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Finds the first of these backends that works; each is given with its driver's fingerprint
    /// ([`super::installed`]). `command` gives the process that calls
    /// [`super::probe::child_main`] for a backend. This may take `limit` for each backend, once
    /// for each driver: call it on a thread that may wait. As soon as `stopped`, the probe that
    /// runs is killed and not remembered, and none is chosen.
    pub fn choose(
        &self,
        drivers: impl IntoIterator<Item = (Backend, String)>,
        limit: Duration,
        stopped: impl Fn() -> bool,
        mut command: impl FnMut(Backend) -> Command,
    ) -> Choice {
        let mut verdicts = Vec::new();
        for (backend, driver) in drivers {
            if stopped() {
                break;
            }
            let run = || Probe::run_until(command(backend), limit, &stopped);
            let verdict = self.probe(backend, &driver, run);
            let works = matches!(verdict, Verdict::Works { .. });
            verdicts.push((backend, verdict));
            if works {
                return Choice { chosen: Some((backend, driver)), verdicts };
            }
        }
        Choice { chosen: None, verdicts }
    }

    /// The verdict on a driver: the one remembered, else that of `run`, which is remembered. If
    /// the probe cannot be noted, it is not run: a driver that takes the machine with it must not
    /// get a second chance.
    pub fn probe(&self, backend: Backend, driver: &str, run: impl FnOnce() -> Verdict) -> Verdict {
        if let Some(verdict) = self.verdict(backend, driver) {
            return verdict;
        }
        if let Err(error) = self.write(backend, driver, None) {
            return Verdict::NotRun { reason: format!("the probe cannot be noted: {error}") };
        }
        let verdict = run();
        // If this fails the note stays, and the driver counts as crashed: the safe side.
        let _ = self.note(backend, driver, &verdict);
        verdict
    }

    /// What is remembered of a driver.
    pub fn verdict(&self, backend: Backend, driver: &str) -> Option<Verdict> {
        let driver = one_line(driver);
        let lines = self.read();
        let line = lines.into_iter().find(|line| line.is_of(backend, &driver))?;
        let unfinished = || Verdict::Crashed { status: "a probe that did not end".into() };
        Some(line.verdict.unwrap_or_else(unfinished))
    }

    /// Remembers a verdict, for example that the driver failed in use
    /// ([`super::FailoverEncoder::failed`]); [`Verdict::NotRun`] forgets what there was.
    ///
    /// # Errors
    /// The file cannot be written; what it held stays.
    pub fn note(&self, backend: Backend, driver: &str, verdict: &Verdict) -> io::Result<()> {
        match verdict {
            Verdict::NotRun { .. } => self.save(&self.others(backend, driver)),
            _ => self.write(backend, driver, Some(verdict.clone())),
        }
    }

    fn read(&self) -> Vec<Line> {
        let mut text = String::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(FILE_BYTES + 1).read_to_string(&mut text));
        match read {
            Ok(_) if text.len() as u64 <= FILE_BYTES => parse(&text).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Keeps a verdict, or, with `None`, that a probe began.
    fn write(&self, backend: Backend, driver: &str, verdict: Option<Verdict>) -> io::Result<()> {
        let mut lines = self.others(backend, driver);
        lines.push(Line { backend, driver: one_line(driver), verdict });
        self.save(&lines)
    }

    /// The lines that are not about this driver.
    fn others(&self, backend: Backend, driver: &str) -> Vec<Line> {
        let driver = one_line(driver);
        let mut lines = self.read();
        lines.retain(|line| !line.is_of(backend, &driver));
        lines
    }

    fn save(&self, lines: &[Line]) -> io::Result<()> {
        let old = lines.len().saturating_sub(LINES);
        let text: String = lines[old..].iter().map(Line::text).collect();
        replace(&self.path, &format!("{HEAD}\n{text}"))
    }
}

impl Line {
    fn is_of(&self, backend: Backend, driver: &str) -> bool {
        self.backend == backend && self.driver == driver
    }

    fn text(&self) -> String {
        let (word, text) = match &self.verdict {
            None | Some(Verdict::NotRun { .. }) => ("probing", ""),
            Some(Verdict::Works { driver }) => ("works", driver.as_str()),
            Some(Verdict::Fails { reason }) => ("fails", reason.as_str()),
            Some(Verdict::Hung) => ("hung", ""),
            Some(Verdict::Crashed { status }) => ("crashed", status.as_str()),
        };
        format!("{}\t{}\t{word}\t{}\n", self.backend, self.driver, one_line(text))
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (backend, driver) = (fields.next()?.parse().ok()?, fields.next()?.to_string());
        let (word, text) = (fields.next()?, fields.next()?.to_string());
        let verdict = match word {
            "probing" => None,
            "works" => Some(Verdict::Works { driver: text }),
            "fails" => Some(Verdict::Fails { reason: text }),
            "hung" => Some(Verdict::Hung),
            "crashed" => Some(Verdict::Crashed { status: text }),
            _ => return None,
        };
        fields.next().is_none().then_some(Self { backend, driver, verdict })
    }
}

fn parse(text: &str) -> Option<Vec<Line>> {
    let lines = text.strip_prefix(HEAD)?.strip_prefix('\n')?;
    lines.lines().map(Line::parse).collect()
}

/// Puts another text in the place of a file: after a crash either the old or the new one is there.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}-{number}.new", std::process::id()));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    // The new name is safe once the folder is; systems on which folders are no files see to it.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use Backend::{Nvenc, VulkanVideo};
    use std::time::Instant;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("hardware")
        }

        /// As another run of the app sees it.
        fn remembered(&self) -> Remembered {
            Remembered::at(self.file())
        }
    }

    fn works(driver: &str) -> Verdict {
        Verdict::Works { driver: driver.into() }
    }

    fn all() -> [Verdict; 4] {
        let crashed = Verdict::Crashed { status: "signal: 11".into() };
        [works("d 1"), Verdict::Fails { reason: "no device".into() }, Verdict::Hung, crashed]
    }

    #[test]
    fn every_verdict_is_remembered_for_its_backend_and_driver() {
        for verdict in all() {
            let place = Place::new();
            let mut runs = 0;
            for _ in 0..3 {
                let found = place.remembered().probe(Nvenc, "550-1", || {
                    runs += 1;
                    verdict.clone()
                });
                assert_eq!((found, runs), (verdict.clone(), 1));
            }
            for (backend, driver) in [(Nvenc, "550-2"), (VulkanVideo, "550-1")] {
                assert_eq!(place.remembered().verdict(backend, driver), None);
                place.remembered().note(backend, driver, &works("other")).unwrap();
            }
            assert_eq!(place.remembered().verdict(Nvenc, "550-1"), Some(verdict));
            assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1, "no file is left behind");
        }
    }

    #[test]
    fn a_hung_driver_costs_the_limit_once() {
        let place = Place::new();
        let limit = Duration::from_millis(300);
        let hang = || {
            let mut command = Command::new("sleep");
            command.arg("60");
            Probe::run(command, limit)
        };
        let began = Instant::now();
        assert_eq!(place.remembered().probe(Nvenc, "550", hang), Verdict::Hung);
        assert!(began.elapsed() >= limit);
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(place.remembered().probe(Nvenc, "550", hang), Verdict::Hung);
        }
        assert!(began.elapsed() < limit);
    }

    #[test]
    fn a_probe_that_took_the_app_with_it_counts_as_crashed() {
        let place = Place::new();
        let end = std::panic::catch_unwind(|| {
            place.remembered().probe(Nvenc, "550", || panic!("the whole app ends"))
        });
        assert!(end.is_err());
        let crashed = Verdict::Crashed { status: "a probe that did not end".into() };
        let again = || unreachable!("it is not probed again");
        assert_eq!(place.remembered().probe(Nvenc, "550", again), crashed);
        assert_eq!(place.remembered().probe(Nvenc, "560", || works("d")), works("d"));
    }

    #[test]
    fn what_cannot_be_noted_is_not_probed() {
        let place = Place::new();
        fs::create_dir(place.file()).unwrap();
        fs::write(place.file().join("x"), "").unwrap();
        let nowhere = Remembered::at(place.0.path().join("missing").join("hardware"));
        for remembered in [place.remembered(), nowhere] {
            let found = remembered.probe(Nvenc, "550", || unreachable!("it is not probed"));
            let Verdict::NotRun { reason } = found else { panic!("{found:?}") };
            assert!(reason.starts_with("the probe cannot be noted: "), "{reason}");
            assert!(remembered.note(Nvenc, "550", &Verdict::Hung).is_err());
        }
        assert_eq!(fs::read_dir(place.0.path()).unwrap().count(), 1, "no file is left behind");
    }

    #[test]
    fn a_verdict_that_cannot_be_noted_leaves_the_note_of_the_probe() {
        let place = Place::new();
        let found = place.remembered().probe(Nvenc, "550", || {
            fs::rename(place.file(), place.0.path().join("moved")).unwrap();
            fs::create_dir(place.file()).unwrap();
            works("d")
        });
        assert_eq!(found, works("d"));
        fs::remove_dir(place.file()).unwrap();
        fs::rename(place.0.path().join("moved"), place.file()).unwrap();
        let next = place.remembered().verdict(Nvenc, "550");
        assert!(matches!(next, Some(Verdict::Crashed { .. })), "{next:?}");
    }

    #[test]
    fn foreign_files_are_nothing_remembered_and_are_replaced() {
        let good = format!("{HEAD}\nnvenc\t550\thung\t\n");
        // Too large by one byte, of good lines.
        let filler = "x".repeat(FILE_BYTES as usize + 1 - good.len() - "nvenc\t\thung\t\n".len());
        let large = format!("{good}nvenc\t{filler}\thung\t\n");
        let foreign: [&[u8]; 11] = [
            b"",
            b"\xff\xfe",
            b"farpane video hardware 2\nnvenc\t550\thung\t\n",
            b"farpane video hardware 1 \nnvenc\t550\thung\t\n",
            b"farpane video hardware 1nvenc\t550\thung\t\n",
            b"farpane video hardware 1\nnvenc\t550\n",
            b"farpane video hardware 1\nnvenc\t550\tdances\t\n",
            b"farpane video hardware 1\nnvenc\t550\thung\t\tmore\n",
            b"farpane video hardware 1\nother\t550\thung\t\n",
            b"farpane video hardware 1\nnvenc\t550\thung\t\n\n",
            large.as_bytes(),
        ];
        for text in foreign {
            let place = Place::new();
            fs::write(place.file(), text).unwrap();
            let begun = String::from_utf8_lossy(&text[..text.len().min(60)]);
            assert_eq!(place.remembered().verdict(Nvenc, "550"), None, "{begun}");
            place.remembered().note(Nvenc, "560", &Verdict::Hung).unwrap();
            assert_eq!(place.remembered().verdict(Nvenc, "560"), Some(Verdict::Hung));
        }
        let place = Place::new();
        fs::write(place.file(), good).unwrap();
        assert_eq!(place.remembered().verdict(Nvenc, "550"), Some(Verdict::Hung));
    }

    #[test]
    fn the_file_stays_small_and_keeps_the_newest() {
        let place = Place::new();
        let long = Verdict::Fails { reason: "\n\t\u{1f4a5}".repeat(1000) };
        for version in 0..50 {
            let driver = format!("{version}\n{}", "v".repeat(1000));
            place.remembered().note(Nvenc, &driver, &long).unwrap();
            assert!(fs::metadata(place.file()).unwrap().len() < FILE_BYTES);
            assert!(place.remembered().verdict(Nvenc, &driver).is_some());
        }
        let text = fs::read_to_string(place.file()).unwrap();
        assert_eq!(text.lines().count(), 1 + LINES);
        assert!(text.lines().last().unwrap().starts_with("nvenc\t49 v"));
    }

    #[test]
    fn a_probe_that_was_given_up_is_not_remembered() {
        let place = Place::new();
        place.remembered().note(VulkanVideo, "1", &Verdict::Hung).unwrap();
        let (began, limit) = (Instant::now(), Duration::from_secs(50));
        let drivers = [(Nvenc, "550".to_string()), (VulkanVideo, "2".to_string())];
        let stopped = || began.elapsed() > Duration::from_millis(100);
        let choice = place.remembered().choose(drivers, limit, stopped, |backend| {
            assert_eq!(backend, Nvenc, "no other is probed");
            let mut command = Command::new("sleep");
            command.arg("60");
            command
        });
        let given_up = Verdict::NotRun { reason: "the probe was given up".into() };
        assert_eq!(choice, Choice { chosen: None, verdicts: vec![(Nvenc, given_up)] });
        assert!(began.elapsed() < limit / 2);
        assert_eq!(place.remembered().verdict(Nvenc, "550"), None);
        assert_eq!(place.remembered().verdict(VulkanVideo, "1"), Some(Verdict::Hung));
    }

    #[test]
    fn a_probe_that_does_not_start_is_tried_again() {
        let place = Place::new();
        let nothing = || Probe::run(Command::new("/nonexistent/program"), Duration::from_secs(9));
        let found = place.remembered().probe(Nvenc, "550", nothing);
        assert!(matches!(found, Verdict::NotRun { .. }), "{found:?}");
        assert_eq!(place.remembered().probe(Nvenc, "550", || works("d")), works("d"));
    }

    #[test]
    fn the_first_that_works_is_chosen_and_nothing_is_probed_twice() {
        let place = Place::new();
        let drivers = || [(Nvenc, "550".to_string()), (VulkanVideo, "1".to_string())];
        let mut asked = Vec::new();
        let mut choose = || {
            place.remembered().choose(
                drivers(),
                Duration::from_secs(20),
                || false,
                |backend| {
                    asked.push(backend);
                    let verdict = if backend == Nvenc { "fails as told" } else { "works as told" };
                    let mut command = Command::new("echo");
                    command.args(["farpane-probe", verdict]);
                    command
                },
            )
        };
        let fails = Verdict::Fails { reason: "as told".into() };
        let verdicts = vec![(Nvenc, fails), (VulkanVideo, works("as told"))];
        let expected = Choice { chosen: Some((VulkanVideo, "1".to_string())), verdicts };
        assert_eq!(choose(), expected);
        assert_eq!(choose(), expected);
        assert_eq!(asked, [Nvenc, VulkanVideo]);
    }
}
