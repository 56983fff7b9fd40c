//! An audit log that several sessions write.

use super::journal::{Journal, PeerLog};
use super::{AuditError, AuditLog};
use farpane_policy::AuditEvent;
use farpane_policy::audit::{Learned, Parties, SessionId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where what happens in sessions is written down before it happens. Clones write the same log.
///
/// What happens is durable in the log before it takes place; if it cannot be written, the session
/// ends.
#[derive(Clone, Debug, Default)]
pub struct Audit(Arc<Mutex<Journal>>);

impl Audit {
    /// Writes to `log`.
    pub fn new(log: AuditLog) -> Self {
        Self(Arc::new(Mutex::new(Journal::new(Some(log)))))
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn append(&self, entries: &[AuditEvent]) -> Result<(), AuditError> {
        self.journal().append(entries)
    }

    pub(crate) fn learn(
        &self,
        session: SessionId,
        parties: &Parties,
        learned: &Learned,
    ) -> Result<(), AuditError> {
        self.journal().learn(session, parties, learned)
    }

    /// The newest head, for the peer to sign.
    pub(crate) fn seal(&self) -> Option<Vec<u8>> {
        self.journal().seal()
    }

    /// The peer's head, signed. A head that is refused is told of in the program's log: the
    /// sessions of an honest end do not end for what another does.
    pub(crate) fn countersign(&self, peer: &mut PeerLog, head: &[u8]) -> Option<Vec<u8>> {
        let signed = self.journal().countersign(peer, head);
        signed.inspect_err(|error| log::warn!("the peer's audit log: {error}")).ok()?
    }

    /// The peer's signature of a head of this log.
    pub(crate) fn accept(&self, peer: &mut PeerLog, signed: &[u8]) {
        if let Err(error) = self.journal().accept(peer, signed) {
            log::warn!("the peer's signature of the audit log: {error}");
        }
    }
}
