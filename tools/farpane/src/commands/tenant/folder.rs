//! A tenant's folder, one command at a time.

use super::files::{self, PUBLIC, SECRET};
use super::ledger::{Entry, Kind, Ledger};
use anyhow::{Context, Result, bail, ensure};
use farpane_policy::identity::{
    Authority, CredentialId, KeyPair, MAX_REVOCATIONS_S, MAX_SKEW_S, RevocationClaims, Tenant,
    Validity,
};
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

const KEY: &str = "authority.key";
const TENANT: &str = "tenant.json";
const REVOCATIONS: &str = "revocations.cwt";
const LEDGER: &str = "issued.jsonl";
const ISSUED: &str = "issued";

/// An open folder. Others wait until it is closed.
pub(crate) struct Folder {
    path: PathBuf,
    tenant: Tenant,
    authority: Authority,
    ledger: Ledger,
    _lock: File,
}

/// Seconds since 1970.
pub(crate) fn now_s() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(now.context("this machine's clock is before 1970: set it")?.as_secs())
}

/// A name for a new credential.
pub(crate) fn new_id() -> Result<CredentialId> {
    let mut id = [0; 16];
    let filled = SystemRandom::new().fill(&mut id);
    filled.map_err(|_| anyhow::anyhow!("the operating system gave no random bytes"))?;
    Ok(CredentialId(id))
}

impl Folder {
    /// Makes a new tenant.
    pub(crate) fn init(path: &Path, name: &str, now_s: u64) -> Result<Tenant> {
        let key = KeyPair::generate(&SystemRandom::new())?;
        let authority = Authority::founding(key.clone());
        // Before anything is written: the name may be a wrong one.
        let tenant = Tenant::new(authority.tenant().clone(), name, &[authority.public_key()])?;
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.with_context(|| format!("cannot make the folder {}", path.display()))?;
        let unread = || format!("cannot read {}", path.display());
        if fs::read_dir(path).with_context(unread)?.next().is_some() {
            bail!("{} is not empty; a tenant needs a folder of its own", path.display());
        }
        files::create(&path.join(KEY), key.to_pem().as_bytes(), SECRET)?;
        let list = revocations(&authority, 1, Vec::new(), now_s)?;
        files::create(&path.join(REVOCATIONS), &list, PUBLIC)?;
        files::create(&path.join(LEDGER), b"", SECRET)?;
        // Last: it makes the folder a tenant's.
        files::create(&path.join(TENANT), tenant.to_json().as_bytes(), PUBLIC)?;
        Ok(tenant)
    }

    /// Opens a tenant's folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let place = path.join(TENANT);
        let no_tenant = || {
            let place = place.display();
            format!("cannot read {place}: give --tenant FOLDER; `farpane tenant init` makes one")
        };
        let lock = File::open(path).with_context(no_tenant)?;
        lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        let text = fs::read_to_string(&place).with_context(no_tenant)?;
        let tenant = Tenant::from_json(&text).with_context(|| place.display().to_string())?;
        let place = path.join(KEY);
        let pem = fs::read_to_string(&place).map(Zeroizing::new);
        let pem = pem.with_context(|| format!("cannot read {}", place.display()))?;
        let key = KeyPair::from_pem(&pem).with_context(|| place.display().to_string())?;
        ensure!(
            tenant.keys().contains(&key.public_key()),
            "{} is not a key of the tenant in {TENANT}",
            place.display()
        );
        let authority = Authority::of(tenant.id().clone(), key);
        let ledger = Ledger::read(&path.join(LEDGER))?;
        Ok(Self { path: path.to_owned(), tenant, authority, ledger, _lock: lock })
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The present revocation list, which may have ended.
    pub(crate) fn revocations(&self) -> Result<RevocationClaims> {
        let path = self.path.join(REVOCATIONS);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        RevocationClaims::verify(&bytes, &self.tenant).with_context(|| path.display().to_string())
    }

    /// Writes what was signed, and says where.
    pub(crate) fn issue(
        &mut self,
        kind: Kind,
        id: CredentialId,
        subject: &str,
        validity: Validity,
        bytes: &[u8],
        secret: Option<&KeyPair>,
    ) -> Result<()> {
        let folder = self.path.join(ISSUED);
        let made = DirBuilder::new().mode(0o700).recursive(true).create(&folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let Validity { issued_s, expires_s, .. } = validity;
        let subject = subject.to_owned();
        // First: what is out can be revoked by its entry.
        self.ledger.add(Entry { id: id.to_string(), kind, subject, issued_s, expires_s })?;
        let path = folder.join(format!("{id}.cwt"));
        files::create(&path, bytes, PUBLIC)?;
        println!("{} {id}", kind.name());
        println!("  {}", path.display());
        if let Some(pair) = secret {
            let path = folder.join(format!("{id}.key"));
            files::create(&path, pair.to_pem().as_bytes(), SECRET)?;
            println!("  {}  secret: move it to its holder's machine", path.display());
        }
        Ok(())
    }

    /// Takes a credential back; the number of the new list.
    pub(crate) fn revoke(&mut self, id: CredentialId, now_s: u64) -> Result<u64> {
        ensure!(self.ledger.find(id).is_some(), "this authority has issued no {id}");
        let known = self.revocations()?;
        ensure!(!known.revoked.contains(&id), "{id} is revoked already");
        self.sign_revocations(&known, Some(id), now_s)
    }

    /// Signs the list anew; its number.
    pub(crate) fn renew(&mut self, now_s: u64) -> Result<u64> {
        let known = self.revocations()?;
        self.sign_revocations(&known, None, now_s)
    }

    /// Changes to a new key.
    pub(crate) fn rotate(&mut self, forget: bool, now_s: u64) -> Result<()> {
        let known = self.revocations()?;
        let key = KeyPair::generate(&SystemRandom::new())?;
        let mut keys = vec![key.public_key()];
        keys.extend(self.tenant.keys());
        let place = self.path.join(TENANT);
        let both =
            Tenant::new(self.tenant.id().clone(), self.tenant.name(), &keys[..keys.len().min(4)])?;
        // In this order: whenever it stops, the key is one of the tenant's.
        files::replace(&place, both.to_json().as_bytes(), PUBLIC)?;
        files::replace(&self.path.join(KEY), key.to_pem().as_bytes(), SECRET)?;
        self.authority = Authority::of(self.tenant.id().clone(), key);
        self.tenant = both;
        self.sign_revocations(&known, None, now_s)?;
        if forget {
            let one = Tenant::new(self.tenant.id().clone(), self.tenant.name(), &keys[..1])?;
            files::replace(&place, one.to_json().as_bytes(), PUBLIC)?;
            self.tenant = one;
        }
        Ok(())
    }

    fn sign_revocations(
        &self,
        known: &RevocationClaims,
        more: Option<CredentialId>,
        now_s: u64,
    ) -> Result<u64> {
        // What has ended by everybody's clock is refused without being named.
        let ended = |id: &CredentialId| {
            let entry = self.ledger.find(*id);
            entry.is_some_and(|entry| entry.expires_s.saturating_add(MAX_SKEW_S) < now_s)
        };
        let kept = known.revoked.iter().copied().filter(|id| !ended(id));
        let mut revoked: Vec<_> = kept.chain(more).collect();
        revoked.sort_unstable();
        let number = known.number.checked_add(1).context("there are no numbers left")?;
        let list = revocations(&self.authority, number, revoked, now_s)?;
        files::replace(&self.path.join(REVOCATIONS), &list, PUBLIC)?;
        Ok(number)
    }
}

fn revocations(
    authority: &Authority,
    number: u64,
    revoked: Vec<CredentialId>,
    now_s: u64,
) -> Result<Vec<u8>> {
    let validity = Validity::starting(now_s, MAX_REVOCATIONS_S);
    let tenant = authority.tenant().clone();
    Ok(authority.revocations(&RevocationClaims { tenant, number, revoked, validity })?)
}
