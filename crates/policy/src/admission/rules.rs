//! What one machine relies on, and its verdict on the other end.

use super::credential::{Certificate, Credential, Form};
use super::error::AdmissionError;
use super::holder::Holder;
use super::presented::{End, Presented, Proved};
use super::roles::Roles;
use super::sharer::VerifiedSharer;
use crate::authorise::{Authentication, ConnectionId, Person};
use crate::capability::Capabilities;
use crate::consent::{MAX_NAME_CHARS, Peer};
use crate::device::{Device, Scope};
use crate::event::Side;
use crate::grant::{self, Grant};
use crate::id::{SubjectId, TenantId};
use crate::identity::{
    CredentialError, DeviceCertificate, DeviceClaims, Exporter, ProofInput, PublicKey, Role, Trust,
};
use crate::oidc::{IdToken, JwksError, TokenError, Validator, Verdict};
use crate::permission::Permissions;
use crate::record::SessionId;
use crate::settings::{TenantSettings, Version};

/// What one machine relies on: its tenant's keys and revocations, the tenant's settings, perhaps
/// an OpenID provider, and its own certificate.
///
/// Times are seconds since 1970. Without a revocation list that still counts nobody is let in.
#[derive(Debug)]
pub struct Rules {
    trust: Trust,
    settings: TenantSettings,
    provider: Option<(Validator, Roles)>,
    own: Option<Own>,
}

/// This machine, where somebody may be helped.
#[derive(Debug)]
struct Own {
    certificate: Certificate,
    allowed: Capabilities,
    software: Version,
    person: Option<Credential>,
}

/// A person whose credential was verified, and whose key made the proof if there was one.
struct Verified {
    person: Person,
    names: grant::Person,
    key: PublicKey,
    expires_s: u64,
    /// The credential's.
    name: [u8; 16],
    means: Means,
}

/// What a helper's credential allows.
enum Means {
    Grant(Permissions, Scope),
    /// These roles of the directory.
    Roles(Vec<String>),
}

impl Rules {
    /// Trust in one tenant, with its settings. ID tokens are refused, and nobody is helped here.
    pub fn new(trust: Trust, settings: TenantSettings) -> Self {
        Self { trust, settings, provider: None, own: None }
    }

    /// Also accepts ID tokens that `validator` validates; `roles` say what helpers may do.
    #[must_use]
    pub fn with_provider(self, validator: Validator, roles: Roles) -> Self {
        Self { provider: Some((validator, roles)), ..self }
    }

    /// Also lets people be helped on this machine: as the one, and with the person, that a
    /// sharer's `holder` presents. `allowed` is what the machine's management allows on it. With
    /// a helper's holder nobody is helped here.
    #[must_use]
    pub fn with_device(self, holder: &Holder, allowed: Capabilities) -> Self {
        let own = holder.device().map(|(certificate, person)| Own {
            certificate: certificate.clone(),
            allowed,
            software: holder.software(),
            person: person.cloned(),
        });
        Self { own, ..self }
    }

    /// The tenant.
    pub fn tenant(&self) -> &TenantId {
        self.trust.tenant().id()
    }

    /// The tenant's settings.
    pub fn settings(&self) -> &TenantSettings {
        &self.settings
    }

    /// Takes in a revocation list.
    ///
    /// # Errors
    /// As [`Trust::update`]; what is known stays.
    pub fn handle_revocations(&mut self, bytes: &[u8], now_s: u64) -> Result<(), CredentialError> {
        self.trust.update(bytes, now_s)
    }

    /// Takes in the provider's keys, after [`AdmissionError::KeysNeeded`]. Without a provider it
    /// changes nothing.
    ///
    /// # Errors
    /// As [`Validator::handle_keys`]; the former keys stay.
    pub fn handle_keys(&mut self, bytes: &[u8], now_s: u64) -> Result<(), JwksError> {
        self.provider.as_mut().map_or(Ok(()), |(validator, _)| validator.handle_keys(bytes, now_s))
    }

    /// Who the helper is that presents itself in `session` on the connection of `exporter`, to
    /// whoever sits at this machine. Hand it to the session, which weighs scope, settings and
    /// consent.
    ///
    /// # Errors
    /// Says what is wrong. [`AdmissionError::KeysNeeded`] asks for the provider's keys.
    pub fn admit(
        &mut self,
        presented: &Presented,
        exporter: &Exporter,
        session: SessionId,
        now_s: u64,
    ) -> Result<Authentication, AdmissionError> {
        let End::Helper(proved) = &presented.end else {
            let (expected, found) = (Side::Helper, presented.side());
            return Err(AdmissionError::Side { expected, found });
        };
        let (device, sharer, own_expires_s) = self.own(now_s)?;
        let helper = self.verify(&proved.credential, Role::Helper, now_s)?;
        check_proof(proved, proved.credential.hash(), helper.key, Role::Helper, exporter, session)?;
        let (permissions, scope) = self.means(&helper.means)?;
        Ok(Authentication {
            peer: Peer::verified(&helper.names, &helper.key)?,
            helper: helper.person,
            sharer,
            device,
            helper_version: presented.software,
            permissions,
            scope,
            valid_us: remaining_us(helper.expires_s.min(own_expires_s), now_s),
            credential: helper.name,
            connection: ConnectionId::of(exporter),
        })
    }

    /// Whose machine presents itself in `session` on the connection of `exporter`, to the helper
    /// at this one.
    ///
    /// # Errors
    /// Says what is wrong. [`AdmissionError::KeysNeeded`] asks for the provider's keys.
    pub fn check_sharer(
        &mut self,
        presented: &Presented,
        exporter: &Exporter,
        session: SessionId,
        now_s: u64,
    ) -> Result<VerifiedSharer, AdmissionError> {
        let End::Sharer { device: proved, person } = &presented.end else {
            let (expected, found) = (Side::Sharer, presented.side());
            return Err(AdmissionError::Side { expected, found });
        };
        let device = self.certified(&proved.credential, now_s)?;
        let hash = proved.credential.hash();
        check_proof(proved, hash, device.key, Role::Device, exporter, session)?;
        let (sharer, peer, expires_s) = match person {
            None => (owner(&device)?, owners_peer(&device)?, device.validity.expires_s),
            Some(proved) => {
                let found = self.verify(&proved.credential, Role::Sharer, now_s)?;
                let hash = proved.credential.hash();
                check_proof(proved, hash, found.key, Role::Sharer, exporter, session)?;
                let expires_s = found.expires_s.min(device.validity.expires_s);
                (found.person, Peer::verified(&found.names, &found.key)?, expires_s)
            }
        };
        let enrolled = device.device.enrolled;
        self.settings.check(presented.software, enrolled).map_err(AdmissionError::Settings)?;
        Ok(VerifiedSharer {
            tenant: device.tenant,
            device: device.device.id,
            enrolled,
            posture: device.device.posture,
            findings: device.device.findings,
            sharer,
            peer,
            software: presented.software,
            valid_us: remaining_us(expires_s, now_s),
            connection: ConnectionId::of(exporter),
        })
    }

    /// This machine, who sits at it, and until when its credentials count.
    fn own(&mut self, now_s: u64) -> Result<(Device, Person, u64), AdmissionError> {
        let Own { certificate, allowed, software, person } =
            self.own.as_ref().ok_or(AdmissionError::NoDevice)?;
        let claims = self.certified(certificate, now_s)?;
        let (person, allowed, version) = (person.clone(), *allowed, *software);
        let mut expires_s = claims.validity.expires_s;
        let sharer = match person {
            None => owner(&claims)?,
            Some(credential) => {
                let verified = self.verify(&credential, Role::Sharer, now_s)?;
                expires_s = expires_s.min(verified.expires_s);
                verified.person
            }
        };
        let device = Device {
            tenant: claims.tenant,
            id: claims.device.id,
            groups: claims.groups,
            enrolled: claims.device.enrolled,
            posture: claims.device.posture,
            allowed,
            version,
        };
        Ok((device, sharer, expires_s))
    }

    fn certified(
        &self,
        certificate: &Certificate,
        now_s: u64,
    ) -> Result<DeviceClaims, AdmissionError> {
        DeviceCertificate::verify(certificate.as_bytes(), &self.trust, now_s)
            .map(DeviceCertificate::into_claims)
            .map_err(|source| AdmissionError::Credential { of: Role::Device, source })
    }

    /// The person of a grant or token that is this tenant's and counts at `now_s`.
    fn verify(
        &mut self,
        credential: &Credential,
        of: Role,
        now_s: u64,
    ) -> Result<Verified, AdmissionError> {
        match &credential.0 {
            Form::Grant(bytes) => {
                let grant = Grant::verify(bytes, &self.trust, now_s);
                let grant = grant.map_err(|source| AdmissionError::Credential { of, source })?;
                Ok(Verified::by_grant(grant))
            }
            Form::Token { token, binding } => {
                let (validator, _) =
                    self.provider.as_mut().ok_or(AdmissionError::NoProvider { of })?;
                let verdict = validator.validate(token, binding, now_s);
                let verdict = verdict.map_err(|source| AdmissionError::Token { of, source })?;
                let Verdict::Verified(token) = verdict else {
                    return Err(AdmissionError::KeysNeeded);
                };
                let ours = self.trust.tenant().id();
                if token.tenant != *ours {
                    let (expected, found) = (ours.to_string(), token.tenant.to_string());
                    let source = TokenError::Tenant { expected, found };
                    return Err(AdmissionError::Token { of, source });
                }
                Ok(Verified::by_token(*token, binding.key))
            }
        }
    }

    fn means(&self, means: &Means) -> Result<(Permissions, Scope), AdmissionError> {
        match (means, &self.provider) {
            (Means::Grant(permissions, scope), _) => Ok((*permissions, scope.clone())),
            (Means::Roles(roles), Some((_, table))) => {
                let rule = table.rule(roles)?;
                Ok((rule.permissions, rule.scope.clone()))
            }
            (Means::Roles(_), None) => Err(AdmissionError::NoProvider { of: Role::Helper }),
        }
    }
}

impl Verified {
    fn by_grant(grant: Grant) -> Self {
        let claims = grant.into_claims();
        Self {
            person: Person { tenant: claims.tenant, subject: claims.subject },
            names: claims.person,
            key: claims.key,
            expires_s: claims.validity.expires_s,
            name: claims.id.0,
            means: Means::Grant(claims.permissions, claims.scope),
        }
    }

    fn by_token(token: IdToken, key: PublicKey) -> Self {
        let mut name = [0; 16];
        name.copy_from_slice(&token.hash[..16]);
        Self {
            person: Person { tenant: token.tenant, subject: token.subject },
            names: token.person,
            key,
            expires_s: token.expires_s,
            name,
            means: Means::Roles(token.roles),
        }
    }
}

/// Whether the holder of `key` proved `credential`, the hash of what is shown, here and now.
fn check_proof<C>(
    proved: &Proved<C>,
    credential: [u8; 32],
    key: PublicKey,
    of: Role,
    exporter: &Exporter,
    session: SessionId,
) -> Result<(), AdmissionError> {
    let input = ProofInput { role: of, credential, session: session.0, exporter: *exporter };
    proved.proof.verify(&key, &input).map_err(|source| AdmissionError::Proof { of, source })
}

/// Whom a device speaks for when nobody has signed in at it.
fn owner(device: &DeviceClaims) -> Result<Person, AdmissionError> {
    let subject = SubjectId::new(device.device.id.as_str())?;
    Ok(Person { tenant: device.tenant.clone(), subject })
}

/// The device's id for people. It may be longer than a name.
fn owners_peer(device: &DeviceClaims) -> Result<Peer, AdmissionError> {
    let name = device.device.id.as_str().chars().take(MAX_NAME_CHARS).collect();
    let names = grant::Person { name, job_title: None, company: None };
    Ok(Peer::verified(&names, &device.key)?)
}

fn remaining_us(expires_s: u64, now_s: u64) -> u64 {
    expires_s.saturating_sub(now_s).saturating_mul(1_000_000)
}
