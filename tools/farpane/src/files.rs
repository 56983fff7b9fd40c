//! Files that the other side sends, into one folder.

use anyhow::Result;
use farpane::{ArrivingFile, FileEvent, FileId, FileProblem, open_file};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Files in both directions, as a terminal tells of them.
pub(crate) struct Exchange {
    folder: Option<PathBuf>,
    /// By the number of the other side, and the file's there.
    coming: HashMap<(u64, u32), ArrivingFile>,
}

impl Exchange {
    /// Takes files into `folder`, or none.
    ///
    /// # Errors
    /// There is no such folder.
    pub(crate) fn new(folder: Option<&Path>) -> Result<Self> {
        if let Some(folder) = folder {
            let is_folder = std::fs::metadata(folder).is_ok_and(|meta| meta.is_dir());
            anyhow::ensure!(is_folder, "--files {}: there is no such folder", folder.display());
        }
        Ok(Self { folder: folder.map(Path::to_owned), coming: HashMap::new() })
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
                let taken = self.take((from, file.number), &name);
                let what = if taken.is_some() { "sends" } else { "offers, and is refused," };
                eprintln!("{who} {what} {name} ({bytes} bytes)");
                answer(file, taken.map(|to| Box::new(to) as Box<dyn Write + Send>));
            }
            FileEvent::Done { file, .. } if file.outgoing => eprintln!("the file was sent"),
            FileEvent::Done { file, bytes } => {
                let arrived = self.coming.remove(&(from, file.number));
                if let Some(path) = arrived.and_then(|arriving| shown(arriving.finish())) {
                    eprintln!("received {} ({bytes} bytes)", path.display());
                }
            }
            FileEvent::Stopped { file, reason } => {
                eprintln!("farpane: a file was not transferred: {reason}");
                if !file.outgoing {
                    self.coming.remove(&(from, file.number));
                }
            }
            _ => {}
        }
    }

    /// Where a file goes, if there is a folder that takes it.
    fn take(&mut self, key: (u64, u32), name: &str) -> Option<File> {
        let folder = self.folder.as_ref()?;
        let (arriving, file) = shown(ArrivingFile::create(folder, name))?;
        self.coming.insert(key, arriving);
        Some(file)
    }
}

/// Shows why something did not work.
fn shown<T>(result: std::io::Result<T>) -> Option<T> {
    result.inspect_err(|error| eprintln!("farpane: {error}")).ok()
}

/// Offers the file at `path`.
///
/// # Errors
/// It cannot be read or offered.
pub(crate) fn offer(
    path: &Path,
    offer: impl FnOnce(&str, u64, File) -> Result<FileId, FileProblem>,
) -> Result<()> {
    let (name, bytes, file) = open_file(path)?;
    offer(&name, bytes, file)?;
    Ok(())
}
