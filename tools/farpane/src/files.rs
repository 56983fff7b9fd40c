//! Files that the other side sends, into one folder.

use anyhow::{Context, Result};
use farpane::{FileEvent, FileId, FileProblem};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Names tried for a file of which there is one already.
const MAX_TRIES: u32 = 1_000;

/// Files in both directions, as a terminal tells of them.
pub(crate) struct Exchange {
    folder: Option<Folder>,
}

impl Exchange {
    /// Takes files into `folder`, or none.
    ///
    /// # Errors
    /// There is no such folder.
    pub(crate) fn new(folder: Option<&Path>) -> Result<Self> {
        Ok(Self { folder: folder.map(Folder::open).transpose()? })
    }

    /// Tells of a file and does what is to be done: `from` numbers the other side, `who` names it.
    pub(crate) fn handle(
        &mut self,
        who: &str,
        from: u64,
        event: FileEvent,
        answer: impl FnOnce(FileId, Option<Box<dyn Write + Send>>),
    ) {
        match event {
            FileEvent::Offered { file, name, bytes } => {
                let folder = self.folder.as_mut();
                let taken =
                    folder.and_then(|folder| shown(folder.take((from, file.number), &name)));
                let what = if taken.is_some() { "sends" } else { "offers, and is refused," };
                eprintln!("{who} {what} {name} ({bytes} bytes)");
                answer(file, taken.map(|to| Box::new(to) as Box<dyn Write + Send>));
            }
            FileEvent::Done { file, .. } if file.outgoing => eprintln!("the file was sent"),
            FileEvent::Done { file, bytes } => {
                let folder = self.folder.as_mut();
                if let Some(path) = folder.and_then(|f| shown(f.done((from, file.number)))) {
                    eprintln!("received {} ({bytes} bytes)", path.display());
                }
            }
            FileEvent::Stopped { file, reason } => {
                eprintln!("farpane: a file was not transferred: {reason}");
                if let Some(folder) = self.folder.as_mut().filter(|_| !file.outgoing) {
                    folder.stopped((from, file.number));
                }
            }
            _ => {}
        }
    }
}

/// Shows why something did not work.
fn shown<T>(result: Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("farpane: {error:#}")).ok()
}

/// Offers the file at `path`.
///
/// # Errors
/// It cannot be read or offered.
pub(crate) fn offer(
    path: &Path,
    offer: impl FnOnce(&str, u64, File) -> Result<FileId, FileProblem>,
) -> Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let meta = file.metadata()?;
    anyhow::ensure!(meta.is_file(), "{} is no file", path.display());
    let name = path.file_name().and_then(|name| name.to_str()).context("the file has no name")?;
    offer(name, meta.len(), file)?;
    Ok(())
}

/// The folder, and the files that are coming: each has another name until it is whole.
struct Folder {
    path: PathBuf,
    coming: HashMap<(u64, u32), Coming>,
}

struct Coming {
    part: PathBuf,
    name: String,
}

impl Folder {
    /// Files go to `path`, which has to be there.
    ///
    /// # Errors
    /// It is not.
    fn open(path: &Path) -> Result<Self> {
        let is_folder = std::fs::metadata(path).is_ok_and(|meta| meta.is_dir());
        anyhow::ensure!(is_folder, "--files {}: there is no such folder", path.display());
        Ok(Self { path: path.to_owned(), coming: HashMap::new() })
    }

    /// Where the file `number` of `from` goes.
    ///
    /// # Errors
    /// It cannot be written there.
    fn take(&mut self, (from, number): (u64, u32), name: &str) -> Result<File> {
        let part = self.path.join(format!(".{name}.{from}-{number}.part"));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
        let file = file.with_context(|| format!("cannot write {}", part.display()))?;
        self.coming.insert((from, number), Coming { part, name: name.to_owned() });
        Ok(file)
    }

    /// The file is whole: gives it its name, or one like it where there is such a file already.
    ///
    /// # Errors
    /// It cannot be renamed.
    fn done(&mut self, key: (u64, u32)) -> Result<PathBuf> {
        let coming = self.coming.remove(&key).context("an unknown file arrived")?;
        let (stem, ending) = match coming.name.rsplit_once('.') {
            Some((stem, ending)) => (stem.to_owned(), format!(".{ending}")),
            None => (coming.name.clone(), String::new()),
        };
        for number in 0..MAX_TRIES {
            let name = match number {
                0 => coming.name.clone(),
                number => format!("{stem} ({number}){ending}"),
            };
            let path = self.path.join(name);
            // A link never replaces what is there, as a rename would.
            match std::fs::hard_link(&coming.part, &path) {
                Ok(()) => {
                    let _ = std::fs::remove_file(&coming.part);
                    return Ok(path);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot name {}", path.display()));
                }
            }
        }
        anyhow::bail!("{} files are called {} already", MAX_TRIES, coming.name)
    }

    /// The file will not be whole: what is there of it goes.
    fn stopped(&mut self, key: (u64, u32)) {
        if let Some(coming) = self.coming.remove(&key) {
            let _ = std::fs::remove_file(coming.part);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.coming.drain().for_each(|(_, coming)| drop(std::fs::remove_file(coming.part)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_whole_or_not_at_all_and_replace_none() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(temporary.path()).unwrap();
        let names = || {
            let files = std::fs::read_dir(temporary.path()).unwrap();
            let mut names: Vec<_> =
                files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        for number in 0..3 {
            let mut file = folder.take((1, number), "a.txt").unwrap();
            write!(file, "{number}").unwrap();
            assert!(names().iter().any(|name| name.ends_with(".part")));
            folder.done((1, number)).unwrap();
        }
        folder.take((1, 3), "b").unwrap();
        folder.stopped((1, 3));
        folder.take((1, 4), "c").unwrap();
        drop(folder);
        assert_eq!(names(), ["a (1).txt", "a (2).txt", "a.txt"]);
        let read = |name| std::fs::read_to_string(temporary.path().join(name)).unwrap();
        assert_eq!(["a.txt", "a (1).txt", "a (2).txt"].map(read), ["0", "1", "2"]);
        assert!(Folder::open(&temporary.path().join("none")).is_err());
    }
}
