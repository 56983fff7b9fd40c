//! The folder, held open: every file is reached from it and never by a link.

use super::{AuditError, names};
use rustix::fs::{AtFlags, Mode, OFlags};
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files are their owner's alone.
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER_MODE: u32 = 0o700;
/// Bits by which others may change a folder.
const WRITABLE: u32 = 0o022;

#[derive(Debug)]
pub(super) struct Folder {
    folder: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Makes it if it is not there. Its parent must be.
    pub(super) fn create(path: &Path) -> Result<Self, AuditError> {
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(AuditError::io("create the folder", path, error))
            }
            _ => Self::open(path),
        }
    }

    pub(super) fn open(path: &Path) -> Result<Self, AuditError> {
        let how = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, how, Mode::empty());
        let folder = folder.map_err(|e| AuditError::io("open the folder", path, e.into()))?;
        Ok(Self { folder, path: path.to_owned() })
    }

    /// Refuses a folder in which others could put files in place of ours.
    pub(super) fn check_private(&self) -> Result<(), AuditError> {
        let stat = rustix::fs::fstat(&self.folder);
        let stat = stat.map_err(|e| AuditError::io("look at", &self.path, e.into()))?;
        let mode = stat.st_mode & 0o777;
        if mode & WRITABLE == 0 {
            return Ok(());
        }
        Err(AuditError::Exposed { path: self.path.clone(), mode })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens an ordinary file, never through a link.
    pub(super) fn file(&self, name: &str, how: OFlags) -> Result<File, AuditError> {
        let path = self.path_of(name);
        // Without waiting: a pipe in a file's place must not hang the program.
        let how = how | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&self.folder, name, how, FILE_MODE)
            .map(File::from)
            .map_err(|error| AuditError::io("open", &path, error.into()))?;
        let about = file.metadata().map_err(|e| AuditError::io("look at", &path, e))?;
        if about.is_file() { Ok(file) } else { Err(AuditError::NotAFile { path }) }
    }

    /// The same, unless there is none.
    pub(super) fn file_if_any(&self, name: &str, how: OFlags) -> Result<Option<File>, AuditError> {
        match self.file(name, how) {
            Err(AuditError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(None)
            }
            file => file.map(Some),
        }
    }

    /// A file's bytes, if there is one with at most `limit`.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, AuditError> {
        let path = self.path_of(name);
        let Some(file) = self.file_if_any(name, OFlags::RDONLY)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| AuditError::io("read", &path, e))?;
        if bytes.len() as u64 > limit {
            let reason = format!("more than {limit} bytes");
            return Err(AuditError::Damaged { path, reason });
        }
        Ok(Some(bytes))
    }

    /// Puts a file there that is whole and durable, or none.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<File, AuditError> {
        let path = self.path_of(name);
        self.remove(names::UNFINISHED)?;
        let how = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let mut file = self.file(names::UNFINISHED, how)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| file.sync_data())
            .and_then(|()| {
                let (from, to) = (&self.folder, &self.folder);
                rustix::fs::renameat(from, names::UNFINISHED, to, name).map_err(io::Error::from)
            })
            .and_then(|()| rustix::fs::fsync(&self.folder).map_err(io::Error::from));
        match written {
            Ok(()) => Ok(file),
            Err(error) => {
                // What is left of it takes room that others may need.
                let _ = self.remove(names::UNFINISHED);
                Err(AuditError::io("write", &path, error))
            }
        }
    }

    /// Removes a file, durably with the next [`Folder::sync`].
    pub(super) fn remove(&self, name: &str) -> Result<(), AuditError> {
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(AuditError::io("remove", &self.path_of(name), error.into())),
        }
    }

    pub(super) fn sync(&self) -> Result<(), AuditError> {
        rustix::fs::fsync(&self.folder)
            .map_err(|error| AuditError::io("sync the folder", &self.path, error.into()))
    }

    /// The numbers of the segments, in order.
    pub(super) fn segments(&self) -> Result<Vec<u64>, AuditError> {
        let failed = |e: rustix::io::Errno| AuditError::io("list", &self.path, e.into());
        let mut numbers = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            numbers.extend(entry.file_name().to_str().ok().and_then(names::number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The permission bits of a file.
pub(super) fn mode(file: &File) -> io::Result<u32> {
    Ok(file.metadata()?.permissions().mode() & 0o777)
}
