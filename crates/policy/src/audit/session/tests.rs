use super::*;
use crate::audit::{Chain, MAX_FRAME_BYTES, Record, Signer};
use crate::example::{INVITATION, S, who};
use crate::{
    Capability, Device, DeviceId, MAX_ID_BYTES, Mode, Peer, Person, RequestId, SessionId, Source,
    State, SubjectId, TenantId,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

const NOW_US: u64 = 1_800_000_000_000_000;

/// Which kind of fact it is: a new one has to be added here and to [`facts`].
fn kind(fact: &Fact) -> usize {
    match fact {
        Fact::Moved { .. } => 0,
        Fact::Requested { .. } => 1,
        Fact::ComplianceSeen { .. } => 2,
        Fact::Asked { .. } => 3,
        Fact::Allowed { .. } => 4,
        Fact::Denied { .. } => 5,
        Fact::Unanswered { .. } => 6,
        Fact::Withdrawn { .. } => 7,
        Fact::ConsentInAdvance { .. } => 8,
        Fact::UnattendedGrant { .. } => 9,
        Fact::RightsChanged { .. } => 10,
        Fact::Refused { .. } => 11,
        Fact::Lowered { .. } => 12,
        Fact::Elevation { .. } => 13,
        Fact::Held { .. } => 14,
        Fact::Released { .. } => 15,
        Fact::IndicatorShown => 16,
        Fact::Prompt { .. } => 17,
        Fact::Limited { .. } => 18,
        Fact::Used { .. } => 19,
        Fact::Ended { .. } => 20,
    }
}
const KINDS: usize = 21;

/// Every kind of fact, with arguments that differ.
fn facts() -> Vec<Fact> {
    let mut facts = vec![
        Fact::ConsentInAdvance { invitation: INVITATION },
        Fact::ConsentInAdvance { invitation: [2; 16] },
        Fact::UnattendedGrant { id: [9; 16] },
        Fact::UnattendedGrant { id: INVITATION },
        Fact::IndicatorShown,
    ];
    for yes in [false, true] {
        facts.extend([Fact::Elevation { began: yes }, Fact::Prompt { opened: yes }]);
    }
    for by in Side::ALL {
        facts.extend([Fact::Lowered { by }, Fact::Held { by }, Fact::Released { by }]);
        for posture in [Posture::Compliant, Posture::NotCompliant, Posture::Unknown] {
            facts.push(Fact::ComplianceSeen { by, posture });
        }
    }
    for request in [RequestId(1), RequestId(u64::MAX)] {
        facts.extend([Fact::Denied { request }, Fact::Unanswered { request }]);
        facts.push(Fact::Withdrawn { request });
    }
    let extras = [Capabilities::NONE, Capabilities::TRANSFERS, Capabilities::ALL];
    let rights = Mode::ALL.into_iter().flat_map(|mode| extras.map(|set| Rights::with(mode, set)));
    let rights: BTreeSet<_> =
        rights.map(|of| (of.mode().name(), of.capabilities().bits())).collect();
    let rights = rights.iter().map(|(name, bits)| {
        let mode = Mode::ALL.into_iter().find(|mode| mode.name() == *name).unwrap();
        Rights::with(mode, Capabilities::from_bits(*bits))
    });
    facts.extend(rights.flat_map(about));
    facts.push(Fact::RightsChanged { from: None, to: None });
    for source in Source::ALL {
        facts.push(Fact::Limited { source, to: Capabilities::NONE });
        facts.push(Fact::Limited { source, to: Capabilities::ALL });
    }
    facts.extend(Capability::ALL.map(|capability| Fact::Used { capability }));
    for reason in EndReason::ALL {
        facts.push(Fact::Ended { reason, lasted_us: S, used: Capabilities::NONE });
        facts.push(Fact::Ended { reason, lasted_us: S, used: Capabilities::ALL });
        facts.push(Fact::Ended { reason, lasted_us: 2 * S, used: Capabilities::ALL });
        facts.push(Fact::Moved { from: State::Ending, to: State::Ended(reason) });
    }
    facts.push(Fact::Moved { from: State::Idle, to: State::Requested });
    facts.push(Fact::Moved { from: State::Requested, to: State::Idle });
    facts
}

/// Every fact that tells of rights.
fn about(rights: Rights) -> Vec<Fact> {
    let (request, view) = (RequestId(1), Some(Rights::of(Mode::View)));
    let mut facts = vec![
        Fact::Requested { invitation: INVITATION, rights },
        Fact::Requested { invitation: [2; 16], rights },
        Fact::Asked { request, rights },
        Fact::Allowed { request, rights, span_us: None },
        Fact::Allowed { request, rights, span_us: Some(S) },
        Fact::RightsChanged { from: None, to: Some(rights) },
        Fact::RightsChanged { from: Some(rights), to: None },
        Fact::Refused { rights },
    ];
    if view != Some(rights) {
        facts.push(Fact::RightsChanged { from: view, to: Some(rights) });
    }
    facts
}

fn event(who: Option<Authentication>, fact: Fact) -> AuditEvent {
    AuditEvent { session: SessionId([7; 16]), at_us: 3 * S, who: who.map(Arc::new), fact }
}

/// The bytes of its record, from which it comes back.
fn bytes(entry: &Entry) -> Vec<u8> {
    let chain = Chain::begin(Signer::from_seed(&[1; 32]).unwrap());
    let frame = chain.prepare(entry).bytes().to_vec();
    assert!(frame.len() <= MAX_FRAME_BYTES, "{} bytes", frame.len());
    let record = Record::from_bytes(&frame[crate::audit::HEADER_BYTES..]).unwrap();
    assert_eq!(record.entry, *entry);
    frame
}

#[test]
fn every_fact_has_an_entry_of_its_own() {
    let facts = facts();
    let kinds: BTreeSet<usize> = facts.iter().map(kind).collect();
    assert_eq!(kinds, (0..KINDS).collect());
    for who in [None, Some(who())] {
        let records: BTreeSet<_> = facts
            .iter()
            .map(|fact| bytes(&Entry::of_session(&event(who.clone(), *fact), NOW_US)))
            .collect();
        assert_eq!(records.len(), facts.len());
    }
}

#[test]
fn entries_of_a_session_say_who_whom_and_on_which_device() {
    for fact in facts() {
        let entry = Entry::of_session(&event(Some(who()), fact), NOW_US);
        assert_eq!((entry.time_us, entry.session), (NOW_US, Some([7; 16])));
        let target = entry.target.unwrap();
        let parties = [&entry.actor, &target];
        let device = entry.device.unwrap();
        assert_eq!((device.role, device.subject.as_str()), (Role::Device, "laptop"));
        let expected = |role| match role {
            Role::Helper => ("contoso", "ada", "Ada"),
            Role::Sharer => ("contoso", "grace", ""),
            _ => ("", "", "farpane"),
        };
        for party in parties {
            let is = (party.tenant.as_str(), party.subject.as_str(), party.name.as_str());
            assert_eq!(is, expected(party.role), "{fact:?}");
        }
        assert_ne!(entry.actor.role, target.role, "{fact:?}");
        assert!(parties.iter().any(|party| [Role::Helper, Role::Sharer].contains(&party.role)));
    }
}

#[test]
fn who_has_not_proved_anything_has_no_name() {
    let rights = Rights::of(Mode::View);
    let requested = Fact::Requested { invitation: INVITATION, rights };
    let entry = Entry::of_session(&event(None, requested), NOW_US);
    assert_eq!(entry.actor, Party::unknown(Role::Helper));
    assert_eq!(entry.target, Some(Party::unknown(Role::Sharer)));
    assert_eq!((entry.device, entry.outcome), (None, Outcome::Success));
}

#[test]
fn actors_and_outcomes_are_those_of_the_session() {
    let of = |fact| {
        let entry = Entry::of_session(&event(Some(who()), fact), NOW_US);
        (entry.actor.role, entry.action.code(), entry.outcome)
    };
    let request = RequestId(1);
    let used = Capabilities::NONE;
    let ended = |reason| of(Fact::Ended { reason, lasted_us: S, used });
    let is = (Role::Sharer, "consent.denied", Outcome::Denied);
    assert_eq!(of(Fact::Denied { request }), is);
    let is = (Role::System, "consent.timed-out", Outcome::Denied);
    assert_eq!(of(Fact::Unanswered { request }), is);
    let is = (Role::Helper, "session.held", Outcome::Success);
    assert_eq!(of(Fact::Held { by: Side::Helper }), is);
    let is = (Role::Sharer, "rights.lowered", Outcome::Success);
    assert_eq!(of(Fact::Lowered { by: Side::Sharer }), is);
    let is = (Role::Helper, "elevation.begun", Outcome::Success);
    assert_eq!(of(Fact::Elevation { began: true }), is);
    let end = |role, outcome| (role, "session.ended", outcome);
    assert_eq!(ended(EndReason::SharerEnded), end(Role::Sharer, Outcome::Success));
    assert_eq!(ended(EndReason::HelperEnded), end(Role::Helper, Outcome::Success));
    assert_eq!(ended(EndReason::ConsentDenied), end(Role::Sharer, Outcome::Denied));
    assert_eq!(ended(EndReason::DifferentTenant), end(Role::System, Outcome::Denied));
    assert_eq!(ended(EndReason::LeaseLost), end(Role::System, Outcome::Failure));
}

#[test]
fn what_a_helper_learns_has_entries_of_its_own() {
    let (view, control) = (Rights::of(Mode::View), Rights::of(Mode::Control));
    let mut learned = vec![
        Learned::Requested { invitation: INVITATION, rights: view },
        Learned::ComplianceSeen { posture: Posture::NotCompliant },
        Learned::Asked { rights: control },
        Learned::Granted { from: None, to: view },
        Learned::Granted { from: Some(view), to: control },
        Learned::Refused { rights: control },
        Learned::Lowered,
        Learned::Held,
        Learned::Released,
        Learned::Suspended,
        Learned::Resumed,
    ];
    let used = Capabilities::of(&[Capability::View]);
    learned.extend(EndReason::ALL.map(|reason| Learned::Ended { reason, lasted_us: S, used }));
    let (helper, sharer) = (
        Party::person(Role::Helper, &who().helper, "Ada"),
        Party::claimed(Role::Sharer, "Gr\u{e9}"),
    );
    let parties = Parties { helper: helper.clone(), sharer: sharer.clone(), device: None };
    let entry = |learned| Entry::of_helper([7; 16], &parties, learned, NOW_US);
    let records: BTreeSet<_> = learned.iter().map(|learned| bytes(&entry(learned))).collect();
    assert_eq!(records.len(), learned.len());
    let refused = entry(&learned[5]);
    assert_eq!((refused.actor, refused.target), (sharer.clone(), Some(helper.clone())));
    assert_eq!((refused.action.code(), refused.outcome), ("rights.refused", Outcome::Denied));
    let requested = entry(&learned[0]);
    assert_eq!((requested.actor, requested.target), (helper, Some(sharer)));
}

/// The helper's two texts as long as they may be, and ids of all visible characters.
fn names() -> impl Strategy<Value = Authentication> {
    let id = || prop::collection::vec(b'!'..=b'~', 1..=MAX_ID_BYTES);
    let (tenant, name) = ("[a-z0-9-]{1,64}", r"\PC{1,64}");
    (tenant, id(), id(), id(), name).prop_map(|(tenant, helper, sharer, device, name)| {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let tenant = TenantId::new(&tenant).unwrap();
        let person =
            |id| Person { tenant: tenant.clone(), subject: SubjectId::new(&text(id)).unwrap() };
        let (helper, sharer) = (person(helper), person(sharer));
        let id = DeviceId::new(&text(device)).unwrap();
        let device = Device { tenant, id, ..who().device };
        let peer = Peer::new(&name, "12ab").unwrap_or(who().peer);
        Authentication { helper, sharer, device, peer, ..who() }
    })
}

proptest! {
    #[test]
    fn whatever_people_are_called_their_entries_are_kept(
        who in names(), at in any::<prop::sample::Index>(), time_us in any::<u64>(),
    ) {
        let facts = facts();
        let fact = facts[at.index(facts.len())];
        let entry = Entry::of_session(&event(Some(who.clone()), fact), time_us);
        bytes(&entry);
        // Ids are kept as they are.
        let device = entry.device.unwrap();
        prop_assert_eq!(device.subject.as_str(), who.device.id.as_str());
        prop_assert_eq!(device.tenant.as_str(), who.device.tenant.as_str());
        for party in [entry.actor, entry.target.unwrap()] {
            match party.role {
                Role::Helper => {
                    prop_assert_eq!(party.subject.as_str(), who.helper.subject.as_str());
                }
                Role::Sharer => {
                    prop_assert_eq!(party.subject.as_str(), who.sharer.subject.as_str());
                }
                _ => prop_assert_eq!(party, Party::system()),
            }
        }
    }

    #[test]
    fn whatever_a_peer_says_to_be_called_its_entries_are_kept(
        name in ".{0,400}", bidirectional in "[\u{200e}\u{202e}\\\\\n]{0,200}",
    ) {
        let [helper, sharer] = [Role::Helper, Role::Sharer];
        let parties = Parties {
            helper: Party::claimed(helper, &name),
            sharer: Party::claimed(sharer, &bidirectional),
            device: Some(Party::claimed(Role::Device, &name)),
        };
        bytes(&Entry::of_helper([7; 16], &parties, &Learned::Suspended, NOW_US));
    }
}
