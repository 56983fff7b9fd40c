//! The tenant of this end, and its audit log, as the command line names them.

use anyhow::{Context, Result, bail};
use farpane::Membership;
use farpane::audit::{Audit, AuditLog, AuditOptions};
use farpane_policy::admission::{Certificate, Credential, Holder, Rules};
use farpane_policy::identity::{KeyPair, Tenant, Trust};
use farpane_policy::{Capabilities, Side, TenantSettings, Version};
use rustix::fs::inotify;
use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
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
        let tenant = Tenant::from_json(str::from_utf8(&tenant).context(TENANT)?)?;
        let mut trust = Trust::new(tenant);
        let revocations = folder.join(REVOCATIONS);
        trust
            .update(&read(&revocations)?, now_s())
            .with_context(|| revocations.display().to_string())?;
        let holder = holder(side, credential)?;
        let rules = Rules::new(trust, TenantSettings::default());
        let rules = rules.with_device(&holder, Capabilities::ALL);
        Ok(Some(Membership::new(holder, rules)))
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

fn holder(side: Side, path: &Path) -> Result<Holder> {
    let (bytes, key) = (read(path)?, path.with_extension("key"));
    let pem = Zeroizing::new(read(&key)?);
    let pem = str::from_utf8(&pem).with_context(|| key.display().to_string())?;
    let pair = KeyPair::from_pem(pem).with_context(|| key.display().to_string())?;
    let holder = match side {
        Side::Helper => Holder::helper(Credential::grant(bytes)?, pair, version()),
        Side::Sharer => Holder::sharer(Certificate::new(bytes)?, pair, None, version()),
    };
    holder.with_context(|| path.display().to_string())
}

/// This program's version.
fn version() -> Version {
    let mut numbers = env!("CARGO_PKG_VERSION").split('.').map(|n| n.parse().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    Version(next(), next(), next())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::metadata(path).map(|meta| meta.len());
    let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes > MAX_FILE_BYTES {
        bail!("{} has {bytes} bytes, more than {MAX_FILE_BYTES}", path.display());
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
