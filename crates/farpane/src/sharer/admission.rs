//! Who may come, in the words of policy.
//!
//! An invitation is the sharer's own: whoever holds it counts as of the sharer's tenant, helps on
//! this device only, and may do what the sharer's own settings allow.

use super::guests::Binding;
use super::input::InputTarget;
use farpane_net::Connection;
use farpane_policy::{
    AdvanceConsent, Authentication, Capabilities, Capability, ConnectionId, Device, DeviceId,
    Event, IdError, InvitationKey, Peer, PeerError, Permission, Permissions, Person, Posture,
    Request, Rights, Scope, SessionId, SessionLimits, Setup, SubjectId, TenantId, TenantSettings,
    Version,
};
use std::sync::Arc;

/// The tenant of those who know each other by invitations alone.
const TENANT: &str = "invited";
/// This device, to those invited to it.
const DEVICE: &str = "this-device";
/// The label of the TLS exporter that proofs are of (RFC 9266 section 2).
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
/// The label of the one that names the session.
const SESSION_LABEL: &[u8] = b"EXPORTER-farpane-session";

/// What this library moves by itself.
const CHANNELS: Capabilities = Capabilities::of(&[
    Capability::View,
    Capability::Chat,
    Capability::ClipboardIn,
    Capability::ClipboardOut,
    Capability::FileIn,
    Capability::FileOut,
]);
/// What takes a display that input is applied to besides.
const WITH_INPUT: Capabilities = Capabilities::of(&[
    Capability::View,
    Capability::Chat,
    Capability::ClipboardIn,
    Capability::ClipboardOut,
    Capability::FileIn,
    Capability::FileOut,
    Capability::Point,
    Capability::Control,
    Capability::Elevate,
]);

/// Why a helper is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    #[error(transparent)]
    Name(#[from] PeerError),
    #[error(transparent)]
    Id(#[from] IdError),
}

/// The rules by which this sharer lets helpers in.
pub(crate) struct Admission {
    /// What the sharer's own settings allow.
    pub(crate) local: Capabilities,
    pub(crate) platform: Capabilities,
    pub(crate) limits: SessionLimits,
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

/// What names a connection to its two ends; `None` when it is over already.
pub(crate) fn binding(connection: &Connection) -> Option<Binding> {
    let session = connection.export(SESSION_LABEL)?;
    let (session, _) = session.split_first_chunk()?;
    Some(Binding { exporter: *connection.export(BINDING_LABEL)?, session: *session })
}

impl Admission {
    pub(crate) fn new(local: Capabilities, input: &InputTarget, limits: SessionLimits) -> Self {
        let platform = if *input == InputTarget::None { CHANNELS } else { WITH_INPUT };
        Self { local, platform, limits }
    }

    /// Who this end is, for a helper by this connection.
    pub(crate) fn present(&self, _binding: &Binding) -> Option<Vec<u8>> {
        None
    }

    /// Who a helper is.
    ///
    /// # Errors
    /// It has not proved it.
    pub(crate) fn authenticate(
        &self,
        helper: &Introduction<'_>,
    ) -> Result<Authentication, NotAdmitted> {
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
            connection: ConnectionId(helper.binding.exporter),
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
    ) -> Result<Setup, NotAdmitted> {
        Ok(Setup {
            session: SessionId(helper.binding.session),
            connection: ConnectionId(helper.binding.exporter),
            tenant: TenantId::new(TENANT)?,
            settings: TenantSettings::default(),
            local: self.local,
            platform: self.platform,
            limits: self.limits,
            advance,
            unattended: None,
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

/// What has happened once a helper has proved who it is and asked.
pub(crate) fn opening(request: Request, who: Authentication) -> [Event; 4] {
    [
        Event::Requested(request),
        Event::Paired,
        Event::Authenticated(Arc::new(who)),
        Event::Authorise(Capabilities::ALL),
    ]
}
