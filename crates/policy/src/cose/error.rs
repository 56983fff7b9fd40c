//! Why a credential is refused.

use super::strict::CborError;
use crate::PeerError;

/// Why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// More bytes than such a credential may have.
    #[error("{bytes} bytes are too many for this credential (at most {most})")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// The first byte is not COSE_Sign1's tag.
    #[error("the first byte is {byte:#04x}, not the tag of COSE_Sign1 (0xd2)")]
    Tag {
        /// The byte.
        byte: u8,
    },
    /// Not deterministic CBOR.
    #[error("not deterministic CBOR: {0}")]
    Cbor(#[from] CborError),
    /// CBOR, but not four parts: protected header, empty map, payload, signature.
    #[error("not a COSE_Sign1 with a payload (RFC 9052 section 4.2)")]
    Shape,
    /// The protected header names no algorithm or another one.
    #[error("the signed algorithm is not Ed25519 (-19)")]
    Algorithm,
    /// Headers that nobody signed.
    #[error("there are unprotected headers; an algorithm or a key that nobody signed is refused")]
    Unprotected,
    /// Something that the reader would have to understand.
    #[error("the header has `crit`; no extension is understood")]
    Critical,
    /// A header that this kind of credential has not.
    #[error("the header has {label}, which is not understood")]
    Header {
        /// Which.
        label: String,
    },
    /// A credential of another kind.
    #[error("the signed type is not {expected}; this is a credential for something else")]
    MediaType {
        /// What was expected.
        expected: &'static str,
    },
    /// No key of the tenant's authority has the name in the header.
    #[error("no authority of this tenant has the key that signed it")]
    UnknownKey,
    /// An Ed25519 signature has 64 bytes.
    #[error("the signature has {bytes} bytes, not 64")]
    SignatureLength {
        /// Its length.
        bytes: usize,
    },
    /// The key did not sign these bytes.
    #[error("the signature is not the authority's; the bytes were changed or forged")]
    Signature,
}

/// Why a grant, a device certificate or a revocation list is refused. Times are in seconds since
/// 1970.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The envelope is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A claim that must be there is not.
    #[error("the claim `{claim}` is missing")]
    Missing {
        /// Which.
        claim: &'static str,
    },
    /// A claim is not of the type or of the values that it must have.
    #[error("the claim `{claim}` is not {expected}")]
    Type {
        /// Which.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A claim that no such credential has.
    #[error("the claim {label} is not understood")]
    UnknownClaim {
        /// Its label.
        label: String,
    },
    /// A list or a text is empty or longer than it may be.
    #[error("the claim `{claim}` has {count} elements or characters, not {least} to {most}")]
    Length {
        /// Which.
        claim: &'static str,
        /// How long it is.
        count: usize,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
    /// An identifier with other characters than it may have.
    #[error("the claim `{claim}` has the character U+{code:04X}; use visible ASCII")]
    Identifier {
        /// Which.
        claim: &'static str,
        /// The character.
        code: u32,
    },
    /// A text that people would be shown and must not be.
    #[error("the claim `{claim}` cannot be shown: {source}")]
    Shown {
        /// Which.
        claim: &'static str,
        /// Why.
        source: PeerError,
    },
    /// Elements of a set that are not in ascending order, or twice there.
    #[error("the elements of `{claim}` are not in ascending order, each once")]
    Unordered {
        /// Which.
        claim: &'static str,
    },
    /// A permission that there is not.
    #[error("`{name}` is no permission of this product")]
    UnknownPermission {
        /// Its name.
        name: String,
    },
    /// The key to which the credential belongs is none that may be used.
    #[error("the key is not an Ed25519 key that proves anything")]
    Key,
    /// Another tenant's.
    #[error("it is of tenant {found}, not of {expected}")]
    Tenant {
        /// The tenant whose authority signed.
        expected: String,
        /// The tenant that it names.
        found: String,
    },
    /// It ends before it begins, or was issued after it ended.
    #[error("it is valid from {not_before_s} to {expires_s}, issued at {issued_s}: no such span")]
    Span {
        /// When it was issued.
        issued_s: u64,
        /// From when on it is valid.
        not_before_s: u64,
        /// When it ends.
        expires_s: u64,
    },
    /// It would live too long.
    #[error("it is valid for {seconds} s, more than {most} s; issue a shorter one")]
    Lifetime {
        /// From the start to the end.
        seconds: u64,
        /// The bound.
        most: u64,
    },
    /// It was issued in the future.
    #[error("it was issued at {issued_s}, now is {now_s}; set the clock of this machine")]
    IssuedLater {
        /// When it was issued.
        issued_s: u64,
        /// Now.
        now_s: u64,
    },
    /// It does not count yet.
    #[error("it is valid from {not_before_s} on, now is {now_s}")]
    NotYet {
        /// From when on.
        not_before_s: u64,
        /// Now.
        now_s: u64,
    },
    /// It does not count any more.
    #[error("it ended at {expires_s}, now is {now_s}; issue a new one")]
    Expired {
        /// When it ended.
        expires_s: u64,
        /// Now.
        now_s: u64,
    },
    /// The authority has taken it back.
    #[error("{id} was revoked")]
    Revoked {
        /// Which.
        id: String,
    },
    /// What is known of revocations is too old to rely on.
    #[error("the revocation list ended at {expires_s}, now is {now_s}; fetch the current one")]
    StaleRevocations {
        /// When it ended.
        expires_s: u64,
        /// Now.
        now_s: u64,
    },
    /// A list from before the one that is known.
    #[error("revocation list {found} is older than {known}, which is known already")]
    OldRevocations {
        /// Its number.
        found: u64,
        /// The known one's.
        known: u64,
    },
    /// Two lists with one number.
    #[error("there are two revocation lists with number {number}: ask the authority which is true")]
    TwoRevocations {
        /// The number.
        number: u64,
    },
}
