//! Why a connection ended, as both sides see it.

use quinn::{ConnectionError, VarInt};

/// Largest close code that an app may use; the codes above belong to this crate.
pub const APP_CODE_MAX: u32 = 0xff;

/// A sharer's reason for not letting a helper in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The two programs speak different versions.
    #[error("the sharer speaks another version; update the older of the two programs")]
    UnsupportedVersion,
    /// The sharer knows no such invitation, or has withdrawn it.
    #[error("the sharer knows no such invitation or has withdrawn it; ask for a new one")]
    UnknownInvitation,
    /// The invitation's time is over.
    #[error("the invitation has expired; ask for a new one")]
    Expired,
    /// Another helper has used the invitation, or its session has ended.
    #[error("the invitation has been used already; ask for a new one")]
    AlreadyUsed,
    /// The helper could not prove that it holds the invitation's secret.
    #[error("the invitation's secret is wrong; copy the invitation again or ask for a new one")]
    WrongSecret,
    /// The pairing code is wrong.
    #[error("the pairing code is wrong; ask for it again, after 5 wrong ones none is taken")]
    WrongCode,
    /// The invitation has no secret, it comes with a pairing code.
    #[error("the sharer wants a pairing code with this invitation; ask for it")]
    CodeWanted,
    /// Too many wrong codes were tried.
    #[error("too many wrong pairing codes were tried; ask for a new invitation")]
    NoTriesLeft,
    /// The helper did not prove itself in time.
    #[error("the confirmation took longer than the sharer waits; try again")]
    ConfirmationTimeout,
    /// The helper broke the rules of the confirmation.
    #[error("the sharer could not understand the confirmation; update both programs")]
    ProtocolViolation,
    /// Too many helpers are joining at once.
    #[error("the sharer is busy with other requests; try again in a few seconds")]
    Busy,
}

impl Refusal {
    const ALL: [(Self, u32); 11] = [
        (Self::UnsupportedVersion, 0x101),
        (Self::UnknownInvitation, 0x102),
        (Self::Expired, 0x103),
        (Self::AlreadyUsed, 0x104),
        (Self::WrongSecret, 0x105),
        (Self::ConfirmationTimeout, 0x106),
        (Self::ProtocolViolation, 0x107),
        (Self::Busy, 0x108),
        (Self::WrongCode, 0x109),
        (Self::CodeWanted, 0x10a),
        (Self::NoTriesLeft, 0x10b),
    ];

    pub(crate) fn code(self) -> u32 {
        Self::ALL.iter().find(|(refusal, _)| *refusal == self).map_or(0x107, |(_, code)| *code)
    }

    fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(refusal, _)| *refusal)
    }
}

/// A newer connection of the same helper has taken this one's place.
pub(crate) const CODE_REPLACED: u32 = 0x120;
/// A message was longer than the receiver's limit.
pub(crate) const CODE_TOO_LARGE: u32 = 0x121;
/// The connection's last handle was dropped without a close.
pub(crate) const CODE_DROPPED: u32 = 0x122;
/// The sharer could not prove that it holds the invitation's secret.
pub(crate) const CODE_UNPROVED: u32 = 0x123;
/// Longest reason that is sent or kept.
pub(crate) const MAX_REASON_BYTES: usize = 256;

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The other side's app closed it.
    #[error("closed by the other side (code {code}): {reason}")]
    Peer {
        /// The app's code, 0 to [`APP_CODE_MAX`].
        code: u32,
        /// The app's words, at most 256 bytes; text from the network, to show as plain text only.
        reason: String,
    },
    /// This side closed it.
    #[error("closed by this side")]
    Local,
    /// The sharer did not let the helper in.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A newer connection of the same helper took its place.
    #[error("replaced by a newer connection of the same helper")]
    Replaced,
    /// Nothing has come from the other side for the idle timeout.
    #[error("nothing came from the other side for the idle timeout")]
    TimedOut,
    /// The other side runs, but knows the connection no longer.
    #[error("the other side has restarted or lost the connection")]
    Reset,
    /// A message was longer than its receiver allows.
    #[error("a message was longer than the receiver allows")]
    MessageTooLarge,
    /// The other side's program went away without saying why.
    #[error("the other side left without a reason")]
    Dropped,
    /// QUIC or TLS failed.
    #[error("transport error: {0}")]
    Transport(String),
}

impl From<&ConnectionError> for CloseReason {
    fn from(error: &ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => from_peer(close.error_code, &close.reason),
            ConnectionError::LocallyClosed => Self::Local,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Reset,
            other => Self::Transport(other.to_string()),
        }
    }
}

fn from_peer(code: VarInt, reason: &[u8]) -> CloseReason {
    let code = u32::try_from(code.into_inner()).unwrap_or(u32::MAX);
    match code {
        CODE_REPLACED => CloseReason::Replaced,
        CODE_TOO_LARGE => CloseReason::MessageTooLarge,
        CODE_DROPPED => CloseReason::Dropped,
        _ => match Refusal::from_code(code) {
            Some(refusal) => CloseReason::Refused(refusal),
            None => CloseReason::Peer { code, reason: readable(reason) },
        },
    }
}

/// The peer's text without what could disturb a terminal or a label.
fn readable(reason: &[u8]) -> String {
    let reason = &reason[..reason.len().min(MAX_REASON_BYTES)];
    String::from_utf8_lossy(reason).chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_code_above_the_apps_codes() {
        for (index, (refusal, code)) in Refusal::ALL.iter().enumerate() {
            assert!(*code > APP_CODE_MAX);
            assert_eq!(refusal.code(), *code);
            assert_eq!(Refusal::from_code(*code), Some(*refusal));
            assert!(Refusal::ALL[index + 1..].iter().all(|(_, other)| other != code));
        }
    }

    #[test]
    fn a_peers_words_lose_control_characters_and_excess() {
        let reason = [b"bye\x1b[2J\n".as_slice(), &[b'x'; 1000]].concat();
        let CloseReason::Peer { code, reason } = from_peer(VarInt::from_u32(7), &reason) else {
            panic!("an app code must come back as Peer");
        };
        assert_eq!(code, 7);
        assert!(reason.starts_with("bye[2Jxxx"));
        assert!(reason.len() <= MAX_REASON_BYTES);
    }
}
