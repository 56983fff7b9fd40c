//! The tenant of this end, and its audit log, as the command line names them.

use anyhow::{Context, Result, bail};
use farpane::audit::{Audit, AuditLog, AuditOptions};
use farpane::{Documents, Membership};
use farpane_policy::{Capabilities, Side, TenantSettings};
use rustix::fs::inotify;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const TENANT: &str = "tenant.json";
const REVOCATIONS: &str = "revocations.cwt";
/// The longest file that is read: a full revocation list has 70 KiB.
const MAX_FILE_BYTES: u64 = 1 << 20;

#[derive(clap::Args)]
pub(super) struct MemberArgs {
    /// Let in only members of this tenant: a folder with its tenant.json and revocations.cwt, as
    /// `farpane tenant init` makes them. The secret key does not belong there.
    #[arg(long, value_name = "FOLDER", requires = "credential")]
    tenant: Option<PathBuf>,
    /// What the tenant has issued to this end: share takes a device certificate, view a grant. Its
    /// key lies beside it, with the ending .key.
    #[arg(long = "as", value_name = "FILE.cwt", requires = "tenant")]
    credential: Option<PathBuf>,
    /// Keep an audit log in this folder; `farpane audit` reads it.
    #[arg(long, value_name = "FOLDER")]
    audit: Option<PathBuf>,
}

impl MemberArgs {
    /// Where to write down what happens.
    pub(super) fn audit(&self) -> Result<Audit> {
        let Some(folder) = &self.audit else { return Ok(Audit::default()) };
        let log = AuditLog::open(folder, &AuditOptions::default());
        Ok(Audit::new(log.with_context(|| format!("--audit {}", folder.display()))?))
    }

    /// The tenant of this `side`.
    pub(super) fn membership(&self, side: Side) -> Result<Option<Membership>> {
        let (Some(folder), Some(credential)) = (&self.tenant, &self.credential) else {
            return Ok(None);
        };
        let tenant = read(&folder.join(TENANT))?;
        let key_file = credential.with_extension("key");
        let key = Zeroizing::new(read(&key_file)?);
        let documents = Documents {
            tenant: str::from_utf8(&tenant).context(TENANT)?,
            revocations: &read(&folder.join(REVOCATIONS))?,
            credential: &read(credential)?,
            key: str::from_utf8(&key).with_context(|| key_file.display().to_string())?,
            person: None,
        };
        let (settings, device) = (TenantSettings::default(), Capabilities::ALL);
        let membership = Membership::of(side, &documents, settings, device);
        let of = || format!("--tenant {} --as {}", folder.display(), credential.display());
        Ok(Some(membership.with_context(of)?))
    }

    /// Calls `renew` with each new revocation list, on a thread of its own.
    ///
    /// # Errors
    /// The system does not say when files change.
    pub(super) fn watch_revocations(
        &self,
        renew: impl Fn(&[u8]) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let Some(folder) = self.tenant.clone() else { return Ok(()) };
        let watch = inotify::init(inotify::CreateFlags::CLOEXEC).context("cannot watch files")?;
        let changes = inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::MOVED_TO;
        inotify::add_watch(&watch, &folder, changes)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        let update = move || {
            let renewed = read(&folder.join(REVOCATIONS)).and_then(|bytes| renew(&bytes));
            if let Err(error) = renewed {
                eprintln!("farpane: the new revocation list does not count: {error:#}");
            }
        };
        let run = move || {
            // What came between the first look and the watch.
            update();
            let mut buffer = [MaybeUninit::uninit(); 4_096];
            let mut events = inotify::Reader::new(&watch, &mut buffer);
            while let Ok(event) = events.next() {
                let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                if name == Some(OsStr::new(REVOCATIONS)) {
                    update();
                }
            }
        };
        let thread = std::thread::Builder::new().name("revocations".to_owned()).spawn(run);
        thread.context("cannot start a thread")?;
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::metadata(path).map(|meta| meta.len());
    let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes > MAX_FILE_BYTES {
        bail!("{} has {bytes} bytes, more than {MAX_FILE_BYTES}", path.display());
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
