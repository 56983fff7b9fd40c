//! Where what happens in sessions goes before it happens.

use super::log::wall_clock_us;
use super::{AuditError, AuditLog};
use farpane_policy::audit::{
    AuditKey, CrossSignedHead, Entry, HeadError, Learned, Parties, SessionId, SignedHead,
};
use farpane_policy::{AuditEvent, Fact, State};

/// Most heads and signatures that a peer may have stored in one session: some are enough, and
/// each takes room that all sessions share.
const MAX_OF_SESSION: u8 = 64;

/// The journal of all sessions of one end: an audit log, or none.
///
/// Without a log everything succeeds and nothing is kept; entries are told to the program's own
/// log at level debug.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    log: Option<AuditLog>,
}

/// What one session knows of the peer's log: its key, which is the one that its first head
/// showed. Another key is refused for as long as the session lasts.
#[derive(Debug, Default)]
pub(crate) struct PeerLog {
    key: Option<AuditKey>,
    stored: u8,
}

impl Journal {
    /// A journal that goes to `log`.
    pub(crate) fn new(log: Option<AuditLog>) -> Self {
        Self { log }
    }

    /// Writes down what happens in a session, durably. It may happen only if this succeeds.
    ///
    /// On a full disk the end of a session still is recorded. What else is in the same entries
    /// may then be missing: the end implies it.
    ///
    /// # Errors
    /// Something could not be written: the session ends.
    pub(crate) fn append(&mut self, entries: &[AuditEvent]) -> Result<(), AuditError> {
        let Some(log) = &mut self.log else {
            entries.iter().for_each(|entry| log::debug!("{:?}", entry.fact));
            return Ok(());
        };
        let ends = entries.iter().any(|event| matches!(event.fact, Fact::Ended { .. }));
        for event in entries {
            let entry = Entry::of_session(event, wall_clock_us());
            let is_end = says_end(&event.fact);
            let written = if is_end { log.append_end(&entry) } else { log.append(&entry) };
            match written {
                Ok(_) => {}
                Err(error) if ends && !is_end => log::warn!("{error}"),
                Err(error) => {
                    log::error!("{error}");
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Writes down what a helper's end learns of a session or does in it, durably.
    ///
    /// # Errors
    /// It could not be written: the session ends.
    pub(crate) fn learn(
        &mut self,
        session: SessionId,
        parties: &Parties,
        learned: &Learned,
    ) -> Result<(), AuditError> {
        let Some(log) = &mut self.log else {
            log::debug!("{learned:?}");
            return Ok(());
        };
        let entry = Entry::of_helper(session, parties, learned, wall_clock_us());
        let written = match learned {
            Learned::Ended { .. } => log.append_end(&entry),
            _ => log.append(&entry),
        };
        written.map(drop).inspect_err(|error| log::error!("{error}"))
    }

    /// The newest head of this end's log, for the peer to sign: stored, and as bytes. `None`
    /// without a log, or where it could not be stored.
    pub(crate) fn seal(&mut self) -> Option<Vec<u8>> {
        let sealed = self.log.as_mut()?.seal();
        let head = sealed.inspect_err(|error| log::error!("{error}")).ok()?;
        Some(head.to_bytes().to_vec())
    }

    /// Signs the head that the peer has shown, and stores it. Gives the bytes to send back;
    /// `None` without a log, which has no key to sign with.
    ///
    /// # Errors
    /// The head is refused, the peer has shown too many, or it could not be stored.
    pub(crate) fn countersign(
        &mut self,
        peer: &mut PeerLog,
        head: &[u8],
    ) -> Result<Option<Vec<u8>>, AuditError> {
        let Some(log) = &mut self.log else { return Ok(None) };
        peer.count(log)?;
        let head = SignedHead::from_bytes(head)?;
        if peer.key.is_some_and(|key| key != head.key) {
            return Err(HeadError::OtherLog { log: head.key.log_id() }.into());
        }
        let signed = log.countersign(&head)?;
        peer.key = Some(head.key);
        Ok(Some(signed.to_bytes().to_vec()))
    }

    /// Takes what the peer's [`Journal::countersign`] gave for a head of this end's log, and
    /// stores it. Without a log there is nothing to confirm.
    ///
    /// # Errors
    /// It is not signed with the key of the log that the peer has shown, or not of this end's
    /// log; the peer has sent too many; or it could not be stored.
    pub(crate) fn accept(&mut self, peer: &mut PeerLog, signed: &[u8]) -> Result<(), AuditError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        peer.count(log)?;
        let cross = CrossSignedHead::from_bytes(signed)?;
        let key = peer.key.ok_or(AuditError::NoPeer { by: cross.by })?;
        log.accept(&cross, key)
    }
}

impl PeerLog {
    fn count(&mut self, log: &AuditLog) -> Result<(), AuditError> {
        if self.stored >= MAX_OF_SESSION {
            let path = log.path().to_owned();
            return Err(AuditError::Limit { path, what: "heads of one session" });
        }
        self.stored += 1;
        Ok(())
    }
}

/// Whether it tells that a session is over.
fn says_end(fact: &Fact) -> bool {
    matches!(fact, Fact::Ended { .. } | Fact::Moved { to: State::Ended(_), .. })
}

#[cfg(test)]
mod tests;
