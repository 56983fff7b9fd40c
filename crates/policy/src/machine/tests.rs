//! Every situation a session can be in, every event that can meet it, and what must hold then.

mod invariants;
mod properties;
mod running;
mod table;

use super::*;
use crate::example::{INVITATION, active, allow, follow, idle, opening, requested, setup, who};
use crate::{Answer, Mode, Permissions, Posture, Rights};
use crate::{Capability, ConnectionId};

/// Every state, where it makes a difference in more than one way.
fn situations() -> Vec<(&'static str, Machine)> {
    let opening_to = |count: usize| follow(&idle(), &opening(Mode::Control)[..count], 0);
    let more = |mode, wanted| follow(&active(mode, 0), &[Event::MoreRequested(wanted)], 0);
    let warned = follow(
        &opening_to(2),
        &[Event::Authenticated(Arc::new(not_compliant())), Event::Authorise(Capabilities::ALL)],
        0,
    );
    let control = active(Mode::Control, 0);
    let held = follow(&control, &[Event::Suspend(Side::Sharer)], 0);
    let unshown = follow(&opening_to(6), &[allow(1, Mode::Control)], 0);
    let extras = Rights::with(Mode::Elevated, Capabilities::ALL);
    let asked = follow(&control, &[Event::IndicatorAck], 2_900_000);
    let asked = follow(&asked, &[Event::Tick], 5_000_000);
    let ending = follow(&control, &[Event::SharerEnded], 0);
    vec![
        ("idle", idle()),
        ("requested", opening_to(1)),
        ("paired", opening_to(2)),
        ("authenticated", opening_to(3)),
        ("authorised", opening_to(4)),
        ("authorised, to be warned", warned),
        ("compliance-shown", opening_to(5)),
        ("consent-pending", opening_to(6)),
        ("active-view", active(Mode::View, 0)),
        ("active-view, asking for control", more(Mode::View, Rights::of(Mode::Control))),
        ("active-control", control.clone()),
        ("active-control, asking for all", more(Mode::Control, extras)),
        ("active-control, prompt open", follow(&control, &[Event::PromptOpened], 0)),
        ("active-control, lease asked for", asked),
        ("active-elevated with all", active(extras, 0)),
        ("active-unattended", active(Mode::Unattended, 0)),
        ("suspended until indicated", unshown),
        ("suspended by the sharer", held.clone()),
        ("suspended by both", follow(&held, &[Event::Suspend(Side::Helper)], 0)),
        ("ending", ending.clone()),
        ("ended", follow(&ending, &[Event::Closed], 0)),
    ]
}

fn not_compliant() -> Authentication {
    let mut who = who();
    who.device.posture = Posture::NotCompliant;
    who
}

/// Every event, with every argument that makes a difference.
fn events() -> Vec<(&'static str, Event)> {
    let id = RequestId;
    let view = Capabilities::of(&[Capability::View]);
    let elsewhere = Authentication { connection: ConnectionId([4; 32]), ..who() };
    let few = Authentication { permissions: Permissions::view_only(), ..who() };
    let deny = |question| Event::Answered(id(question), Answer::Deny);
    let elevated = Rights::with(Mode::Elevated, Capabilities::ALL);
    let for_a_while = Answer::AllowFor(Rights::of(Mode::Control), 1_000_000);
    vec![
        ("Requested(control)", requested(Mode::Control)),
        ("Paired", Event::Paired),
        ("PairingFailed", Event::PairingFailed),
        ("NotAdmitted(expired)", Event::NotAdmitted(EndReason::Expired)),
        ("Authenticated", Event::Authenticated(Arc::new(who()))),
        ("Authenticated(elsewhere)", Event::Authenticated(Arc::new(elsewhere))),
        ("Authenticated(view only)", Event::Authenticated(Arc::new(few))),
        ("Authorise(all)", Event::Authorise(Capabilities::ALL)),
        ("Authorise(view)", Event::Authorise(view)),
        ("ComplianceSeen(sharer)", Event::ComplianceSeen(Side::Sharer)),
        ("ComplianceSeen(helper)", Event::ComplianceSeen(Side::Helper)),
        ("Ask", Event::Ask),
        ("Answered(1, view)", allow(1, Mode::View)),
        ("Answered(1, control)", allow(1, Mode::Control)),
        ("Answered(1, control for 1 s)", Event::Answered(id(1), for_a_while)),
        ("Answered(1, no)", deny(1)),
        ("Answered(2, view)", allow(2, Mode::View)),
        ("Answered(2, control)", allow(2, Mode::Control)),
        ("Answered(2, elevated with all)", allow(2, elevated)),
        ("Answered(2, control for 1 s)", Event::Answered(id(2), for_a_while)),
        ("Answered(2, no)", deny(2)),
        ("Answered(3, elevated with all)", allow(3, elevated)),
        ("IndicatorAck", Event::IndicatorAck),
        ("MoreRequested(view)", Event::MoreRequested(Rights::of(Mode::View))),
        ("MoreRequested(control)", Event::MoreRequested(Rights::of(Mode::Control))),
        ("MoreRequested(elevated with all)", Event::MoreRequested(elevated)),
        ("MoreRequested(unattended)", Event::MoreRequested(Rights::of(Mode::Unattended))),
        ("Lowered(sharer, view)", Event::Lowered(Side::Sharer, Rights::of(Mode::View))),
        ("Lowered(helper, control)", Event::Lowered(Side::Helper, Rights::of(Mode::Control))),
        ("Suspend(sharer)", Event::Suspend(Side::Sharer)),
        ("Suspend(helper)", Event::Suspend(Side::Helper)),
        ("Resume(sharer)", Event::Resume(Side::Sharer)),
        ("Resume(helper)", Event::Resume(Side::Helper)),
        ("PromptOpened", Event::PromptOpened),
        ("PromptClosed", Event::PromptClosed),
        ("LeaseRenewed(1, all)", Event::LeaseRenewed(LeaseId(1), Capabilities::ALL)),
        ("LeaseRenewed(1, view)", Event::LeaseRenewed(LeaseId(1), view)),
        ("LeaseRenewed(1, none)", Event::LeaseRenewed(LeaseId(1), Capabilities::NONE)),
        ("LeaseRenewed(0, all)", Event::LeaseRenewed(LeaseId(0), Capabilities::ALL)),
        ("Narrowed(local, view)", Event::Narrowed(Source::Local, view)),
        ("Narrowed(tenant, none)", Event::Narrowed(Source::Tenant, Capabilities::NONE)),
        ("Narrowed(grant, all)", Event::Narrowed(Source::Grant, Capabilities::ALL)),
        ("Narrowed(consent, none)", Event::Narrowed(Source::Consent, Capabilities::NONE)),
        ("Narrowed(lease, none)", Event::Narrowed(Source::Lease, Capabilities::NONE)),
        ("Used(view)", Event::Used(view)),
        ("Used(none)", Event::Used(Capabilities::NONE)),
        ("Revoked", Event::Revoked),
        ("SharerEnded", Event::SharerEnded),
        ("HelperEnded", Event::HelperEnded),
        ("ConnectionLost", Event::ConnectionLost),
        ("Failed", Event::Failed),
        ("AuditFailed", Event::AuditFailed),
        ("Closed", Event::Closed),
        ("Tick", Event::Tick),
    ]
}

/// Whether these facts tell of consent, or of what stands in its place.
fn tell_of_consent(audit: &[AuditEvent]) -> bool {
    let consent = |entry: &AuditEvent| {
        matches!(
            entry.fact,
            Fact::Allowed { .. } | Fact::ConsentInAdvance { .. } | Fact::UnattendedGrant { .. }
        )
    };
    audit.iter().any(consent)
}

/// The rights as a set: nothing without any.
fn held(machine: &Machine) -> Capabilities {
    machine.rights.map_or(Capabilities::NONE, Rights::capabilities)
}

/// Walks through everything that can happen, so many that what is rare happens too. Always the
/// same.
fn walks(mut check: impl FnMut(&Machine, &Event, &Step)) {
    let (situations, events) = (situations(), events());
    let mut state = 1_u64;
    // Knuth's linear congruential generator (MMIX); its high bits are random enough.
    let mut pick = |count: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % count
    };
    for _ in 0..3_000 {
        let mut machine = situations[pick(situations.len())].1.clone();
        let mut now_us = machine.now_us;
        for _ in 0..24 {
            // Long pauses end every session, so they are rare.
            let pauses_us = [0, 1, 500_000, 1_000_000, 2_999_999, 9_000_000, 60_000_000];
            now_us += pauses_us[pick(pauses_us.len()).min(pick(pauses_us.len())).min(pick(4))];
            let event = match (pick(6), machine.question()) {
                (0, Some(question)) => allow(question.0, Mode::Elevated),
                (1, _) => Event::IndicatorAck,
                (2, _) => Event::LeaseRenewed(machine.lease, Capabilities::ALL),
                _ => events[pick(events.len())].1.clone(),
            };
            let next = step(&machine, &event, now_us);
            check(&machine, &event, &next);
            machine = next.machine;
        }
    }
}
