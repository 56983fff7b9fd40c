//! One helper: its connection, its session, and what is open to it.

use crate::audit::PeerLog;
use crate::channel::{Files, Gate, Opener};
use crate::membership::Binding;
use crate::sharer::peer::Peer;
use farpane_policy::channel::{
    Channel, Chat, ClipboardIn, ClipboardOut, Credentials, FileIn, FileOut,
};
use farpane_policy::{
    CaptureToken, ChannelToken, ChannelTokens, InvitationKey, RequestId, Rights, Session,
};
use std::sync::Arc;

/// How long a helper may take to introduce itself.
const HELLO_WITHIN_US: u64 = 5_000_000;
/// What a helper may say at once, and a second from then on. No person does so much, and nothing
/// of it is answered by work that is not small.
const WORDS: u64 = 64;
const WORDS_PER_S: u64 = 32;

/// One helper.
pub(super) struct Guest {
    pub(super) peer: Peer,
    pub(super) fingerprint: String,
    pub(super) invitation: InvitationKey,
    /// What only the two ends of its connection know.
    pub(super) binding: Binding,
    /// The name that it gives itself, once it has.
    pub(super) name: Option<String>,
    /// Who it says it is, with proofs.
    pub(super) presented: Option<Vec<u8>>,
    /// What it has asked for, while it waits for keys of the OpenID provider.
    pub(super) waits_for: Option<Rights>,
    /// When a helper that has not introduced itself by then is sent away.
    pub(super) hello_by_us: u64,
    /// Absent until the helper has introduced itself.
    pub(super) session: Option<Session>,
    pub(super) token: Option<CaptureToken>,
    pub(super) open: OpenChannels,
    pub(super) files: Files,
    pub(super) secrets: Opener,
    /// The question that waits for the sharer's answer.
    pub(super) question: Option<RequestId>,
    pub(super) words: Words,
    /// Why it is not let in, for people.
    pub(super) refusal: Option<String>,
    /// What is known of the helper's audit log.
    pub(super) peer_log: PeerLog,
}

impl Guest {
    /// When a helper that joins now has to have introduced itself.
    pub(super) fn hello_by(now_us: u64) -> u64 {
        now_us + HELLO_WITHIN_US
    }

    /// When the next deadline of its session passes.
    pub(super) fn deadline_us(&self) -> Option<u64> {
        match &self.session {
            Some(session) => session.next_deadline_us(),
            None => Some(self.hello_by_us),
        }
    }

    pub(super) fn may_watch(&self) -> bool {
        self.token.as_ref().is_some_and(CaptureToken::is_valid)
    }

    /// Passes pieces of files that go out, where they may.
    pub(super) fn file_gate(&self) -> Option<Gate> {
        let token = self.open.file_out.clone().filter(ChannelToken::is_valid)?;
        Some(Arc::new(move |act| token.pass(act).is_some()))
    }
}

/// The channels that were opened last; a token says whether its one still is.
#[derive(Default)]
pub(super) struct OpenChannels {
    pub(super) chat: Option<ChannelToken<Chat>>,
    pub(super) clipboard_in: Option<ChannelToken<ClipboardIn>>,
    pub(super) clipboard_out: Option<ChannelToken<ClipboardOut>>,
    pub(super) file_in: Option<ChannelToken<FileIn>>,
    pub(super) file_out: Option<ChannelToken<FileOut>>,
    pub(super) credentials: Option<ChannelToken<Credentials>>,
}

impl OpenChannels {
    /// Takes the tokens of channels that open.
    pub(super) fn take(&mut self, tokens: &ChannelTokens) {
        fn replace<C: Channel>(old: &mut Option<ChannelToken<C>>, tokens: &ChannelTokens) {
            *old = tokens.of().or_else(|| old.take());
        }
        replace(&mut self.chat, tokens);
        replace(&mut self.clipboard_in, tokens);
        replace(&mut self.clipboard_out, tokens);
        replace(&mut self.file_in, tokens);
        replace(&mut self.file_out, tokens);
        replace(&mut self.credentials, tokens);
    }
}

/// Runs `act` if the channel is open now.
pub(super) fn through<C: Channel, T>(
    token: &Option<ChannelToken<C>>,
    act: impl FnOnce() -> T,
) -> Option<T> {
    token.as_ref()?.pass(act)
}

/// How much a helper has said lately.
pub(super) struct Words {
    left: u64,
    since_us: u64,
}

impl Words {
    pub(super) fn new(now_us: u64) -> Self {
        Self { left: WORDS, since_us: now_us }
    }

    /// Whether it may say one thing more.
    pub(super) fn take(&mut self, now_us: u64) -> bool {
        let earned = now_us.saturating_sub(self.since_us) * WORDS_PER_S / 1_000_000;
        if earned > 0 {
            self.left = (self.left + earned).min(WORDS);
            self.since_us = now_us;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_too_much_is_not_heard() {
        let mut words = Words::new(0);
        assert_eq!((0..1_000).filter(|_| words.take(0)).count() as u64, WORDS);
        let in_a_second = (0..1_000).filter(|at| words.take(at * 1_000)).count() as u64;
        assert!((WORDS_PER_S - 1..=WORDS_PER_S).contains(&in_a_second), "{in_a_second}");
        assert!(words.take(60_000_000));
    }
}
