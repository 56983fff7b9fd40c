//! Files that are there as a whole or not at all.

use anyhow::{Context, Result, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// For the owner only.
pub(crate) const SECRET: u32 = 0o600;
/// For everybody to read.
pub(crate) const PUBLIC: u32 = 0o644;

/// Writes a file that is not there yet.
///
/// # Errors
/// It is there, or cannot be written.
pub(crate) fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let whole = Unfinished::write(path, bytes, mode)?;
    // Unlike a rename, a link does not replace what is there.
    match fs::hard_link(&whole.0, path) {
        Ok(()) => sync_folder(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} is there already; it is not overwritten", path.display())
        }
        Err(error) => Err(error).with_context(|| unwritten(path)),
    }
}

/// Writes a file in place of the one that is there.
///
/// # Errors
/// It cannot be written; the old one is still there.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let whole = Unfinished::write(path, bytes, mode)?;
    fs::rename(&whole.0, path).with_context(|| unwritten(path))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")));
    folder.and_then(|folder| folder.sync_all()).with_context(|| unwritten(path))
}

fn unwritten(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

/// A whole file beside the one to be; gone when dropped.
struct Unfinished(PathBuf);

impl Unfinished {
    fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside);
        let mut file = file.with_context(|| unwritten(&beside))?;
        let unfinished = Self(beside);
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.with_context(|| unwritten(path))?;
        Ok(unfinished)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename it is not there any more.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_there_is_not_overwritten_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        create(&path, b"one", SECRET).unwrap();
        let error = create(&path, b"two", SECRET).unwrap_err().to_string();
        assert!(error.contains("already"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"three", SECRET).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
