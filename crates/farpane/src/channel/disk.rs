//! Files of a session on this end's disk.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names tried for a file of which there is one already.
const MAX_TRIES: u32 = 1_000;
/// Tells the files of this process from each other while they come.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Opens a file to be offered: its name, its length in bytes, and what is in it.
///
/// # Errors
/// It cannot be read, is no file, or its name is not UTF-8.
pub fn open_file(path: &Path) -> Result<(String, u64, File)> {
    // Before it is opened: to open a pipe would wait for whoever writes to it.
    let meta = std::fs::metadata(path).map_err(|error| about(path, &error))?;
    let name = path.file_name().and_then(|name| name.to_str()).filter(|_| meta.is_file());
    let no_file = || about(path, &Error::new(ErrorKind::InvalidInput, "no file with a name"));
    let name = name.ok_or_else(no_file)?.to_owned();
    let file = File::open(path).map_err(|error| about(path, &error))?;
    Ok((name, file.metadata()?.len(), file))
}

/// A file that comes into a folder. Until it is whole it has another name, which is hidden; it is
/// removed when this is dropped before.
#[derive(Debug)]
pub struct ArrivingFile {
    folder: PathBuf,
    name: String,
    part: PathBuf,
}

impl ArrivingFile {
    /// Makes the file, for this user alone, and opens it for writing. `name` is one that was
    /// [offered](crate::FileEvent::Offered), and so leads nowhere else.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(folder: &Path, name: &str) -> Result<(Self, File)> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = folder.join(format!(".farpane-{}-{number}.part", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&part).map_err(|error| about(&part, &error))?;
        Ok((Self { folder: folder.to_owned(), name: name.to_owned(), part }, file))
    }

    /// The file is whole: gives it its name, or one like it where there is such a file already, and
    /// says where it is.
    ///
    /// # Errors
    /// It cannot be named; then it is gone.
    pub fn finish(self) -> Result<PathBuf> {
        let (stem, ending) = match self.name.rsplit_once('.') {
            Some((stem, ending)) => (stem, format!(".{ending}")),
            None => (self.name.as_str(), String::new()),
        };
        for number in 0..MAX_TRIES {
            let path = self.folder.join(match number {
                0 => self.name.clone(),
                number => format!("{stem} ({number}){ending}"),
            });
            match name_new(&self.part, &path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(about(&path, &error)),
            }
        }
        let text = format!("{MAX_TRIES} files are called {} already", self.name);
        Err(Error::new(ErrorKind::AlreadyExists, text))
    }
}

impl Drop for ArrivingFile {
    fn drop(&mut self) {
        // After a link it has its name; else nobody wants it.
        let _ = std::fs::remove_file(&self.part);
    }
}

/// Names a file where there is none of that name. A link never replaces what is there, as a rename
/// would.
fn name_new(file: &Path, name: &Path) -> Result<()> {
    match std::fs::hard_link(file, name) {
        // Each system has its own error for a disk without links.
        Err(error) if error.kind() != ErrorKind::AlreadyExists => rename_new(file, name),
        linked => linked,
    }
}

/// As [`name_new`], on disks without links, like those of most sticks: what the rename replaces is
/// a file that was made for it.
fn rename_new(file: &Path, name: &Path) -> Result<()> {
    OpenOptions::new().write(true).create_new(true).open(name)?;
    std::fs::rename(file, name).inspect_err(|_| {
        let _ = std::fs::remove_file(name);
    })
}

/// The error, and of which file it is.
fn about(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn files_come_whole_or_not_at_all_and_replace_none() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let files = std::fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> =
                files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        for number in 0..3 {
            let (arriving, mut file) = ArrivingFile::create(folder.path(), "a.txt").unwrap();
            write!(file, "{number}").unwrap();
            assert!(names().iter().any(|name| name.ends_with(".part")));
            arriving.finish().unwrap();
        }
        let longest = "b".repeat(255);
        ArrivingFile::create(folder.path(), &longest).unwrap().0.finish().unwrap();
        drop(ArrivingFile::create(folder.path(), "c").unwrap());
        assert_eq!(names(), ["a (1).txt", "a (2).txt", "a.txt", &longest]);
        let read = |name| open_file(&folder.path().join(name)).unwrap();
        for (name, content) in [("a.txt", "0"), ("a (1).txt", "1"), ("a (2).txt", "2")] {
            let (opened, bytes, file) = read(name);
            assert_eq!((opened.as_str(), bytes), (name, 1));
            assert_eq!(std::io::read_to_string(file).unwrap(), content);
        }
    }

    #[test]
    fn a_file_without_links_gets_a_free_name_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let [part, taken, free] = ["part", "taken", "free"].map(|name| folder.path().join(name));
        std::fs::write(&part, "new").unwrap();
        std::fs::write(&taken, "old").unwrap();
        let error = rename_new(&part, &taken).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&taken).unwrap(), "old");
        rename_new(&part, &free).unwrap();
        assert_eq!(std::fs::read_to_string(&free).unwrap(), "new");
        // What cannot be renamed leaves nothing behind.
        let other = folder.path().join("other");
        assert!(rename_new(&part, &other).is_err());
        assert!(!part.exists() && !other.exists());
    }

    #[test]
    fn what_is_no_file_is_neither_offered_nor_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(open_file(folder.path()).is_err());
        let missing = folder.path().join("none");
        let error = open_file(&missing).unwrap_err().to_string();
        assert!(error.contains("none"), "{error}");
        assert!(ArrivingFile::create(&missing, "a").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
