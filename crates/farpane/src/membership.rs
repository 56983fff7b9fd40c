//! This end's place in a tenant: what it shows of itself, and what it asks of the other end.

use farpane_net::Connection;
use farpane_policy::admission::{
    AdmissionError, Certificate, Credential, Holder, Presented, PresentedError, Rules,
    VerifiedSharer,
};
use farpane_policy::identity::{
    CredentialError, Exporter, KeyError, KeyPair, ProofError, Tenant, TenantError, Trust,
};
use farpane_policy::oidc::JwksError;
use farpane_policy::{
    Authentication, Capabilities, ConnectionId, EndReason, SessionId, Side, TenantId,
    TenantSettings, Version,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The label of the TLS exporter that proofs are of (RFC 9266 section 2).
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
/// The label of the one that names the session.
const SESSION_LABEL: &[u8] = b"EXPORTER-farpane-session";

/// What names a connection to its two ends and to nobody else.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    exporter: Exporter,
    /// The session's name, the same at both ends.
    pub(crate) session: SessionId,
}

impl Binding {
    /// Of this connection; `None` when it is over already.
    pub(crate) fn of(connection: &Connection) -> Option<Self> {
        let name = connection.export(SESSION_LABEL)?;
        let (session, _) = name.split_first_chunk()?;
        let exporter = Exporter::new(*connection.export(BINDING_LABEL)?).ok()?;
        Some(Self { exporter, session: SessionId(*session) })
    }

    pub(crate) fn connection(&self) -> ConnectionId {
        ConnectionId::of(&self.exporter)
    }
}

/// Why the other end is not let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// It has shown nothing.
    #[error("the other side does not say of which tenant it is; only members are let in")]
    Nothing,
    /// What it has shown is nothing.
    #[error(transparent)]
    Presented(#[from] PresentedError),
    /// What it has shown does not hold here and now.
    #[error(transparent)]
    Refused(#[from] AdmissionError),
    /// The connection gives nothing to prove anything on.
    #[error(transparent)]
    Binding(#[from] ProofError),
}

impl NotAdmitted {
    /// Whether the keys of the tenant's OpenID provider are to be fetched first.
    pub(crate) fn needs_keys(&self) -> bool {
        matches!(self, Self::Refused(AdmissionError::KeysNeeded))
    }

    /// The reason with which the session ends.
    pub(crate) fn end_reason(&self) -> EndReason {
        match self {
            Self::Refused(error) => error.end_reason(),
            _ => EndReason::NotPermitted,
        }
    }
}

/// What a tenant has given out to one end, as `farpane tenant` writes it.
#[derive(Clone, Copy)]
pub struct Documents<'a> {
    /// The tenant: its `tenant.json`.
    pub tenant: &'a str,
    /// Its newest revocation list, without which nobody is let in.
    pub revocations: &'a [u8],
    /// A helper's grant, or the certificate of a sharer's device.
    pub credential: &'a [u8],
    /// The private key that the credential names, as PEM.
    pub key: &'a str,
    /// The grant, and its key, of who sits at a sharer's device; without them the device speaks
    /// for its owner.
    pub person: Option<(&'a [u8], &'a str)>,
}

/// Why documents make nobody a member.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotMember {
    /// The tenant is none.
    #[error("the tenant: {0}")]
    Tenant(#[from] TenantError),
    /// The revocation list is not the tenant's, or has expired.
    #[error("the revocation list: {0}")]
    Revocations(#[source] CredentialError),
    /// A private key is none.
    #[error("the private key: {0}")]
    Key(#[from] KeyError),
    /// A credential is none, or of another key.
    #[error("the credential: {0}")]
    Credential(#[from] PresentedError),
}

/// The version of this software, as it is shown to the other end.
pub fn software_version() -> Version {
    let mut numbers = env!("CARGO_PKG_VERSION").split('.').map(|n| n.parse().unwrap_or_default());
    let mut next = || numbers.next().unwrap_or_default();
    Version(next(), next(), next())
}

/// Membership of one tenant. Clones share their knowledge of revocations.
#[derive(Clone, Debug)]
pub struct Membership {
    holder: Holder,
    rules: Arc<Mutex<Rules>>,
}

impl Membership {
    /// This end shows what `holder` holds, and lets in whom `rules` admit. Both of one tenant.
    pub fn new(holder: Holder, rules: Rules) -> Self {
        Self { holder, rules: Arc::new(Mutex::new(rules)) }
    }

    /// The end on this `side` that these documents are of. `device` is what the management of a
    /// sharer's machine allows on it.
    ///
    /// # Errors
    /// A document is damaged, expired, or not of this tenant and key.
    pub fn of(
        side: Side,
        documents: &Documents<'_>,
        settings: TenantSettings,
        device: Capabilities,
    ) -> Result<Self, NotMember> {
        let mut trust = Trust::new(Tenant::from_json(documents.tenant)?);
        trust.update(documents.revocations, now_s()).map_err(NotMember::Revocations)?;
        let (bytes, key) = (documents.credential.to_vec(), KeyPair::from_pem(documents.key)?);
        let holder = match side {
            Side::Helper => Holder::helper(Credential::grant(bytes)?, key, software_version())?,
            Side::Sharer => {
                let person = documents.person.map(|(grant, key)| {
                    let grant = Credential::grant(grant.to_vec())?;
                    Ok::<_, NotMember>((grant, KeyPair::from_pem(key)?))
                });
                let certificate = Certificate::new(bytes)?;
                Holder::sharer(certificate, key, person.transpose()?, software_version())?
            }
        };
        let rules = Rules::new(trust, settings).with_device(&holder, device);
        Ok(Self::new(holder, rules))
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a revocation list of the tenant.
    ///
    /// # Errors
    /// It is not the tenant's, is older than the one that is known, or has expired.
    pub fn handle_revocations(&self, bytes: &[u8]) -> Result<(), CredentialError> {
        self.rules().handle_revocations(bytes, now_s())
    }

    /// Takes in the keys of the tenant's OpenID provider.
    ///
    /// # Errors
    /// They are no key set, or too many at once.
    pub fn handle_keys(&self, bytes: &[u8]) -> Result<(), JwksError> {
        self.rules().handle_keys(bytes, now_s())
    }

    /// The tenant, and its settings.
    pub fn tenant(&self) -> (TenantId, TenantSettings) {
        let rules = self.rules();
        (rules.tenant().clone(), *rules.settings())
    }

    /// What this end shows of itself on a connection.
    pub(crate) fn present(&self, binding: &Binding) -> Vec<u8> {
        self.holder.present(&binding.exporter, binding.session).to_bytes()
    }

    /// Who the helper is that has shown this on a connection.
    pub(crate) fn admit(
        &self,
        presented: Option<&[u8]>,
        binding: &Binding,
    ) -> Result<Authentication, NotAdmitted> {
        let presented = Presented::read(presented.ok_or(NotAdmitted::Nothing)?)?;
        Ok(self.rules().admit(&presented, &binding.exporter, binding.session, now_s())?)
    }

    /// Whose machine it is that has shown this on a connection.
    pub(crate) fn check_sharer(
        &self,
        presented: &[u8],
        binding: &Binding,
    ) -> Result<VerifiedSharer, NotAdmitted> {
        if presented.is_empty() {
            return Err(NotAdmitted::Nothing);
        }
        let presented = Presented::read(presented)?;
        Ok(self.rules().check_sharer(&presented, &binding.exporter, binding.session, now_s())?)
    }
}

/// Seconds since 1970.
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
