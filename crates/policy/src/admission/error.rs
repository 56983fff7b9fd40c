//! Why a message is none, and why nobody is let in.

use crate::consent::PeerError;
use crate::event::Side;
use crate::id::IdError;
use crate::identity::{CredentialError, KeyError, ProofError, Role};
use crate::oidc::TokenError;
use crate::state::EndReason;

use super::credential::MAX_PRESENTED_BYTES;

/// Why bytes are not what an end shows of itself, or why an end cannot show this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresentedError {
    /// Too many bytes in all.
    #[error("{bytes} bytes are more than a control message holds ({MAX_PRESENTED_BYTES})")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// A part is empty or too long.
    #[error("the {of} has {bytes} bytes, not 1 to {most}")]
    Length {
        /// Which.
        of: &'static str,
        /// How many.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// The bytes end too early.
    #[error("the bytes end within a field; the message was cut short")]
    Truncated,
    /// Something follows.
    #[error("{bytes} bytes follow the message; send nothing else with it")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A version that is not known.
    #[error("version {version} of this message is not known (only 1 is)")]
    Version {
        /// Which.
        version: u8,
    },
    /// A kind that there is not.
    #[error("there is no {of} of kind {kind}")]
    Kind {
        /// Of what.
        of: &'static str,
        /// Which kind.
        kind: u8,
    },
    /// Not the text of a token.
    #[error("the token is not visible ASCII")]
    Token,
    /// A session's key that proves nothing.
    #[error("the session's key is none: {0}")]
    Key(KeyError),
    /// The token is bound to another key than this end holds.
    #[error("the token is bound to another key; sign in again with this session's")]
    OtherKey,
    /// Not a proof.
    #[error("the proof is none: {0}")]
    Proof(ProofError),
}

/// Why an end is not who it says, or may not take part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// A helper where the sharer was expected, or the other way round.
    #[error("the other end says that it is the {}, not the {}", .found.name(), .expected.name())]
    Side {
        /// Who was expected.
        expected: Side,
        /// Who it says it is.
        found: Side,
    },
    /// A grant or a certificate is refused.
    #[error("the {}'s credential is refused: {source}", .of.name())]
    Credential {
        /// Whose.
        of: Role,
        /// Why.
        source: CredentialError,
    },
    /// An ID token is refused.
    #[error("the {}'s token is refused: {source}", .of.name())]
    Token {
        /// Whose.
        of: Role,
        /// Why.
        source: TokenError,
    },
    /// The provider may have a key that is not here.
    #[error("fetch the provider's keys, hand them over, and ask again")]
    KeysNeeded,
    /// This machine accepts no ID tokens.
    #[error("the {} shows an ID token, and this machine knows no provider", .of.name())]
    NoProvider {
        /// Whose.
        of: Role,
    },
    /// The token's roles do not say what the helper may do.
    #[error("{known} of the token's roles give permissions here; exactly one must")]
    Roles {
        /// How many of them are known.
        known: usize,
    },
    /// The proof is not by this credential's key for this connection, session and role.
    #[error("the {}'s proof is refused: {source}", .of.name())]
    Proof {
        /// Whose.
        of: Role,
        /// Why.
        source: ProofError,
    },
    /// This machine has no certificate, so nobody can help on it.
    #[error("this machine has no device certificate; give it one to be helped on it")]
    NoDevice,
    /// The tenant's settings forbid it.
    #[error("the tenant's settings forbid it: {0}")]
    Settings(EndReason),
    /// A verified name is no identifier. No credential that was verified has one.
    #[error("a verified name is no identifier: {0}")]
    Id(#[from] IdError),
    /// A verified name must not be shown. No credential that was verified has one.
    #[error("a verified name cannot be shown: {0}")]
    Peer(#[from] PeerError),
}

impl AdmissionError {
    /// The reason with which the session ends, as the other end and the audit log are told it.
    pub fn end_reason(&self) -> EndReason {
        match self {
            Self::Credential { source, .. } => match source {
                CredentialError::Tenant { .. } => EndReason::DifferentTenant,
                CredentialError::Expired { .. } => EndReason::Expired,
                CredentialError::Revoked { .. } => EndReason::Revoked,
                _ => EndReason::NotPermitted,
            },
            Self::Token { source, .. } => match source {
                TokenError::Tenant { .. } => EndReason::DifferentTenant,
                TokenError::Expired { .. } => EndReason::Expired,
                _ => EndReason::NotPermitted,
            },
            Self::Proof { .. } => EndReason::WrongConnection,
            Self::Settings(reason) => *reason,
            Self::NoDevice | Self::Id(_) | Self::Peer(_) => EndReason::Error,
            _ => EndReason::NotPermitted,
        }
    }
}
