//! Why a token, or a provider's set of keys, is refused.

use crate::PeerError;

/// Why bytes are no JSON object that has one meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON (RFC 8259), or something follows it.
    #[error("not JSON")]
    Syntax,
    /// JSON, but no object.
    #[error("not a JSON object")]
    NotObject,
    /// A name that is there twice: readers would differ on which counts.
    #[error("the name `{name}` is there twice")]
    Duplicate {
        /// Which.
        name: String,
    },
    /// Arrays and objects in each other.
    #[error("deeper than {most} levels")]
    TooDeep {
        /// The bound.
        most: usize,
    },
}

/// Why one key of a provider verifies nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// `use` or `key_ops` says that it is for something else than signatures.
    #[error("it is not for verifying signatures")]
    Use,
    /// A type or curve other than RSA, P-256 and Ed25519.
    #[error("it is neither RSA nor P-256 nor Ed25519")]
    Type,
    /// Its `alg` is not the one that its type goes with.
    #[error("its `alg` is not {expected}")]
    Algorithm {
        /// What it must be.
        expected: &'static str,
    },
    /// RSA with too small or too large a modulus.
    #[error("its modulus has {bits} bits, not 2,048 to 8,192")]
    RsaBits {
        /// How many bits it has.
        bits: usize,
    },
    /// RSA with another exponent than 65,537.
    #[error("its exponent is not 65,537")]
    RsaExponent,
    /// A private or symmetric part: it is no secret any more.
    #[error("its private half was published")]
    Private,
    /// A part is missing, or is not what it must be.
    #[error("its `{part}` is not what it must be")]
    Form {
        /// Which.
        part: &'static str,
    },
}

/// Why a provider's set of keys is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Too many bytes.
    #[error("the key set has {bytes} bytes, more than {most}")]
    TooLarge {
        /// How many.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// Not an object that has one meaning.
    #[error("the key set is {0}")]
    Json(#[from] JsonError),
    /// No list of objects under `keys`.
    #[error("the key set has no list of keys (RFC 7517 section 5)")]
    Shape,
    /// Too many keys, or none.
    #[error("the key set has {count} keys, not 1 to {most}")]
    Count {
        /// How many.
        count: usize,
        /// The bound.
        most: usize,
    },
    /// A key without a usable `kid`.
    #[error("key {at} of the set has no `kid` of 1 to 128 visible ASCII characters")]
    KeyId {
        /// Its place, from 0.
        at: usize,
    },
    /// Two keys with one `kid`.
    #[error("the key set has two keys with the `kid` {kid}")]
    TwoKeys {
        /// Which.
        kid: String,
    },
}

/// Why a token is refused. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Too many bytes.
    #[error("the token has {bytes} bytes, more than {most}")]
    TooLarge {
        /// How many.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// Not three parts in base64url without padding.
    #[error("not a signed token in compact form (RFC 7515 section 7.1)")]
    Shape,
    /// The header is not an object that has one meaning.
    #[error("the token's header is {0}")]
    HeaderJson(JsonError),
    /// A header that would bring a key along, or that is not understood.
    #[error("the token's header has `{name}`, which is refused")]
    HeaderMember {
        /// Which.
        name: String,
    },
    /// `alg` is not RS256, ES256 or EdDSA.
    #[error("the token's `alg` is {found}, not RS256, ES256 or EdDSA")]
    Algorithm {
        /// What it is.
        found: String,
    },
    /// `typ` is there and is not JWT.
    #[error("the token's `typ` is {found}, not JWT")]
    Type {
        /// What it is.
        found: String,
    },
    /// No usable `kid`.
    #[error("the token's header has no `kid` of 1 to 128 visible ASCII characters")]
    KeyId,
    /// The provider has no such key, and was asked a short while ago.
    #[error("the provider has no key {kid}")]
    UnknownKey {
        /// Which.
        kid: String,
    },
    /// The key is not one that may have signed it.
    #[error("key {kid} cannot verify the token: {problem}")]
    Key {
        /// Which.
        kid: String,
        /// Why.
        problem: KeyProblem,
    },
    /// The token says another algorithm than its key is for.
    #[error("key {kid} is for {expected}, not for what the token says")]
    KeyAlgorithm {
        /// Which.
        kid: String,
        /// What the key is for.
        expected: &'static str,
    },
    /// The key did not sign it.
    #[error("the token's signature is not the provider's")]
    Signature,
    /// The claims are not an object that has one meaning.
    #[error("the token's claims are {0}")]
    ClaimsJson(JsonError),
    /// A claim is missing.
    #[error("the token's claim `{claim}` is missing; let the provider send it")]
    Missing {
        /// Which.
        claim: &'static str,
    },
    /// A claim is not what it must be.
    #[error("the token's claim `{claim}` is not {expected}")]
    Claim {
        /// Which.
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Of another provider.
    #[error("the token is by {found}, not by {expected}")]
    Issuer {
        /// The configured one.
        expected: String,
        /// What it says.
        found: String,
    },
    /// Of another tenant.
    #[error("the token is of tenant {found}, not of {expected}")]
    Tenant {
        /// The configured one.
        expected: String,
        /// What it says.
        found: String,
    },
    /// For another app, or for several.
    #[error("the token is not for this app alone")]
    Audience,
    /// For another session's key.
    #[error("the token is for another session: its nonce is another one")]
    Nonce,
    /// It ends before it begins, or lives too long.
    #[error("the token is valid from {not_before_s} to {expires_s}, issued at {issued_s}")]
    Span {
        /// When it was issued.
        issued_s: u64,
        /// From when on it is valid.
        not_before_s: u64,
        /// When it ends.
        expires_s: u64,
    },
    /// It was issued in the future.
    #[error("the token was issued at {issued_s}, now is {now_s}; set the clock of this machine")]
    IssuedLater {
        /// When it was issued.
        issued_s: u64,
        /// Now.
        now_s: u64,
    },
    /// It does not count yet.
    #[error("the token is valid from {not_before_s} on, now is {now_s}")]
    NotYet {
        /// From when on.
        not_before_s: u64,
        /// Now.
        now_s: u64,
    },
    /// It does not count any more.
    #[error("the token ended at {expires_s}, now is {now_s}; sign in again")]
    Expired {
        /// When it ended.
        expires_s: u64,
        /// Now.
        now_s: u64,
    },
    /// Nobody saw a second factor.
    #[error("the token's `{claim}` tells of no second factor; sign in with one")]
    NoMfa {
        /// Which claim would: `amr` or `acrs`.
        claim: &'static str,
    },
    /// The sign-in is too long ago.
    #[error("the sign-in was at {at_s}, more than {most_s} s before {now_s}; sign in again")]
    MfaTooOld {
        /// When it was.
        at_s: u64,
        /// Now.
        now_s: u64,
        /// How old it may be.
        most_s: u64,
    },
    /// A text that people would be shown and must not be.
    #[error("the token's claim `{claim}` cannot be shown: {source}")]
    Shown {
        /// Which.
        claim: &'static str,
        /// Why.
        source: PeerError,
    },
}
