//! The segment that is being written.

use super::AuditError;
use rustix::fs::FallocateFlags;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Room that is kept for the ends of sessions when the disk is full: some 20 records.
const RESERVE_BYTES: u64 = 8 << 10;
/// Room is taken from the disk in such portions.
const PORTION_BYTES: u64 = 64 << 10;

/// A file that grows by whole frames, each durable before the next.
#[derive(Debug)]
pub(super) struct Appender {
    file: File,
    path: PathBuf,
    /// Its length: all before it is durable.
    bytes: u64,
    /// Up to here the file system has promised room; `None` where it cannot.
    reserved: Option<u64>,
}

impl Appender {
    /// Goes on after `bytes` of the file.
    pub(super) fn new(file: File, path: PathBuf, bytes: u64) -> Self {
        Self { file, path, bytes, reserved: Some(bytes) }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends a frame, and leaves the reserve as it is.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), AuditError> {
        self.reserve(self.bytes + frame.len() as u64 + RESERVE_BYTES)?;
        self.append_from_reserve(frame)
    }

    /// Appends a frame, even where only the reserve has room for it.
    pub(super) fn append_from_reserve(&mut self, frame: &[u8]) -> Result<(), AuditError> {
        let written = self.file.write_all_at(frame, self.bytes);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // Half a frame would be cut off when the log is opened; better not leave one.
            let _ = self.file.set_len(self.bytes);
            return Err(AuditError::io("write", &self.path, error));
        }
        self.bytes += frame.len() as u64;
        Ok(())
    }

    /// Cuts off what is behind its end.
    pub(super) fn cut(&self) -> Result<(), AuditError> {
        self.file.set_len(self.bytes).map_err(|e| AuditError::io("cut", &self.path, e))
    }

    /// Nothing more is appended: gives back the room that was taken in advance.
    pub(super) fn close(&mut self) {
        // Only room is at stake, and the next writer takes what it needs.
        let _ = self.file.set_len(self.bytes);
    }

    fn reserve(&mut self, end: u64) -> Result<(), AuditError> {
        let Some(reserved) = self.reserved.filter(|reserved| *reserved < end) else {
            return Ok(());
        };
        let generous = end.next_multiple_of(PORTION_BYTES);
        let promised = self.promise(reserved, generous).or_else(|error| match error {
            // Then only what is needed.
            rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT => self.promise(reserved, end),
            error => Err(error),
        });
        match promised {
            Ok(end) => self.reserved = Some(end),
            Err(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => {
                let source = rustix::io::Errno::NOSPC.into();
                return Err(AuditError::Full { path: self.path.clone(), source });
            }
            // Not every file system can.
            Err(_) => self.reserved = None,
        }
        Ok(())
    }

    /// Takes room without making the file longer.
    fn promise(&self, from: u64, to: u64) -> Result<u64, rustix::io::Errno> {
        rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, from, to - from)?;
        Ok(to)
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.close();
    }
}
