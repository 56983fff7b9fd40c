//! Permissions as a real session gives them, and takes them back.

use crate::desk::EPOCH;
use farpane_policy::{
    Answer, Authentication, Capabilities, ConnectionId, Device, DeviceId, Effect, Event,
    InputToken, Mode, Peer, Permission, Permissions, Person, Posture, Reach, Request, RequestId,
    Rights, Scope, Session, SessionId, SessionLimits, Setup, Side, SubjectId, TenantId,
    TenantSettings, Version,
};
use std::sync::Arc;

/// A session to which the sharer consented, and the token that it gave out for input.
pub(crate) struct Permit {
    session: Session,
    token: InputToken,
}

impl Permit {
    /// Viewing with a pointer, or control, with the number [`EPOCH`].
    pub(crate) fn new(reach: Reach) -> Self {
        Self::numbered(EPOCH, reach)
    }

    /// The same with another number, from 1 on: each interruption takes one.
    pub(crate) fn numbered(epoch: u64, reach: Reach) -> Self {
        let mut session = Session::new(setup(), 0);
        let mode = if reach == Reach::Full { Mode::Control } else { Mode::View };
        let mut token = None;
        for event in opening(Rights::of(mode)) {
            token = take(&mut session, event).or(token);
        }
        let mut permit = Self { session, token: token.expect("an active session has input") };
        while permit.token.epoch() < epoch {
            permit.suspend();
            permit.resume();
        }
        assert_eq!((permit.token.epoch(), permit.token.reach()), (epoch, reach));
        permit
    }

    /// The token that counts now, or counted last.
    pub(crate) fn token(&self) -> InputToken {
        self.token.clone()
    }

    /// The sharer holds the session: the token is invalid from now on.
    pub(crate) fn suspend(&mut self) {
        take(&mut self.session, Event::Suspend(Side::Sharer));
        assert!(!self.token.is_valid());
    }

    /// The session goes on, with a new token under the next number.
    pub(crate) fn resume(&mut self) -> InputToken {
        let token = take(&mut self.session, Event::Resume(Side::Sharer));
        self.token = token.expect("a session that goes on has input");
        self.token()
    }

    /// The sharer ends the session: the token is invalid from now on.
    pub(crate) fn end(&mut self) {
        take(&mut self.session, Event::SharerEnded);
        assert!(!self.token.is_valid());
    }
}

/// Takes an event in a log that takes everything; gives the token if input starts with it.
fn take(session: &mut Session, event: Event) -> Option<InputToken> {
    let effects = session.handle(event, 0).commit(|_| Ok::<(), ()>(()));
    effects.into_iter().find_map(|effect| match effect {
        Effect::StartInput(token) => Some(token),
        _ => None,
    })
}

fn opening(rights: Rights) -> [Event; 8] {
    [
        Event::Requested(Request { invitation: [1; 16], rights }),
        Event::Paired,
        Event::Authenticated(Arc::new(who())),
        Event::Authorise(Capabilities::ALL),
        Event::ComplianceSeen(Side::Sharer),
        Event::Ask,
        Event::Answered(RequestId(1), Answer::Allow(rights)),
        Event::IndicatorAck,
    ]
}

fn tenant() -> TenantId {
    TenantId::new("contoso").expect("a tenant's name")
}

fn setup() -> Setup {
    Setup {
        session: SessionId([7; 16]),
        connection: ConnectionId([3; 32]),
        tenant: tenant(),
        settings: TenantSettings::default(),
        local: Capabilities::ALL,
        platform: Capabilities::ALL,
        limits: SessionLimits::default(),
        advance: None,
        unattended: false,
    }
}

fn who() -> Authentication {
    let person = |name: &str| Person {
        tenant: tenant(),
        subject: SubjectId::new(name).expect("a person's name"),
    };
    Authentication {
        helper: person("ada"),
        sharer: person("grace"),
        device: Device {
            tenant: tenant(),
            id: DeviceId::new("laptop").expect("a device's name"),
            groups: Vec::new(),
            enrolled: true,
            posture: Posture::Compliant,
            allowed: Capabilities::ALL,
            version: Version::default(),
        },
        peer: Peer::new("Ada", "12ab").expect("a name to show"),
        helper_version: Version::default(),
        permissions: Permissions::of(&Permission::ALL),
        scope: Scope::AllDevices,
        valid_us: u64::MAX,
        credential: [9; 16],
        connection: ConnectionId([3; 32]),
    }
}
