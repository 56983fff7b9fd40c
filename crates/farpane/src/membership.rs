//! This end's place in a tenant: what it shows of itself, and what it asks of the other end.

use farpane_net::Connection;
use farpane_policy::admission::{
    AdmissionError, Holder, Presented, PresentedError, Rules, VerifiedSharer,
};
use farpane_policy::identity::{CredentialError, Exporter, ProofError};
use farpane_policy::oidc::JwksError;
use farpane_policy::{
    Authentication, ConnectionId, EndReason, SessionId, TenantId, TenantSettings,
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
    /// The reason with which the session ends.
    pub(crate) fn end_reason(&self) -> EndReason {
        match self {
            Self::Refused(error) => error.end_reason(),
            _ => EndReason::NotPermitted,
        }
    }
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
