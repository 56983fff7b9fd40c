//! Whether this helper may help this sharer on this device, before anybody is asked.

use crate::capability::Capabilities;
use crate::consent::Peer;
use crate::device::{Device, Scope};
use crate::id::{SubjectId, TenantId};
use crate::identity::{Exporter, sha256};
use crate::permission::{Permission, Permissions};
use crate::rights::{Mode, Rights};
use crate::settings::{TenantSettings, Version};
use crate::sources::{Source, Sources};
use crate::state::EndReason;

/// Names one connection: a hash of its TLS exporter (RFC 9266), different for every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub [u8; 32]);

/// Nothing else that this product hashes begins with it.
const CONNECTION_DOMAIN: &[u8] = b"farpane connection id v1\0";

impl ConnectionId {
    /// The connection that has this exporter. Who learns the id learns nothing of the exporter.
    pub fn of(exporter: &Exporter) -> Self {
        Self(sha256(&[CONNECTION_DOMAIN, exporter.as_bytes()]))
    }
}

/// A person of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Person {
    /// The person's tenant.
    pub tenant: TenantId,
    /// The person's own name in the directory.
    pub subject: SubjectId,
}

/// Who the two ends are and what the helper was granted. Whoever makes one has verified
/// signatures and times; [`authorise`] weighs what was verified.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authentication {
    /// Who helps.
    pub helper: Person,
    /// Who is helped: who sits at the device, or whom it belongs to.
    pub sharer: Person,
    /// On which device.
    pub device: Device,
    /// The helper as people see it.
    pub peer: Peer,
    /// The helper's software.
    pub helper_version: Version,
    /// What the grant allows.
    pub permissions: Permissions,
    /// Whom the grant allows to help.
    pub scope: Scope,
    /// How much longer the grant is valid, in microseconds from when this is handed over.
    pub valid_us: u64,
    /// Names the helper's credential in the audit log: a grant's own name, or the first bytes of
    /// the hash of a token.
    pub credential: [u8; 16],
    /// The connection on which both ends have signed. On another it is worth nothing.
    pub connection: ConnectionId,
}

/// Whether helper, sharer and device all belong to `tenant`.
pub fn same_tenant(tenant: &TenantId, who: &Authentication) -> bool {
    [&who.helper.tenant, &who.sharer.tenant, &who.device.tenant].iter().all(|of| *of == tenant)
}

/// Whether the two may begin on what the helper asks for, and what each source allows. Nothing is
/// effective yet: consent is left empty.
///
/// # Errors
/// The reason for which the session has to end.
pub fn authorise(
    tenant: &TenantId,
    settings: &TenantSettings,
    who: &Authentication,
    sources: &Sources,
    lease: Capabilities,
) -> Result<Sources, EndReason> {
    if !same_tenant(tenant, who) {
        return Err(EndReason::DifferentTenant);
    }
    settings.check(who.helper_version.min(who.device.version), who.device.enrolled)?;
    if !who.scope.covers(&who.device) {
        return Err(EndReason::OutOfScope);
    }
    let mut sources = *sources;
    sources.narrow(Source::Tenant, settings.capabilities());
    sources.narrow(Source::Grant, who.permissions.capabilities());
    sources.narrow(Source::Device, who.device.allowed);
    sources.narrow(Source::Lease, lease);
    Ok(sources)
}

/// What is left of the rights that were asked for when consent alone is missing; `None` if the
/// mode itself is not possible.
pub(crate) fn permitted(asked: Rights, who: &Authentication, sources: &Sources) -> Option<Rights> {
    let unattended = asked.mode() == Mode::Unattended;
    if unattended && !who.permissions.contains(Permission::Unattended) {
        return None;
    }
    asked.within(sources.possible()).filter(|rights| rights.mode() == asked.mode())
}

#[cfg(test)]
mod tests;
