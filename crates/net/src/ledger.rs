//! The sharer's list of invitations: which still let someone in, and whom.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::close::{CODE_REPLACED, Refusal};
use crate::code::{MAX_TRIES, PAIRING_CODE_VALID, PairingCode};
use crate::connection::close_once;
use crate::identity::PublicKey;
use crate::invitation::{
    Access, Invitation, InvitationError, InvitationId, InvitedRelay, SECRET_BYTES, Secret,
    check_ways,
};

/// Invitations that a sharer may have alive at once; each can hold one connection.
const MAX_INVITATIONS: usize = 64;

/// The invitations that one sharer has given out. Clones share one list.
///
/// An invitation lets in one helper: the first that proves the secret before the expiry. From then
/// on it belongs to that helper's key, which may come back after a lost connection. Once either
/// side has closed the connection on purpose, or [`Invitations::withdraw`] was called, it lets
/// nobody in any more. Deadlines are monotonic: setting the clock extends nothing.
#[derive(Debug, Clone, Default)]
pub struct Invitations(Arc<Mutex<HashMap<InvitationId, Entry>>>);

/// Why no invitation could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// An address is unusable.
    #[error(transparent)]
    Address(#[from] InvitationError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes; check that getrandom is allowed")]
    NoRandomness,
    /// Too many invitations are alive.
    #[error("{MAX_INVITATIONS} invitations are alive already; withdraw one first")]
    TooMany,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    deadline: Instant,
    holder: Option<Holder>,
}

/// What opens an invitation.
#[derive(Debug)]
enum Key {
    Secret(Secret),
    Code { code: PairingCode, tries_left: u8 },
}

#[derive(Debug)]
struct Holder {
    helper: PublicKey,
    /// Kept only to close it when the helper comes back; `None` once it is over.
    connection: Option<quinn::Connection>,
    state: HolderState,
}

#[derive(Debug, Clone, Copy)]
enum HolderState {
    Connected,
    Lost { until: Instant },
    Ended,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Invitations {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an invitation to the sharer with key `sharer`, valid for `valid_for` from now.
    ///
    /// `addresses` are `host:port` texts in the order in which a helper should try them.
    pub fn issue(
        &self,
        sharer: PublicKey,
        addresses: Vec<String>,
        valid_for: Duration,
    ) -> Result<Invitation, IssueError> {
        self.issue_by_relays(sharer, addresses, Vec::new(), valid_for)
    }

    /// As [`Invitations::issue`], to a sharer that can also, or only, be reached by relays.
    pub fn issue_by_relays(
        &self,
        sharer: PublicKey,
        addresses: Vec<String>,
        relays: Vec<InvitedRelay>,
        valid_for: Duration,
    ) -> Result<Invitation, IssueError> {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        SystemRandom::new().fill(&mut secret[..]).map_err(|_| IssueError::NoRandomness)?;
        let access = Access::Secret(Secret(secret));
        self.issue_with(access, sharer, addresses, relays, valid_for)
    }

    /// As [`Invitations::issue_by_relays`], without a secret in the invitation: the code that comes
    /// with it is told to the helper by another way, such as by telephone. It is valid for
    /// [`PAIRING_CODE_VALID`] at the most, and until 5 wrong ones were tried.
    pub fn issue_with_code(
        &self,
        sharer: PublicKey,
        addresses: Vec<String>,
        relays: Vec<InvitedRelay>,
        valid_for: Duration,
    ) -> Result<(Invitation, PairingCode), IssueError> {
        let code = PairingCode::generate().ok_or(IssueError::NoRandomness)?;
        let access = Access::Code(Some(code.clone()));
        let valid_for = valid_for.min(PAIRING_CODE_VALID);
        let mut invitation = self.issue_with(access, sharer, addresses, relays, valid_for)?;
        invitation.access = Access::Code(None);
        Ok((invitation, code))
    }

    fn issue_with(
        &self,
        access: Access,
        sharer: PublicKey,
        addresses: Vec<String>,
        relays: Vec<InvitedRelay>,
        valid_for: Duration,
    ) -> Result<Invitation, IssueError> {
        check_ways(&addresses, &relays)?;
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).map_err(|_| IssueError::NoRandomness)?;
        let unix_now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let expires_unix_s = unix_now.saturating_add(valid_for).as_secs();
        let id = InvitationId(id);
        let invitation = Invitation { id, access, sharer, expires_unix_s, addresses, relays };
        self.admit(&invitation, valid_for)?;
        Ok(invitation)
    }

    /// Lets `invitation` in for `valid_for` from now, whatever expiry its text carries. For an
    /// invitation that was issued elsewhere; [`Invitations::issue`] has done it already.
    ///
    /// # Errors
    /// Too many are alive, or it needs a code that it was not given.
    pub fn admit(&self, invitation: &Invitation, valid_for: Duration) -> Result<(), IssueError> {
        let key = match &invitation.access {
            Access::Secret(secret) => Key::Secret(secret.clone()),
            Access::Code(Some(code)) => Key::Code { code: code.clone(), tries_left: MAX_TRIES },
            Access::Code(None) => return Err(InvitationError::NoCode.into()),
        };
        let now = Instant::now();
        let mut entries = self.entries();
        if entries.len() >= MAX_INVITATIONS {
            entries.retain(|_, entry| entry.is_alive(now));
        }
        if entries.len() >= MAX_INVITATIONS {
            return Err(IssueError::TooMany);
        }
        let deadline = now.checked_add(valid_for).unwrap_or(now + LONGEST);
        entries.insert(invitation.id, Entry { key, deadline, holder: None });
        Ok(())
    }

    /// Forgets an invitation: nobody gets in by it any more. A connection that it let in stays
    /// until it is closed. Returns whether it was there.
    pub fn withdraw(&self, id: InvitationId) -> bool {
        self.entries().remove(&id).is_some()
    }

    /// The secret to check a proof with, if this helper may try at all.
    pub(crate) fn secret_for(
        &self,
        id: InvitationId,
        helper: PublicKey,
        now: Instant,
    ) -> Result<Secret, Refusal> {
        let entries = self.entries();
        let entry = entries.get(&id).ok_or(Refusal::UnknownInvitation)?;
        entry.admits(helper, now)?;
        match &entry.key {
            Key::Secret(secret) => Ok(secret.clone()),
            Key::Code { .. } => Err(Refusal::CodeWanted),
        }
    }

    /// The code to pair with, if this helper may try at all. Each call is a try; all are given back
    /// to who turns out to have the right code, by [`Invitations::bind`].
    pub(crate) fn code_for(
        &self,
        id: InvitationId,
        helper: PublicKey,
        now: Instant,
    ) -> Result<PairingCode, Refusal> {
        let mut entries = self.entries();
        let entry = entries.get_mut(&id).ok_or(Refusal::UnknownInvitation)?;
        entry.admits(helper, now)?;
        match &mut entry.key {
            Key::Secret(_) => Err(Refusal::ProtocolViolation),
            Key::Code { tries_left: 0, .. } => Err(Refusal::NoTriesLeft),
            Key::Code { code, tries_left } => {
                *tries_left -= 1;
                Ok(code.clone())
            }
        }
    }

    /// Binds the invitation to a helper that has proved itself. Checked again here, because
    /// another helper may have been quicker since [`Invitations::secret_for`].
    pub(crate) fn bind(
        &self,
        id: InvitationId,
        helper: PublicKey,
        connection: &quinn::Connection,
        now: Instant,
    ) -> Result<(), Refusal> {
        let mut entries = self.entries();
        let entry = entries.get_mut(&id).ok_or(Refusal::UnknownInvitation)?;
        entry.admits(helper, now)?;
        if let Key::Code { tries_left, .. } = &mut entry.key {
            *tries_left = MAX_TRIES;
        }
        let state = HolderState::Connected;
        let holder = Holder { helper, connection: Some(connection.clone()), state };
        if let Some(old) = entry.holder.replace(holder).and_then(|old| old.connection) {
            close_once(&old, CODE_REPLACED, b"a newer connection took over");
        }
        Ok(())
    }

    /// Notes that a connection is over. `resumable_until` is `None` when a side ended it.
    pub(crate) fn note_closed(
        &self,
        id: InvitationId,
        connection: &quinn::Connection,
        resumable_until: Option<Instant>,
    ) {
        let mut entries = self.entries();
        let Some(holder) = entries.get_mut(&id).and_then(|entry| entry.holder.as_mut()) else {
            return;
        };
        let holds_this = |held: &quinn::Connection| held.stable_id() == connection.stable_id();
        if !holder.connection.as_ref().is_some_and(holds_this) {
            return;
        }
        holder.connection = None;
        holder.state = match resumable_until {
            Some(until) => HolderState::Lost { until },
            None => HolderState::Ended,
        };
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<InvitationId, Entry>> {
        // Every change of the map is one call, so a panic elsewhere cannot leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a validity that no clock can count becomes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Entry {
    /// Whether anyone can still get in. The dead are kept while there is room, so that their
    /// helpers hear what happened to the invitation.
    fn is_alive(&self, now: Instant) -> bool {
        match self.holder.as_ref().map(|holder| holder.state) {
            None => now < self.deadline,
            Some(HolderState::Connected) => true,
            Some(HolderState::Lost { until }) => now < until,
            Some(HolderState::Ended) => false,
        }
    }

    fn admits(&self, helper: PublicKey, now: Instant) -> Result<(), Refusal> {
        let Some(holder) = &self.holder else {
            return if now < self.deadline { Ok(()) } else { Err(Refusal::Expired) };
        };
        if holder.helper != helper {
            return Err(Refusal::AlreadyUsed);
        }
        match holder.state {
            HolderState::Connected => Ok(()),
            HolderState::Lost { until } if now < until => Ok(()),
            HolderState::Lost { .. } => Err(Refusal::Expired),
            HolderState::Ended => Err(Refusal::AlreadyUsed),
        }
    }
}
