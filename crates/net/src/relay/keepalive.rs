//! Asks a relay now and then whether an allocation is still there, by a Refresh (RFC 8656, section
//! 7). It also keeps what translators and firewalls remember of the way to the relay.
//!
//! The crate turn-client-proto asks only shortly before a lifetime's end. Until then, minutes, an
//! allocation would count as open that the relay's restart or another mapping has taken.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use stun_proto::auth::LongTermClientAuth;
use stun_proto::types::attribute::ErrorCode;
use stun_proto::types::message::{
    LongTermCredentials, Message, MessageClass, MessageWriteVec, TransactionId,
};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};
use turn_client_proto::types::attribute::Lifetime;
use turn_client_proto::types::message::REFRESH;

use super::url::Credential;

/// Mappings of UDP live 30 s at the least (RFC 4787 demands 2 minutes, and is not obeyed).
const EVERY: Duration = Duration::from_secs(15);
/// Questions whose answers are waited for: one is repeated once where the answer is urgent.
const MAX_ASKED: usize = 2;
/// As long as turn-client-proto asks for.
const LIFETIME_S: u32 = 1_800;

/// What a message means to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It answers something else.
    Other,
    /// The allocation is there.
    Kept,
    /// The relay does not say whether the allocation is there.
    Unclear,
    /// The relay has no allocation for this way to it.
    Lost,
}

#[derive(Debug)]
pub(super) struct Keepalive {
    auth: LongTermClientAuth,
    asked: VecDeque<TransactionId>,
    next: Option<Instant>,
    /// Whether it was asked again for a stale nonce; once is enough.
    is_again: bool,
}

impl Keepalive {
    pub(super) fn new(credential: Option<&Credential>) -> Self {
        let mut auth = LongTermClientAuth::new();
        if let Some(Credential { username, password }) = credential {
            auth.set_credentials(LongTermCredentials::new(username.clone(), password.to_string()));
        }
        Self { auth, asked: VecDeque::new(), next: None, is_again: false }
    }

    /// There is an allocation from now on.
    pub(super) fn start(&mut self, now: Instant) {
        self.next = Some(now + EVERY);
    }

    /// Asks at once.
    pub(super) fn ask(&mut self, now: Instant) {
        self.next = Some(now);
    }

    /// Takes any of the relay's own messages in.
    pub(super) fn handle(&mut self, message: &Message<'_>, now: Instant) -> Answer {
        let is_error = message.class() == MessageClass::Error;
        if !self.asked.contains(&message.transaction_id()) {
            if is_error {
                // The challenge to the first request has the realm and the nonce.
                let _ = self.auth.validate_incoming_message(message);
            }
            return Answer::Other;
        }
        self.asked.clear();
        if !is_error {
            self.is_again = false;
            return Answer::Kept;
        }
        match message.attribute::<ErrorCode>().ok().map(|code| code.code()) {
            Some(437) => Answer::Lost,
            Some(438) if !self.is_again => {
                let _ = self.auth.validate_incoming_message(message);
                (self.next, self.is_again) = (Some(now), true);
                Answer::Unclear
            }
            _ => {
                self.is_again = false;
                Answer::Unclear
            }
        }
    }

    /// The question, when it is time.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.next.is_none_or(|next| now < next) {
            return None;
        }
        self.next = Some(now + EVERY);
        let mut refresh = Message::builder_request(REFRESH, MessageWriteVec::new());
        refresh.add_attribute(&Lifetime::new(LIFETIME_S)).ok()?;
        let id = refresh.transaction_id();
        let refresh = self.auth.sign_outgoing_message(refresh).ok()?;
        if self.asked.len() == MAX_ASKED {
            self.asked.pop_front();
        }
        self.asked.push_back(id);
        Some(refresh.finish())
    }

    /// When it is time.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }
}
