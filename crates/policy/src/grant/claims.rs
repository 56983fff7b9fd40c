//! What a grant says.

use super::{MAX_GRANT_S, permission, scope};
use crate::cose::{self, Claims, ClaimsWriter, CredentialError, Text};
use crate::identity::{CredentialId, Device, PublicKey, Validity};
use crate::{Permissions, Scope, SubjectId, TenantId};
use coset::cbor::Value;

/// Somebody, as others are shown them. Each text has at most 64 characters, none of which
/// deceives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// What they are.
    pub job_title: Option<String>,
    /// Where.
    pub company: Option<String>,
}

/// What a grant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantClaims {
    /// The grant's own name.
    pub id: CredentialId,
    /// Who gives it.
    pub tenant: TenantId,
    /// To whom: at most 128 characters, as an object id or an address.
    pub subject: SubjectId,
    /// How others are shown them.
    pub person: Person,
    /// The role that it was made of, for people.
    pub role: String,
    /// What they may do; something at least.
    pub permissions: Permissions,
    /// Whom they may help. Lists are in ascending order, of names of at most 128 characters.
    pub scope: Scope,
    /// The machine that they help from.
    pub device: Device,
    /// The key that proves who they are.
    pub key: PublicKey,
    /// When it counts: at most 31 days.
    pub validity: Validity,
}

impl GrantClaims {
    pub(super) fn check(&self) -> Result<(), CredentialError> {
        Text::Identifier.check(self.subject.as_str(), "sub")?;
        Text::Shown.check(&self.person.name, "name")?;
        for (text, claim) in
            [(&self.person.job_title, "job title"), (&self.person.company, "company")]
        {
            text.iter().try_for_each(|text| Text::Shown.check(text, claim))?;
        }
        Text::Shown.check(&self.role, "role")?;
        permission::check(self.permissions)?;
        scope::check(&self.scope)?;
        self.device.check()?;
        self.validity.check_span(MAX_GRANT_S)
    }

    pub(super) fn read(value: Value) -> Result<Self, CredentialError> {
        let mut claims = Claims::read(value, "claims")?;
        let read = Self {
            id: cose::read_id(&mut claims)?,
            tenant: cose::read_issuer(&mut claims)?,
            subject: claims.id(cose::LABEL_SUBJECT, "sub", SubjectId::new)?,
            person: Person {
                name: claims.text(cose::LABEL_NAME, "name", Text::Shown)?,
                job_title: claims.text_if(cose::LABEL_JOB_TITLE, "job title", Text::Shown)?,
                company: claims.text_if(cose::LABEL_COMPANY, "company", Text::Shown)?,
            },
            role: claims.text(cose::LABEL_ROLE, "role", Text::Shown)?,
            permissions: permission::read(&claims.texts(
                cose::LABEL_PERMISSIONS,
                "permissions",
                Text::Identifier,
            )?)?,
            scope: scope::read(claims.list(cose::LABEL_SCOPE, "scope")?)?,
            device: Device::read(claims.take(cose::LABEL_DEVICE, "device")?)?,
            key: cose::read_key(&mut claims)?,
            validity: Validity::read(&mut claims)?,
        };
        claims.finish()?;
        read.check()?;
        Ok(read)
    }

    pub(super) fn write(&self) -> Value {
        let claims = ClaimsWriter::default()
            .with(cose::LABEL_ISSUER, self.tenant.as_str())
            .with(cose::LABEL_SUBJECT, self.subject.as_str())
            .with(cose::LABEL_ID, Value::Bytes(self.id.0.to_vec()))
            .with(cose::LABEL_KEY, cose::write_key(&self.key))
            .with(cose::LABEL_ROLE, self.role.as_str())
            .with_texts(cose::LABEL_PERMISSIONS, permission::names(self.permissions))
            .with(cose::LABEL_SCOPE, scope::write(&self.scope))
            .with(cose::LABEL_DEVICE, self.device.write())
            .with(cose::LABEL_NAME, self.person.name.as_str())
            .with_if(cose::LABEL_JOB_TITLE, self.person.job_title.as_deref())
            .with_if(cose::LABEL_COMPANY, self.person.company.as_deref());
        self.validity.write(claims).finish()
    }
}
