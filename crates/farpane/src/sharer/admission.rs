//! What a session by invitation is, in the words of policy.
//!
//! An invitation is the sharer's own: whoever holds it counts as of the sharer's tenant, helps on
//! this device only, and may see the screen.

use super::links::PeerId;
use farpane_policy::{
    AdvanceConsent, Authentication, Capabilities, Capability, ConnectionId, Device, DeviceId,
    Event, IdError, InvitationKey, LeaseId, Mode, Peer, Permissions, Person, Posture, Request,
    Rights, Scope, SessionId, SessionLimits, Setup, Side, SubjectId, TenantId, TenantSettings,
    Version,
};
use std::sync::Arc;

/// The tenant of those who know each other by invitations alone.
const TENANT: &str = "invited";
/// This device, to those invited to it.
const DEVICE: &str = "this-device";
/// What this library does for a helper so far.
const PLATFORM: Capabilities = Capabilities::of(&[Capability::View]);

/// What a helper by invitation asks for.
pub(crate) fn request(invitation: InvitationKey) -> Request {
    Request { invitation, rights: Rights::of(Mode::View) }
}

/// The session of the helper `id`, which came by `invitation`.
pub(crate) fn setup(
    id: PeerId,
    invitation: InvitationKey,
    advance: Option<AdvanceConsent>,
) -> Result<Setup, IdError> {
    let mut session = invitation;
    session[8..].copy_from_slice(&id.to_be_bytes());
    Ok(Setup {
        session: SessionId(session),
        connection: connection(id, invitation),
        tenant: TenantId::new(TENANT)?,
        settings: TenantSettings::default(),
        local: Capabilities::ALL,
        platform: PLATFORM,
        limits: SessionLimits::default(),
        advance,
        unattended: None,
    })
}

/// What has happened once a helper with a proven invitation and key has said who it is.
pub(crate) fn introduction(
    id: PeerId,
    invitation: InvitationKey,
    peer: Peer,
) -> Result<[Event; 6], IdError> {
    let who = Arc::new(authentication(connection(id, invitation), peer)?);
    Ok([
        Event::Requested(request(invitation)),
        Event::Paired,
        Event::Authenticated(who),
        Event::Authorise(Capabilities::ALL),
        // The sharer's own device keeps the sharer's own rules: there is nothing to warn of.
        Event::ComplianceSeen(Side::Sharer),
        Event::Ask,
    ])
}

/// The answer to a renewal that was asked for.
pub(crate) fn renewed(renewal: LeaseId) -> Event {
    Event::LeaseRenewed(renewal, Capabilities::ALL)
}

fn authentication(connection: ConnectionId, peer: Peer) -> Result<Authentication, IdError> {
    let tenant = TenantId::new(TENANT)?;
    let version = Version::default();
    let device = Device {
        tenant: tenant.clone(),
        id: DeviceId::new(DEVICE)?,
        groups: Vec::new(),
        enrolled: true,
        posture: Posture::Compliant,
        allowed: Capabilities::ALL,
        version,
    };
    let helper =
        Person { tenant: tenant.clone(), subject: SubjectId::new(peer.key_fingerprint())? };
    Ok(Authentication {
        helper,
        sharer: Person { tenant, subject: SubjectId::new("sharer")? },
        scope: Scope::Devices(vec![device.id.clone()]),
        device,
        peer,
        helper_version: version,
        permissions: Permissions::view_only(),
        valid_us: u64::MAX,
        connection,
    })
}

/// Both ends have proved the invitation on the connection by which the helper `id` came.
fn connection(id: PeerId, invitation: InvitationKey) -> ConnectionId {
    let mut name = [0; 32];
    name[..16].copy_from_slice(&invitation);
    name[16..24].copy_from_slice(&id.to_be_bytes());
    ConnectionId(name)
}
