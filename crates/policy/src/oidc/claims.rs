//! A token's claims (OpenID Connect Core 1.0 section 2, and those of Entra ID).

use super::error::TokenError;
use super::json;
use super::profile::{Mfa, Profile};
use super::validator::MAX_TOKEN_S;
use crate::consent::check_shown;
use crate::grant::Person;
use crate::{SubjectId, TenantId};
use serde_json::{Map, Value};

/// Longest identifier and longest list.
const MAX_ID_CHARS: usize = 128;
const MAX_LIST: usize = 32;

/// A person by a token that was verified for this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdToken {
    /// Whose directory they are in.
    pub tenant: TenantId,
    /// Their object id there, which is never given to another.
    pub subject: SubjectId,
    /// How others are shown them: `name`, `jobTitle`, `companyName`.
    pub person: Person,
    /// The app roles that the tenant gave them: at most 32.
    pub roles: Vec<String>,
    /// When they signed in, in seconds since 1970.
    pub signed_in_s: u64,
    /// From when on the token does not count any more, in seconds since 1970.
    pub expires_s: u64,
    /// SHA-256 of the token, which proofs are bound to.
    pub hash: [u8; 32],
}

impl IdToken {
    pub(super) fn read(
        bytes: &[u8],
        profile: &Profile,
        nonce: &str,
        now_s: u64,
        hash: [u8; 32],
    ) -> Result<Self, TokenError> {
        let claims = Claims(json::object(bytes).map_err(TokenError::ClaimsJson)?);
        claims.check_provider(profile)?;
        let expires_s = claims.check_time(profile, now_s)?;
        if claims.text("nonce")? != nonce {
            return Err(TokenError::Nonce);
        }
        let signed_in_s = claims.check_mfa(profile, now_s)?;
        claims.identifier("sub")?;
        let optional = |claim| claims.0.contains_key(claim).then(|| claims.shown(claim));
        Ok(Self {
            tenant: profile.tenant.clone(),
            subject: claims.subject()?,
            person: Person {
                name: claims.shown("name")?,
                job_title: optional("jobTitle").transpose()?,
                company: optional("companyName").transpose()?,
            },
            roles: claims.roles()?,
            signed_in_s,
            expires_s,
            hash,
        })
    }
}

struct Claims(Map<String, Value>);

impl Claims {
    /// Who made it, for which tenant and which app.
    fn check_provider(&self, profile: &Profile) -> Result<(), TokenError> {
        let issuer = self.text("iss")?;
        if issuer != profile.issuer {
            let (expected, found) = (profile.issuer.clone(), issuer.to_owned());
            return Err(TokenError::Issuer { expected, found });
        }
        let tenant = self.text("tid")?;
        if tenant != profile.tenant.as_str() {
            let (expected, found) = (profile.tenant.to_string(), tenant.to_owned());
            return Err(TokenError::Tenant { expected, found });
        }
        let audience = match self.claim("aud")? {
            Value::Array(list) if list.len() == 1 => &list[0],
            other => other,
        };
        let party = self.0.get("azp");
        if *audience != *profile.client_id || party.is_some_and(|azp| *azp != *profile.client_id) {
            return Err(TokenError::Audience);
        }
        Ok(())
    }

    /// When it ends, if it counts now.
    fn check_time(&self, profile: &Profile, now_s: u64) -> Result<u64, TokenError> {
        let expires_s = self.seconds("exp")?;
        let not_before_s = self.seconds("nbf")?;
        let issued_s = self.seconds("iat")?;
        let starts_s = not_before_s.min(issued_s);
        if expires_s <= not_before_s.max(issued_s) || expires_s - starts_s > MAX_TOKEN_S {
            return Err(TokenError::Span { issued_s, not_before_s, expires_s });
        }
        let latest_s = now_s.saturating_add(profile.skew_s);
        if issued_s > latest_s {
            return Err(TokenError::IssuedLater { issued_s, now_s });
        }
        if not_before_s > latest_s {
            return Err(TokenError::NotYet { not_before_s, now_s });
        }
        if now_s >= expires_s.saturating_add(profile.skew_s) {
            return Err(TokenError::Expired { expires_s, now_s });
        }
        Ok(expires_s)
    }

    /// When the person signed in, if it was with a second factor and not long ago.
    fn check_mfa(&self, profile: &Profile, now_s: u64) -> Result<u64, TokenError> {
        let (claim, wanted) = match &profile.mfa {
            Mfa::Method => ("amr", "mfa"),
            Mfa::Context(context) => ("acrs", context.as_str()),
        };
        if !self.texts(claim)?.contains(&wanted) {
            return Err(TokenError::NoMfa { claim });
        }
        let at_s = self.seconds("auth_time")?;
        if at_s > now_s.saturating_add(profile.skew_s) {
            return Err(TokenError::IssuedLater { issued_s: at_s, now_s });
        }
        let most_s = profile.mfa_age_s;
        if now_s.saturating_sub(at_s) > most_s.saturating_add(profile.skew_s) {
            return Err(TokenError::MfaTooOld { at_s, now_s, most_s });
        }
        Ok(at_s)
    }

    fn subject(&self) -> Result<SubjectId, TokenError> {
        let wrong = |_| TokenError::Claim { claim: "oid", expected: IDENTIFIERS };
        SubjectId::new(&self.identifier("oid")?).map_err(wrong)
    }

    fn roles(&self) -> Result<Vec<String>, TokenError> {
        if !self.0.contains_key("roles") {
            return Ok(Vec::new());
        }
        let roles = self.texts("roles")?;
        let plain = |role: &&str| is_identifier(role);
        if !roles.iter().all(plain) {
            return Err(TokenError::Claim { claim: "roles", expected: IDENTIFIERS });
        }
        Ok(roles.into_iter().map(str::to_owned).collect())
    }

    fn claim(&self, claim: &'static str) -> Result<&Value, TokenError> {
        self.0.get(claim).ok_or(TokenError::Missing { claim })
    }

    fn text(&self, claim: &'static str) -> Result<&str, TokenError> {
        let text = self.claim(claim)?.as_str();
        text.ok_or(TokenError::Claim { claim, expected: "text" })
    }

    fn seconds(&self, claim: &'static str) -> Result<u64, TokenError> {
        let expected = "a whole number of seconds";
        self.claim(claim)?.as_u64().ok_or(TokenError::Claim { claim, expected })
    }

    fn texts(&self, claim: &'static str) -> Result<Vec<&str>, TokenError> {
        let expected = "a list of at most 32 texts";
        let wrong = TokenError::Claim { claim, expected };
        let list = self.claim(claim)?.as_array().filter(|list| list.len() <= MAX_LIST);
        let list = list.ok_or(wrong.clone())?;
        list.iter().map(Value::as_str).collect::<Option<_>>().ok_or(wrong)
    }

    fn identifier(&self, claim: &'static str) -> Result<String, TokenError> {
        let text = self.text(claim)?;
        if !is_identifier(text) {
            return Err(TokenError::Claim { claim, expected: IDENTIFIERS });
        }
        Ok(text.to_owned())
    }

    fn shown(&self, claim: &'static str) -> Result<String, TokenError> {
        let text = self.text(claim)?;
        check_shown(text).map_err(|source| TokenError::Shown { claim, source })?;
        Ok(text.to_owned())
    }
}

const IDENTIFIERS: &str = "1 to 128 visible ASCII characters";

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_CHARS && text.bytes().all(|b| b.is_ascii_graphic())
}
