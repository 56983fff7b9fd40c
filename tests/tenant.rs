//! A tenant's folder, as `farpane tenant` makes and keeps it.

use crate::Program;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long one command may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A tenant with its authority.
pub struct Tenant {
    parent: tempfile::TempDir,
}

/// What a tenant has issued; its key lies beside it.
#[derive(Debug)]
pub struct Credential {
    /// Its name in revocation lists.
    pub id: String,
    /// Where it is.
    pub file: PathBuf,
}

impl Tenant {
    /// Founds one.
    ///
    /// # Panics
    /// When the program refuses.
    pub fn init(name: &str) -> Self {
        let tenant = Self { parent: tempfile::tempdir().expect("a temporary folder") };
        let folder = tenant.folder();
        farpane(&["init", text(&folder), "--name", name]);
        tenant
    }

    /// Where it is.
    pub fn folder(&self) -> PathBuf {
        self.parent.path().join("tenant")
    }

    /// A certificate of the machine `id`, with these further arguments.
    ///
    /// # Panics
    /// When the program refuses.
    pub fn device(&self, id: &str, more: &[&str]) -> Credential {
        self.issue(&[&["device", "--id", id], more].concat())
    }

    /// A grant for `subject`, with these further arguments.
    ///
    /// # Panics
    /// When the program refuses.
    pub fn grant(&self, subject: &str, more: &[&str]) -> Credential {
        self.issue(&[&["grant", "--subject", subject], more].concat())
    }

    fn issue(&self, what: &[&str]) -> Credential {
        let folder = self.folder();
        let said = farpane(&[&["issue"], what, &["--tenant", text(&folder)]].concat());
        // The kind and the id, then the files, a line each.
        let mut lines = said.lines();
        let mut next = || lines.next().expect("a line").split_whitespace();
        let id = next().next_back().expect("an id").to_owned();
        Credential { id, file: next().next().expect("a file").into() }
    }

    /// Takes a credential back. When the new list was in its place: the kernel's tick before the
    /// file was renamed.
    ///
    /// # Panics
    /// When the program refuses.
    pub fn revoke(&self, credential: &Credential) -> SystemTime {
        let folder = self.folder();
        farpane(&["revoke", &credential.id, "--tenant", text(&folder)]);
        let list = folder.join("revocations.cwt");
        let list = std::fs::metadata(list).expect("a revocation list");
        let (s, ns) = (list.ctime(), list.ctime_nsec());
        UNIX_EPOCH + Duration::from_secs(s as u64) + Duration::from_nanos(ns as u64)
    }

    /// What tells `share` or `view` that it is a member by `credential`.
    pub fn member(&self, credential: &Credential) -> [String; 4] {
        let (folder, file) = (self.folder(), &credential.file);
        ["--tenant", text(&folder), "--as", text(file)].map(str::to_owned)
    }
}

/// Runs `farpane tenant`; what it said.
fn farpane(args: &[&str]) -> String {
    let exit = Program::run(&[&["tenant"], args].concat(), None, LIMIT);
    assert!(exit.status.success(), "{args:?}: {exit:?}");
    exit.said
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
