//! A session that tests can drive.

use std::sync::Arc;

use crate::*;

pub(crate) const S: u64 = 1_000_000;
pub(crate) const INVITATION: InvitationKey = [1; 16];

/// A machine of tenant `contoso` that allows everything.
pub(crate) fn setup() -> Setup {
    Setup {
        session: SessionId([7; 16]),
        connection: ConnectionId([3; 32]),
        tenant: TenantId::new("contoso").unwrap(),
        settings: TenantSettings::default(),
        local: Capabilities::ALL,
        platform: Capabilities::ALL,
        limits: SessionLimits::default(),
        advance: None,
        unattended: true,
    }
}

/// A helper of that tenant with every permission, and a device that keeps the rules.
pub(crate) fn who() -> Authentication {
    let tenant = TenantId::new("contoso").unwrap();
    let person = |name| Person { tenant: tenant.clone(), subject: SubjectId::new(name).unwrap() };
    Authentication {
        helper: person("ada"),
        sharer: person("grace"),
        device: Device {
            tenant: tenant.clone(),
            id: DeviceId::new("laptop").unwrap(),
            groups: Vec::new(),
            enrolled: true,
            posture: Posture::Compliant,
            allowed: Capabilities::ALL,
            version: Version(1, 0, 0),
        },
        peer: Peer::new("Ada", "12ab-34cd").unwrap(),
        helper_version: Version(1, 0, 0),
        permissions: Permissions::of(&Permission::ALL),
        scope: Scope::AllDevices,
        valid_us: u64::MAX,
        credential: [9; 16],
        connection: ConnectionId([3; 32]),
    }
}

pub(crate) fn requested(rights: impl Into<Rights>) -> Event {
    Event::Requested(Request { invitation: INVITATION, rights: rights.into() })
}

/// What leads a session of the default helper to the question of consent.
pub(crate) fn opening(rights: impl Into<Rights>) -> Vec<Event> {
    vec![
        requested(rights),
        Event::Paired,
        Event::Authenticated(Arc::new(who())),
        Event::Authorise(Capabilities::ALL),
        Event::ComplianceSeen(Side::Sharer),
        Event::Ask,
    ]
}

/// Yes to the question with this number.
pub(crate) fn allow(question: u64, rights: impl Into<Rights>) -> Event {
    Event::Answered(RequestId(question), Answer::Allow(rights.into()))
}

/// The machine after these events, all at `now_us`; every one of them has to fit.
pub(crate) fn follow(machine: &Machine, events: &[Event], now_us: u64) -> Machine {
    events.iter().fold(machine.clone(), |machine, event| {
        let next = step(&machine, event, now_us);
        assert!(next.accepted, "{event:?} does not fit {:?}", machine.state());
        next.machine
    })
}

/// The machine at `now_us`: its lease is renewed if it asks for that, and the indicator shows.
pub(crate) fn alive(machine: &Machine, now_us: u64) -> Machine {
    let machine = step(machine, &Event::Tick, now_us).machine;
    let renewed = machine.renewal().map(|id| Event::LeaseRenewed(id, Capabilities::ALL));
    let events = renewed.into_iter().chain([Event::IndicatorAck]);
    events.fold(machine, |machine, event| step(&machine, &event, now_us).machine)
}

/// The machine kept alive each second after `from` up to `second`.
pub(crate) fn kept_alive(machine: &Machine, from: u64, second: u64) -> Machine {
    (from + 1..=second).fold(machine.clone(), |machine, second| alive(&machine, second * S))
}

pub(crate) fn idle() -> Machine {
    Machine::new(Arc::new(setup()), 0)
}

/// A machine that is active with these rights since `now_us`.
pub(crate) fn active(rights: impl Into<Rights>, now_us: u64) -> Machine {
    let rights = rights.into();
    let mut events = opening(rights);
    if rights.mode() != Mode::Unattended {
        events.push(allow(1, rights));
    }
    events.push(Event::IndicatorAck);
    follow(&idle(), &events, now_us)
}

/// Takes an event in a log that takes everything.
pub(crate) fn commit(session: &mut Session, event: Event, now_us: u64) -> Vec<Effect> {
    session.handle(event, now_us).commit(|_| Ok::<(), ()>(()))
}

/// A session that is active with these rights since `now_us`, and the effects of its last event.
pub(crate) fn session(rights: impl Into<Rights>, now_us: u64) -> (Session, Vec<Effect>) {
    let rights = rights.into();
    let mut session = Session::new(setup(), now_us);
    let mut events = opening(rights);
    if rights.mode() != Mode::Unattended {
        events.push(allow(1, rights));
    }
    events.push(Event::IndicatorAck);
    let effects = events.into_iter().map(|event| commit(&mut session, event, now_us));
    let effects = effects.last().unwrap();
    (session, effects)
}
