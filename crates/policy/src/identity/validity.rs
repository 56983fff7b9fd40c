//! From when to when a credential counts.

use crate::cose::{Claims, ClaimsWriter, CredentialError};

/// When a credential was issued and from when to when it counts, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// When it was issued.
    pub issued_s: u64,
    /// From when on it counts.
    pub not_before_s: u64,
    /// From when on it does not count any more.
    pub expires_s: u64,
}

/// Claims of RFC 8392 section 3.1.
const LABEL_EXPIRES: i64 = 4;
const LABEL_NOT_BEFORE: i64 = 5;
const LABEL_ISSUED: i64 = 6;

impl Validity {
    /// From `now_s` on, for `seconds`.
    pub fn starting(now_s: u64, seconds: u64) -> Self {
        let expires_s = now_s.saturating_add(seconds);
        Self { issued_s: now_s, not_before_s: now_s, expires_s }
    }

    pub(crate) fn read(claims: &mut Claims) -> Result<Self, CredentialError> {
        Ok(Self {
            expires_s: claims.number(LABEL_EXPIRES, "exp")?,
            not_before_s: claims.number(LABEL_NOT_BEFORE, "nbf")?,
            issued_s: claims.number(LABEL_ISSUED, "iat")?,
        })
    }

    pub(crate) fn write(self, claims: ClaimsWriter) -> ClaimsWriter {
        claims
            .with(LABEL_EXPIRES, self.expires_s)
            .with(LABEL_NOT_BEFORE, self.not_before_s)
            .with(LABEL_ISSUED, self.issued_s)
    }

    /// Whether it is a span, and of at most `most` seconds.
    pub(crate) fn check_span(self, most: u64) -> Result<(), CredentialError> {
        let Self { issued_s, not_before_s, expires_s } = self;
        if not_before_s >= expires_s || issued_s >= expires_s {
            return Err(CredentialError::Span { issued_s, not_before_s, expires_s });
        }
        // From the earlier of both: what is issued for later is signed for just as long.
        let seconds = expires_s - issued_s.min(not_before_s);
        if seconds > most { Err(CredentialError::Lifetime { seconds, most }) } else { Ok(()) }
    }

    /// Whether it counts at `now_s`, by clocks that differ by at most `skew_s`.
    pub(crate) fn check_now(self, now_s: u64, skew_s: u64) -> Result<(), CredentialError> {
        let Self { issued_s, not_before_s, expires_s } = self;
        let latest_s = now_s.saturating_add(skew_s);
        if issued_s > latest_s {
            return Err(CredentialError::IssuedLater { issued_s, now_s });
        }
        if not_before_s > latest_s {
            return Err(CredentialError::NotYet { not_before_s, now_s });
        }
        if now_s >= expires_s.saturating_add(skew_s) {
            return Err(CredentialError::Expired { expires_s, now_s });
        }
        Ok(())
    }
}
