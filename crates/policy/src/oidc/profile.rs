//! Which tokens are accepted: of one provider, for one tenant and one app.

use crate::TenantId;
use crate::identity::{DEFAULT_SKEW_S, MAX_SKEW_S};

/// How long ago somebody may have signed in, unless said otherwise: half a day in seconds.
pub const DEFAULT_MFA_AGE_S: u64 = 43_200;
/// The most that may be said: a day.
pub const MAX_MFA_AGE_S: u64 = 86_400;
/// Longest issuer and client id in characters.
const MAX_CHARS: usize = 256;

/// Why a profile cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not an https address with the tenant in its path.
    #[error(
        "the issuer is not `https://HOST/...` with the tenant's id as a part of its path; one \
         that serves all tenants (`common`) is refused"
    )]
    Issuer,
    /// Not a client id.
    #[error("the client id is not 1 to {MAX_CHARS} visible ASCII characters")]
    ClientId,
    /// Not an authentication context.
    #[error("the authentication context is not 1 to {MAX_CHARS} visible ASCII characters")]
    Context,
}

/// What a token must say of the second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mfa {
    /// `mfa` in `amr` (RFC 8176 section 2).
    Method,
    /// This authentication context in `acrs`. Entra ID's tokens of version 2.0 have no `amr`.
    Context(String),
}

/// The one set of rules for tokens. What it leaves to choose only makes it stricter or moves it
/// within a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(super) issuer: String,
    pub(super) tenant: TenantId,
    pub(super) client_id: String,
    pub(super) mfa: Mfa,
    pub(super) skew_s: u64,
    pub(super) mfa_age_s: u64,
}

impl Profile {
    /// Tokens by `issuer` for the app `client_id`. The issuer's path holds the tenant's id. A
    /// second factor shows as `mfa` in `amr`.
    ///
    /// # Errors
    /// The issuer or the client id cannot be one.
    pub fn new(issuer: &str, tenant: &TenantId, client_id: &str) -> Result<Self, ProfileError> {
        let path = issuer.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let named = path.is_some_and(|(host, path)| {
            !host.is_empty() && path.split('/').any(|part| part == tenant.as_str())
        });
        if !named || !is_plain(issuer) || issuer.contains(['?', '#']) {
            return Err(ProfileError::Issuer);
        }
        if !is_plain(client_id) {
            return Err(ProfileError::ClientId);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            tenant: tenant.clone(),
            client_id: client_id.to_owned(),
            mfa: Mfa::Method,
            skew_s: DEFAULT_SKEW_S,
            mfa_age_s: DEFAULT_MFA_AGE_S,
        })
    }

    /// Tokens by Entra ID (version 2.0) for the app `client_id`. `tenant` is the directory's GUID
    /// in lower case; `context` is the authentication context, as `c1`, whose conditional access
    /// policy asks for a second factor. Its keys are at
    /// `https://login.microsoftonline.com/TENANT/discovery/v2.0/keys`.
    ///
    /// # Errors
    /// The client id or the context cannot be one.
    pub fn entra(tenant: &TenantId, client_id: &str, context: &str) -> Result<Self, ProfileError> {
        if !is_plain(context) {
            return Err(ProfileError::Context);
        }
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let profile = Self::new(&issuer, tenant, client_id)?;
        Ok(Self { mfa: Mfa::Context(context.to_owned()), ..profile })
    }

    /// Allows clocks to differ by `seconds` (60 unless said otherwise), but never by more than
    /// 300.
    #[must_use]
    pub fn with_skew_s(self, seconds: u64) -> Self {
        Self { skew_s: seconds.min(MAX_SKEW_S), ..self }
    }

    /// Lets a sign-in count for `seconds`, but never for more than a day.
    #[must_use]
    pub fn with_mfa_age_s(self, seconds: u64) -> Self {
        Self { mfa_age_s: seconds.min(MAX_MFA_AGE_S), ..self }
    }

    /// Whose tokens are accepted.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Of which tenant.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

fn is_plain(text: &str) -> bool {
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
    graphic && !text.is_empty() && text.len() <= MAX_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_of_one_tenant_and_over_tls() {
        let tenant = TenantId::new("9188040d-6c67-4c5b-b112-36a304b66dad").unwrap();
        let entra = Profile::entra(&tenant, "app", "c1").unwrap();
        let expected =
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
        assert_eq!(entra.issuer(), expected);
        let bad = [
            "",
            "https://login.microsoftonline.com/common/v2.0",
            "https://login.microsoftonline.com/organizations/v2.0",
            "https:///9188040d-6c67-4c5b-b112-36a304b66dad",
            "https://9188040d-6c67-4c5b-b112-36a304b66dad",
            "https://a/x9188040d-6c67-4c5b-b112-36a304b66dad",
            "https://a/9188040d-6c67-4c5b-b112-36a304b66dad?x=1",
            "https://a/9188040d-6c67-4c5b-b112-36a304b66dad#x",
            "https://a b/9188040d-6c67-4c5b-b112-36a304b66dad",
        ];
        let plain = expected.replace("https", "http");
        for issuer in bad.into_iter().chain([plain.as_str()]) {
            let verdict = Profile::new(issuer, &tenant, "app");
            assert_eq!(verdict, Err(ProfileError::Issuer), "{issuer}");
        }
        let longest = "x".repeat(256);
        assert!(Profile::entra(&tenant, &longest, &longest).is_ok());
        assert_eq!(entra.tenant(), &tenant);
        for client_id in ["", "a b", "ä", &"x".repeat(257)] {
            let verdict = Profile::new(expected, &tenant, client_id);
            assert_eq!(verdict, Err(ProfileError::ClientId), "{client_id}");
            let verdict = Profile::entra(&tenant, "app", client_id);
            assert_eq!(verdict, Err(ProfileError::Context), "{client_id}");
        }
    }

    #[test]
    fn what_is_chosen_stays_within_its_bounds() {
        let tenant = TenantId::new("a").unwrap();
        let profile = Profile::entra(&tenant, "app", "c1").unwrap();
        let wide = profile.with_skew_s(u64::MAX).with_mfa_age_s(u64::MAX);
        assert_eq!((wide.skew_s, wide.mfa_age_s), (300, 86_400));
    }
}
