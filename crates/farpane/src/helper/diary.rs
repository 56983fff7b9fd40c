//! What a helper's end writes down of a session, in its own audit log.

use crate::Error;
use crate::audit::{Audit, PeerLog};
use farpane_net::now_us;
use farpane_policy::admission::VerifiedSharer;
use farpane_policy::audit::{Learned, Parties, Party, Role, Text};
use farpane_policy::{Capabilities, Capability, EndReason, Rights, SessionId};

/// One session's entries.
pub(super) struct Diary {
    audit: Audit,
    session: SessionId,
    parties: Parties,
    began_us: u64,
    rights: Option<Rights>,
    used: Capabilities,
    peer: PeerLog,
}

impl Diary {
    pub(super) fn new(audit: Audit, session: SessionId) -> Self {
        let (parties, peer) = (Parties::unknown(), PeerLog::default());
        Self {
            audit,
            session,
            parties,
            began_us: now_us(),
            rights: None,
            used: Capabilities::NONE,
            peer,
        }
    }

    /// The sharer has proved who it is.
    pub(super) fn meet(&mut self, sharer: &VerifiedSharer) {
        let name = sharer.peer.display_name();
        self.parties.sharer = Party::person(Role::Sharer, &sharer.sharer, name);
        self.parties.device = Some(Party {
            role: Role::Device,
            tenant: Text::escaped(sharer.tenant.as_str()),
            subject: Text::escaped(sharer.device.as_str()),
            name: Text::default(),
        });
    }

    /// Writes down what is learnt, durably.
    ///
    /// # Errors
    /// It cannot be; the session ends.
    pub(super) fn learn(&mut self, learned: &Learned) -> Result<(), Error> {
        Ok(self.audit.learn(self.session.0, &self.parties, learned)?)
    }

    /// Writes down the rights from now on, and shows the sharer how far the log is.
    ///
    /// # Errors
    /// As [`Diary::learn`].
    pub(super) fn granted(&mut self, to: Rights) -> Result<Option<Vec<u8>>, Error> {
        let from = self.rights.replace(to);
        self.use_of(Capability::View);
        self.learn(&Learned::Granted { from, to })?;
        Ok(self.audit.seal())
    }

    /// Remembers what was used.
    pub(super) fn use_of(&mut self, capability: Capability) {
        let used = self.used.iter().chain([capability]);
        self.used = Capabilities::of(&used.collect::<Vec<_>>());
    }

    /// Writes down the end. What cannot be written ends all the same.
    pub(super) fn ended(&mut self, reason: EndReason) {
        let lasted_us = now_us().saturating_sub(self.began_us);
        let _ = self.learn(&Learned::Ended { reason, lasted_us, used: self.used });
    }

    pub(super) fn countersign(&mut self, head: &[u8]) -> Option<Vec<u8>> {
        self.audit.countersign(&mut self.peer, head)
    }

    pub(super) fn accept(&mut self, signed: &[u8]) {
        self.audit.accept(&mut self.peer, signed);
    }
}
