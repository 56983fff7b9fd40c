//! Who may come, in the words of policy.
//!
//! A sharer that is a member of a tenant lets in whom the tenant's rules admit. Without a tenant an
//! invitation is the sharer's own: whoever holds it counts as of the sharer's tenant, helps on this
//! device only, and may do what the sharer's own settings allow.

use super::input::InputTarget;
use crate::membership::{Binding, Membership, NotAdmitted};
use farpane_policy::{
    AdvanceConsent, Authentication, Capabilities, Capability, Device, DeviceId, EndReason, Event,
    IdError, InvitationKey, Peer, PeerError, Permission, Permissions, Person, Posture, Request,
    Rights, Scope, SessionLimits, Setup, SubjectId, TenantId, TenantSettings, Version,
};
use std::sync::Arc;

/// The tenant of those who know each other by invitations alone.
const TENANT: &str = "invited";
/// This device, to those invited to it.
const DEVICE: &str = "this-device";
/// What takes a display that input is applied to.
pub(crate) const INPUT: Capabilities =
    Capabilities::of(&[Capability::Point, Capability::Control, Capability::Elevate]);
/// What this library does not do.
const MISSING: Capabilities = Capabilities::of(&[Capability::Audio]);

/// Why a helper is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLetIn {
    #[error(transparent)]
    Name(#[from] PeerError),
    #[error(transparent)]
    Id(#[from] IdError),
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
}

impl NotLetIn {
    /// Whether the keys of the tenant's OpenID provider are to be fetched first.
    pub(crate) fn needs_keys(&self) -> bool {
        matches!(self, Self::NotAdmitted(error) if error.needs_keys())
    }

    /// The reason with which the session ends.
    pub(crate) fn end_reason(&self) -> EndReason {
        match self {
            Self::NotAdmitted(error) => error.end_reason(),
            _ => EndReason::NotPermitted,
        }
    }
}

/// The rules by which this sharer lets helpers in.
pub(crate) struct Admission {
    /// What the sharer's own settings allow.
    pub(crate) local: Capabilities,
    pub(crate) platform: Capabilities,
    pub(crate) limits: SessionLimits,
    pub(crate) membership: Option<Membership>,
    /// Whether this machine may be viewed with nobody at it, by a grant for that.
    pub(crate) unattended: bool,
}

/// What a helper said of itself.
pub(crate) struct Introduction<'a> {
    pub(crate) name: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) invitation: InvitationKey,
    pub(crate) presented: Option<&'a [u8]>,
    pub(crate) binding: Binding,
    pub(crate) rights: Rights,
}

impl Introduction<'_> {
    /// What it asks for.
    pub(crate) fn request(&self) -> Request {
        Request { invitation: self.invitation, rights: self.rights }
    }
}

impl Admission {
    /// What a machine can do that applies input there.
    pub(crate) fn platform(input: &InputTarget) -> Capabilities {
        let all = Capabilities::ALL.without(MISSING);
        if *input == InputTarget::None { all.without(INPUT) } else { all }
    }

    /// Who this end is, for a helper by this connection.
    pub(crate) fn present(&self, binding: &Binding) -> Vec<u8> {
        self.membership.as_ref().map(|membership| membership.present(binding)).unwrap_or_default()
    }

    /// Who a helper is.
    ///
    /// # Errors
    /// It has not proved it.
    pub(crate) fn authenticate(
        &self,
        helper: &Introduction<'_>,
    ) -> Result<Authentication, NotLetIn> {
        if let Some(membership) = &self.membership {
            return Ok(membership.admit(helper.presented, &helper.binding)?);
        }
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
        let person = |name| SubjectId::new(name).map(|subject| (tenant.clone(), subject));
        let [helper_person, sharer] = [person(helper.fingerprint)?, person("sharer")?]
            .map(|(tenant, subject)| Person { tenant, subject });
        Ok(Authentication {
            helper: helper_person,
            sharer,
            scope: Scope::Devices(vec![device.id.clone()]),
            device,
            peer: Peer::new(helper.name, helper.fingerprint)?,
            helper_version: version,
            permissions: self.invited_permissions(),
            valid_us: u64::MAX,
            credential: helper.invitation,
            connection: helper.binding.connection(),
        })
    }

    /// The session of a helper.
    ///
    /// # Errors
    /// A name that names nothing.
    pub(crate) fn setup(
        &self,
        helper: &Introduction<'_>,
        advance: Option<AdvanceConsent>,
    ) -> Result<Setup, NotLetIn> {
        let (tenant, settings) = match &self.membership {
            Some(membership) => membership.tenant(),
            None => (TenantId::new(TENANT)?, TenantSettings::default()),
        };
        Ok(Setup {
            session: helper.binding.session,
            connection: helper.binding.connection(),
            tenant,
            settings,
            local: self.local,
            platform: self.platform,
            limits: self.limits,
            advance,
            unattended: self.unattended,
        })
    }

    /// Whom the sharer invites helps with what the sharer allows, as far as somebody is there.
    fn invited_permissions(&self) -> Permissions {
        let mut permissions = vec![
            Permission::ViewScreen,
            Permission::OfferRemoteAssistance,
            Permission::ConnectorRead,
        ];
        let more = [
            (Capability::Control, Permission::TakeFullControl),
            (Capability::Elevate, Permission::Elevation),
        ];
        let more = more.into_iter().filter(|(needs, _)| self.local.contains(*needs));
        permissions.extend(more.map(|(_, permission)| permission));
        Permissions::of(&permissions)
    }
}

/// What has happened once a helper has said who it is and asked.
pub(crate) fn opening(request: Request, who: Result<Authentication, NotLetIn>) -> Vec<Event> {
    let mut events = vec![Event::Requested(request), Event::Paired];
    match who {
        Ok(who) => {
            events.push(Event::Authenticated(Arc::new(who)));
            events.push(Event::Authorise(Capabilities::ALL));
        }
        Err(error) => events.push(Event::NotAdmitted(error.end_reason())),
    }
    events
}
