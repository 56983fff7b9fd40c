//! A look at a log that changes nothing.

use super::folder::Folder;
use super::{AuditError, names};
use farpane_policy::audit::{Observation, Report, Trust, Verifier};
use rustix::fs::OFlags;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Read at a time.
const PORTION_BYTES: usize = 64 << 10;

/// The files of a log, for reading, beside a writer or without one.
#[derive(Debug)]
pub struct AuditReader {
    folder: Folder,
    segments: Vec<u64>,
    total_bytes: u64,
}

impl AuditReader {
    /// Opens the log in a folder.
    ///
    /// # Errors
    /// It cannot be read, or there is none.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let folder = Folder::open(path)?;
        let segments = folder.segments()?;
        let heads = folder.file_if_any(names::HEADS, OFlags::RDONLY)?;
        if segments.is_empty() && heads.is_none() {
            return Err(AuditError::Missing { path: path.to_owned() });
        }
        let mut total_bytes = 0;
        for number in &segments {
            let name = names::segment(*number);
            let about = folder.file(&name, OFlags::RDONLY)?.metadata();
            let about = about.map_err(|e| AuditError::io("look at", &folder.path_of(&name), e))?;
            total_bytes += about.len();
        }
        Ok(Self { folder, segments, total_bytes })
    }

    /// Bytes of all segments.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Verifies the log from its first kept record to its last. `more_heads` are heads of this
    /// log that are kept elsewhere: the `heads` files of peers. `observe` gets what is found, and
    /// records where `with_records`; `progress` how many bytes of the segments were read.
    ///
    /// # Errors
    /// A file cannot be read. What is wrong in it is no error but a finding.
    pub fn verify(
        &self,
        trust: Trust,
        more_heads: &[PathBuf],
        with_records: bool,
        mut observe: impl FnMut(Observation),
        mut progress: impl FnMut(u64),
    ) -> Result<Report, AuditError> {
        let mut verifier = Verifier::new(trust);
        if with_records {
            verifier = verifier.with_records();
        }
        if self.is_written()? {
            verifier.expect_unfinished_end();
        }
        if let Some(heads) = self.folder.file_if_any(names::HEADS, OFlags::RDONLY)? {
            verifier.begin_heads();
            let path = self.folder.path_of(names::HEADS);
            read(heads, &path, &mut verifier, &mut observe, |_| {})?;
        }
        for path in more_heads {
            let heads = File::open(path).map_err(|e| AuditError::io("read", path, e))?;
            verifier.begin_heads();
            read(heads, path, &mut verifier, &mut observe, |_| {})?;
        }
        let mut before = 0;
        for number in &self.segments {
            let name = names::segment(*number);
            let file = self.folder.file(&name, OFlags::RDONLY)?;
            verifier.begin_segment(*number);
            let path = self.folder.path_of(&name);
            let all = |n| progress(before + n);
            let more = read(file, &path, &mut verifier, &mut observe, all)?;
            before += more;
        }
        // A writer may have begun meanwhile.
        if self.is_written()? {
            verifier.expect_unfinished_end();
        }
        let (report, rest) = verifier.finish();
        rest.into_iter().for_each(observe);
        Ok(report)
    }

    /// Whether somebody writes the log now. The lock is asked and not kept: looking must not keep
    /// anybody from writing.
    fn is_written(&self) -> Result<bool, AuditError> {
        let Some(lock) = self.folder.file_if_any(names::LOCK, OFlags::RDONLY)? else {
            return Ok(false);
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => {
                Err(AuditError::io("lock", &self.folder.path_of(names::LOCK), error))
            }
        }
    }
}

/// Gives a file to the verifier, and what comes of it to `observe`; how many bytes it had.
fn read(
    mut file: File,
    path: &Path,
    verifier: &mut Verifier,
    observe: &mut impl FnMut(Observation),
    mut progress: impl FnMut(u64),
) -> Result<u64, AuditError> {
    let mut portion = vec![0; PORTION_BYTES];
    let mut done = 0;
    loop {
        let count = file.read(&mut portion).map_err(|e| AuditError::io("read", path, e))?;
        if count == 0 {
            break;
        }
        verifier.handle_bytes(&portion[..count]);
        std::iter::from_fn(|| verifier.poll_observation()).for_each(&mut *observe);
        done += count as u64;
        progress(done);
    }
    verifier.end();
    Ok(done)
}
