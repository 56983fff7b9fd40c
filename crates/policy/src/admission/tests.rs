//! Two ends that admit each other, and everything that must not be admitted.

mod proofs;
mod tenants;
mod time;
mod tokens;
mod wire;

use super::*;
use crate::authorise::ConnectionId;
use crate::example::{commit, requested};
use crate::grant::GrantClaims;
use crate::identity::testing::*;
use crate::identity::{DeviceClaims, Exporter, KeyPair};
use crate::{
    Answer, Authentication, Capabilities, EndReason, Event, Mode, Permissions, Posture, RequestId,
    Rights, Role, Scope, Session, SessionId, Setup, Side, State, TenantSettings, Version,
};
use std::sync::Arc;

const SESSION: SessionId = SessionId([5; 16]);
const SOFTWARE: Version = Version(1, 2, 3);

/// Counts the negative cases of one test, and says so at its end.
struct Cases {
    class: &'static str,
    count: usize,
}

impl Cases {
    fn of(class: &'static str) -> Self {
        Self { class, count: 0 }
    }

    fn refused<T>(&mut self, verdict: Result<T, AdmissionError>, error: AdmissionError) {
        assert_eq!(verdict.err(), Some(error), "{}", self.class);
        self.count += 1;
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        println!("negative cases: admission, {}: {}", self.class, self.count);
    }
}

fn exporter() -> Exporter {
    Exporter::new([6; 32]).unwrap()
}

fn granted(claims: &GrantClaims) -> Credential {
    Credential::grant(authority().grant(claims).unwrap()).unwrap()
}

fn certified(claims: &DeviceClaims) -> Certificate {
    Certificate::new(authority().device(claims).unwrap()).unwrap()
}

/// Ada, by the grant with `key(3)`.
fn helper() -> Holder {
    helper_by(&grant_claims(), key(3))
}

fn helper_by(claims: &GrantClaims, key: KeyPair) -> Holder {
    Holder::helper(granted(claims), key, SOFTWARE).unwrap()
}

/// The machine `laptop-7`, by the certificate with `key(2)`.
fn sharer() -> Holder {
    Holder::sharer(certified(&device_claims()), key(2), None, SOFTWARE).unwrap()
}

/// What Grace shows who sits at it, with `key(4)`.
fn grace() -> GrantClaims {
    let mut claims = GrantClaims { key: key(4).public_key(), ..grant_claims() };
    claims.id.0 = [4; 16];
    claims.subject = crate::SubjectId::new("grace@contoso.example").unwrap();
    claims.person.name = "Grace Hopper".into();
    claims
}

fn sharer_with_grace() -> Holder {
    let person = Some((granted(&grace()), key(4)));
    Holder::sharer(certified(&device_claims()), key(2), person, SOFTWARE).unwrap()
}

/// A machine of the tenant, at which the sharer sits.
fn rules() -> Rules {
    rules_with(&sharer())
}

fn rules_with(own: &Holder) -> Rules {
    let rules = Rules::new(trust(&[]), TenantSettings::default());
    rules.with_device(own, Capabilities::ALL)
}

fn present(holder: &Holder) -> Presented {
    let presented = holder.present(&exporter(), SESSION);
    let bytes = presented.to_bytes();
    assert!(bytes.len() <= MAX_PRESENTED_BYTES);
    assert_eq!(Presented::read(&bytes), Ok(presented.clone()));
    presented
}

fn admit(presented: &Presented) -> Result<Authentication, AdmissionError> {
    rules().admit(presented, &exporter(), SESSION, NOW_S)
}

fn check_sharer(presented: &Presented) -> Result<VerifiedSharer, AdmissionError> {
    rules().check_sharer(presented, &exporter(), SESSION, NOW_S)
}

fn session() -> Session {
    let setup = Setup {
        session: SESSION,
        connection: ConnectionId::of(&exporter()),
        tenant: rules().tenant().clone(),
        settings: *rules().settings(),
        ..crate::example::setup()
    };
    Session::new(setup, 0)
}

/// The session of whoever was admitted, as far as it comes without a question.
fn authorised(who: Authentication) -> Session {
    let mut session = session();
    let authenticated = Event::Authenticated(Arc::new(who));
    for event in
        [requested(Mode::View), Event::Paired, authenticated, Event::Authorise(Capabilities::ALL)]
    {
        drop(commit(&mut session, event, 0));
    }
    session
}

#[test]
fn two_ends_admit_each_other_and_the_session_comes_to_viewing() {
    let (shown_by_helper, shown_by_sharer) = (present(&helper()), present(&sharer()));
    assert_eq!((shown_by_helper.side(), shown_by_sharer.side()), (Side::Helper, Side::Sharer));
    assert_eq!((shown_by_helper.software(), shown_by_sharer.software()), (SOFTWARE, SOFTWARE));
    let whom = check_sharer(&shown_by_sharer).unwrap();
    assert_eq!((whom.device.as_str(), whom.posture), ("laptop-7", Posture::NotCompliant));
    let who = admit(&shown_by_helper).unwrap();
    assert_eq!(who.connection, whom.connection);
    let mut session = authorised(who);
    assert_eq!(session.state(), State::Authorised);
    let answer = Answer::Allow(Rights::of(Mode::View));
    for event in [
        Event::ComplianceSeen(Side::Sharer),
        Event::ComplianceSeen(Side::Helper),
        Event::Ask,
        Event::Answered(RequestId(1), answer),
        Event::IndicatorAck,
    ] {
        drop(commit(&mut session, event, 0));
    }
    assert_eq!(session.state(), State::ActiveView);
    drop(commit(&mut session, Event::SharerEnded, 0));
    assert!(session.state().is_over());
}

#[test]
fn who_was_admitted_is_what_the_credentials_say() {
    let who = admit(&present(&helper())).unwrap();
    assert_eq!(who.helper.subject.as_str(), "ada@contoso.example");
    assert_eq!(who.credential, [3; 16]);
    assert_eq!(who.helper.tenant, *authority().tenant());
    assert!(who.peer.is_verified());
    let names = (who.peer.display_name(), who.peer.job_title(), who.peer.company());
    assert_eq!(names, ("Ada Lovelace", Some("Help desk"), Some("Contoso")));
    assert_eq!(who.peer.key_fingerprint(), key(3).public_key().to_string());
    assert_eq!(who.permissions, Role::HelpDeskOperator.permissions());
    assert_eq!(who.scope, Scope::Groups(groups(&["berlin"])));
    assert_eq!((who.helper_version, who.device.version), (SOFTWARE, SOFTWARE));
    assert_eq!(who.device.groups, groups(&["berlin", "sales"]));
    assert!(who.device.enrolled && who.device.allowed == Capabilities::ALL);
    assert_eq!(who.device.posture, Posture::NotCompliant);
    assert_eq!(who.connection, ConnectionId::of(&exporter()));
    assert_eq!(who.valid_us, 3_600_000_000);
}

#[test]
fn a_device_speaks_for_its_owner_unless_somebody_sits_there() {
    let who = admit(&present(&helper())).unwrap();
    assert_eq!(who.sharer.subject.as_str(), "laptop-7");
    let whom = check_sharer(&present(&sharer())).unwrap();
    assert_eq!((whom.sharer.subject.as_str(), whom.peer.display_name()), ("laptop-7", "laptop-7"));
    assert_eq!(whom.peer.key_fingerprint(), key(2).public_key().to_string());
    assert_eq!(whom.findings, ["The disk is not encrypted"]);

    let mut rules = rules_with(&sharer_with_grace());
    let who = rules.admit(&present(&helper()), &exporter(), SESSION, NOW_S).unwrap();
    assert_eq!(who.sharer.subject.as_str(), "grace@contoso.example");
    let whom = check_sharer(&present(&sharer_with_grace())).unwrap();
    assert_eq!(whom.sharer, who.sharer);
    assert_eq!((whom.peer.display_name(), whom.peer.is_verified()), ("Grace Hopper", true));
    assert_eq!(whom.peer.key_fingerprint(), key(4).public_key().to_string());
    assert_eq!((whom.software, whom.valid_us), (SOFTWARE, 3_600_000_000));
}

#[test]
fn what_is_admitted_counts_no_longer_than_the_first_credential_that_ends() {
    let ends = |holder: Holder, seconds: u64| {
        let mut rules = rules_with(&holder);
        let who = rules.admit(&present(&helper()), &exporter(), SESSION, NOW_S + 100).unwrap();
        assert_eq!(who.valid_us, seconds * 1_000_000);
        let whom = rules.check_sharer(&present(&holder), &exporter(), SESSION, NOW_S + 100);
        whom.unwrap().valid_us / 1_000_000
    };
    let shorter = |seconds| {
        let mut claims = device_claims();
        claims.validity.expires_s = NOW_S + seconds;
        Holder::sharer(certified(&claims), key(2), None, SOFTWARE).unwrap()
    };
    assert_eq!(ends(sharer(), 3_500), 86_300);
    assert_eq!(ends(shorter(700), 600), 600);
    let mut claims = grace();
    claims.validity.expires_s = NOW_S + 300;
    let person = Some((granted(&claims), key(4)));
    let holder = Holder::sharer(certified(&device_claims()), key(2), person, SOFTWARE).unwrap();
    assert_eq!(ends(holder, 200), 200);
    // Within the skew of clocks a grant is accepted, and is worth nothing any more.
    let who = rules().admit(&present(&helper()), &exporter(), SESSION, NOW_S + 3_630).unwrap();
    assert_eq!(who.valid_us, 0);
}

#[test]
fn the_same_on_another_connection_or_out_of_scope_ends_the_session() {
    let mut cases = Cases::of("scope and connection, by the session");
    let mut ends = |claims: &GrantClaims, reason| {
        let who = admit(&present(&helper_by(claims, key(3)))).unwrap();
        assert_eq!(authorised(who).end_reason(), Some(reason));
        cases.count += 1;
    };
    let device = |name: &str| crate::DeviceId::new(name).unwrap();
    for scope in [
        Scope::Groups(groups(&["x"])),
        Scope::Groups(groups(&["Berlin"])),
        Scope::Groups(groups(&["laptop-7"])),
        Scope::Devices(vec![device("laptop-70")]),
        Scope::Devices(vec![device("berlin")]),
        Scope::Devices(vec![device("laptop-6"), device("laptop-8")]),
    ] {
        ends(&GrantClaims { scope, ..grant_claims() }, EndReason::OutOfScope);
    }
    for permissions in [
        Permissions::of(&[crate::Permission::ViewScreen]),
        Permissions::of(&[crate::Permission::OfferRemoteAssistance]),
        Permissions::of(&crate::Permission::ALL[1..]),
    ] {
        let claims = GrantClaims { permissions, ..grant_claims() };
        let who = admit(&present(&helper_by(&claims, key(3)))).unwrap();
        assert_eq!(who.permissions.capabilities(), Capabilities::NONE);
    }
    let mut who = admit(&present(&helper())).unwrap();
    who.connection = ConnectionId::of(&Exporter::new([7; 32]).unwrap());
    assert_eq!(authorised(who).end_reason(), Some(EndReason::WrongConnection));
    cases.count += 1;
}

#[test]
fn the_helpers_machine_keeps_the_tenants_settings_too() {
    let mut cases = Cases::of("settings, on the helper's machine");
    let mut claims = device_claims();
    claims.device.enrolled = false;
    let unmanaged = Holder::sharer(certified(&claims), key(2), None, SOFTWARE).unwrap();
    let defaults = TenantSettings::default();
    for (settings, holder, reason) in [
        (TenantSettings { enabled: false, ..defaults }, sharer(), EndReason::TenantDisabled),
        (
            TenantSettings { minimum_version: Version(1, 2, 4), ..defaults },
            sharer(),
            EndReason::VersionTooOld,
        ),
        (defaults, unmanaged.clone(), EndReason::NotEnrolled),
    ] {
        let mut rules = Rules::new(trust(&[]), settings);
        assert_eq!(*rules.settings(), settings);
        let verdict = rules.check_sharer(&present(&holder), &exporter(), SESSION, NOW_S);
        let error = AdmissionError::Settings(reason);
        assert_eq!(error.end_reason(), reason);
        cases.refused(verdict, error);
    }
    let settings = TenantSettings { unenrolled_allowed: true, ..defaults };
    let mut rules = Rules::new(trust(&[]), settings);
    assert!(rules.check_sharer(&present(&unmanaged), &exporter(), SESSION, NOW_S).is_ok());
}

#[test]
fn a_connection_is_named_by_its_exporter_which_the_name_does_not_tell() {
    let id = ConnectionId::of(&exporter());
    assert_ne!(id.0, [6; 32]);
    for bit in 0..256 {
        let mut bytes = [6; 32];
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(ConnectionId::of(&Exporter::new(bytes).unwrap()), id);
    }
}
