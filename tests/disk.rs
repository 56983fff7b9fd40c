//! A disk that is soon full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What fits a small disk beside the filling: one page.
const LEFT_BYTES: usize = 4 << 10;
/// Size of a small disk.
const DISK_BYTES: usize = 64 << 10;

/// A place where almost nothing fits any more: a file system of its own where this process may
/// mount one, else the device that is always full.
pub struct SmallDisk {
    folder: tempfile::TempDir,
    mounted: bool,
}

impl SmallDisk {
    /// Makes one, with room for 4 KiB.
    ///
    /// # Panics
    /// When there is no room for a temporary folder.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = format!("size={DISK_BYTES}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "farpane-test"])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if mounted {
            let filling = vec![1; DISK_BYTES - LEFT_BYTES];
            fs::write(folder.path().join("filling"), filling).expect("room for the filling");
        }
        Self { folder, mounted }
    }

    /// Where a program is to write `name`.
    pub fn file(&self, name: &str) -> PathBuf {
        if self.mounted { self.folder.path().join(name) } else { PathBuf::from("/dev/full") }
    }

    /// The names of the files a program left here.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("a readable folder");
        let names = entries.map(|e| e.expect("an entry").file_name().display().to_string());
        names.filter(|name| name != "filling").collect()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it is a file system; else files cannot be made beside each other.
    pub fn is_mounted(&self) -> bool {
        self.mounted
    }
}

impl Default for SmallDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazy: a program that a failed test leaves behind must not keep the disk.
            let unmounted = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                eprintln!("{} stays mounted", self.folder.path().display());
            }
        }
    }
}
