//! What a session does between consent and end, told as stories.

use super::*;
use crate::example::{S, kept_alive};
use crate::{AdvanceConsent, MAX_ASKS, Notice};

fn more(mode: Mode) -> Event {
    Event::MoreRequested(Rights::of(mode))
}

fn allow_for(question: u64, mode: Mode, span_us: u64) -> Event {
    Event::Answered(RequestId(question), Answer::AllowFor(Rights::of(mode), span_us))
}

#[test]
fn the_sharer_may_grant_less_than_asked_and_never_more() {
    let modes = [Mode::View, Mode::Control, Mode::Elevated];
    for (asked, answered) in (0..3).flat_map(|asked| (0..3).map(move |answered| (asked, answered)))
    {
        let mut events = opening(modes[asked]);
        events.push(allow(1, modes[answered]));
        let machine = follow(&idle(), &events, 0);
        let granted = machine.rights.unwrap();
        assert_eq!(granted, Rights::of(modes[asked.min(answered)]));
    }
}

#[test]
fn what_others_forbid_is_not_even_asked_about() {
    let local = Capabilities::ALL.without(Capabilities::of(&[Capability::FileIn]));
    let machine = Machine::new(Arc::new(Setup { local, ..setup() }), 0);
    let all = Rights::with(Mode::Control, Capabilities::ALL);
    let last = opening(all)
        .into_iter()
        .fold(step(&machine, &Event::Tick, 0), |last, event| step(&last.machine, &event, 0));
    let [Effect::AskSharer(question)] = &last.effects[..] else { panic!("{:?}", last.effects) };
    let asked = question.rights.capabilities();
    assert_eq!(all.capabilities().without(asked), Capabilities::of(&[Capability::FileIn]));
    assert_eq!(question.peer, who().peer);
    assert_eq!((question.posture, question.invitation), (Posture::Compliant, INVITATION));
    assert!(!question.recording_allowed);
}

#[test]
fn a_helper_without_permission_ends_before_the_sharer_is_bothered() {
    let few = Authentication { permissions: Permissions::view_only(), ..who() };
    let mut events = opening(Mode::Control);
    events[2] = Event::Authenticated(Arc::new(few));
    let machine = follow(&idle(), &events[..4], 0);
    assert_eq!(machine.reason, Some(EndReason::NotPermitted));
    let machine = follow(&idle(), &opening(Mode::Control)[..5], 0);
    let view = Capabilities::of(&[Capability::View]);
    let machine = follow(&machine, &[Event::Narrowed(Source::Local, view), Event::Ask], 0);
    assert_eq!(machine.reason, Some(EndReason::NotPermitted), "it changed in between");
}

#[test]
fn control_is_never_granted_in_advance() {
    let advance = Some(AdvanceConsent::view_only(INVITATION, u64::MAX));
    let machine = Machine::new(Arc::new(Setup { advance, ..setup() }), 0);
    let sound = Capabilities::of(&[Capability::Audio]);
    for rights in [Rights::of(Mode::Control), Rights::with(Mode::View, sound)] {
        assert_eq!(follow(&machine, &opening(rights), 0).state, State::ConsentPending);
    }
    assert_eq!(follow(&machine, &opening(Mode::View), 0).state, State::Suspended);
}

#[test]
fn what_is_allowed_for_a_while_returns_to_what_was_before() {
    let machine = follow(&active(Mode::View, 0), &[more(Mode::Control)], 0);
    let machine = follow(&machine, &[allow_for(2, Mode::Control, 5 * S)], S);
    assert_eq!(machine.state, State::ActiveControl);
    let machine = kept_alive(&machine, 1, 5);
    assert_eq!(step(&machine, &Event::Tick, 6 * S - 1).machine.state, State::ActiveControl);
    let back = step(&machine, &Event::Tick, 6 * S);
    assert_eq!(back.machine.state, State::ActiveView);
    assert_eq!(back.machine.rights, Some(Rights::of(Mode::View)));
    assert!(back.effects.contains(&Effect::StopInput));
    let told = Effect::TellHelper(Notice::Granted(Rights::of(Mode::View)));
    assert!(back.effects.contains(&told));
    // More for a while, on top of it, returns to the same.
    let machine = follow(&machine, &[more(Mode::Elevated), allow_for(3, Mode::Elevated, S)], 5 * S);
    let back = step(&machine, &Event::Tick, 6 * S).machine;
    assert_eq!(back.state, State::ActiveView);
}

#[test]
fn an_answer_without_a_time_lifts_the_one_before() {
    let machine = follow(&active(Mode::View, 0), &[more(Mode::Control)], 0);
    let machine = follow(&machine, &[allow_for(2, Mode::Control, 2 * S)], 0);
    let machine = follow(&machine, &[more(Mode::Elevated), allow(3, Mode::Elevated)], 0);
    let machine = kept_alive(&machine, 0, 9);
    assert_eq!(machine.state, State::ActiveElevated);
}

#[test]
fn a_denial_of_more_leaves_what_there_is() {
    let machine = follow(&active(Mode::View, 0), &[more(Mode::Control)], 0);
    let denied = step(&machine, &Event::Answered(RequestId(2), Answer::Deny), 0);
    assert_eq!(denied.machine.state, State::ActiveView);
    let told = [Effect::WithdrawQuestion(RequestId(2)), Effect::TellHelper(Notice::Refused)];
    assert_eq!(denied.effects, told);
    assert!(denied.machine.open().input.is_some(), "the pointer is back");
}

#[test]
fn an_answer_to_more_with_less_gives_less() {
    let machine = follow(&active(Mode::Control, 0), &[more(Mode::Elevated)], 0);
    let machine = follow(&machine, &[allow(2, Mode::View)], 0);
    assert_eq!((machine.state, machine.rights), (State::ActiveView, Some(Rights::of(Mode::View))));
}

#[test]
fn one_question_at_a_time_and_not_for_ever() {
    let mut machine = active(Mode::View, 0);
    let asking = follow(&machine, &[more(Mode::Control)], 0);
    let second = step(&asking, &more(Mode::Control), 0);
    assert_eq!(second.effects, [Effect::TellHelper(Notice::Refused)]);
    assert_eq!(second.machine.question(), Some(RequestId(2)));
    for question in 2..=MAX_ASKS {
        machine = follow(&machine, &[more(Mode::Control)], 0);
        let deny = Event::Answered(RequestId(question), Answer::Deny);
        machine = follow(&machine, &[deny], 0);
    }
    let last = step(&machine, &more(Mode::Control), 0);
    assert_eq!(last.effects, [Effect::TellHelper(Notice::Refused)]);
    assert_eq!(last.machine.question(), None);
}

#[test]
fn somebody_who_comes_to_an_unattended_machine_may_allow_more() {
    let machine = follow(&active(Mode::Unattended, 0), &[more(Mode::Control)], 0);
    assert_eq!(machine.state, State::ActiveUnattended);
    let machine = follow(&machine, &[allow(1, Mode::Control)], 0);
    assert_eq!(machine.state, State::ActiveControl);
    let back = step(&machine, &more(Mode::Unattended), 0);
    assert_eq!(back.effects, [Effect::TellHelper(Notice::Refused)]);
}

#[test]
fn a_session_that_is_held_goes_on_when_nobody_holds_it_any_more() {
    use Side::{Helper, Sharer};
    let machine = active(Mode::Control, 0);
    let machine = follow(&machine, &[Event::Suspend(Sharer), Event::Suspend(Helper)], 0);
    let machine = follow(&machine, &[Event::Resume(Sharer)], 0);
    assert_eq!(machine.state, State::Suspended);
    assert!(!machine.awaits_indicator());
    let machine = follow(&machine, &[Event::Resume(Helper)], 0);
    assert_eq!(machine.state, State::ActiveControl);
    assert_eq!(machine.open().capture, Some(2), "what was captured before is of another epoch");
    assert_eq!(machine.deadlines.suspended_us, None);
}

#[test]
fn what_is_held_too_long_ends() {
    let mut machine = follow(&active(Mode::View, 0), &[Event::Suspend(Side::Sharer)], 0);
    machine = kept_alive(&machine, 0, 599);
    assert_eq!(machine.state, State::Suspended);
    assert_eq!(kept_alive(&machine, 599, 600).reason, Some(EndReason::Expired));
}

#[test]
fn a_session_lasts_as_long_as_its_grant_and_no_longer_than_its_limit() {
    let grant = |valid_us| Event::Authenticated(Arc::new(Authentication { valid_us, ..who() }));
    let machine = follow(&idle(), &[requested(Mode::View), Event::Paired], 0);
    let short = follow(&machine, &[grant(2 * S)], S);
    assert_eq!(short.next_deadline_us(), Some(3 * S));
    assert_eq!(step(&short, &Event::Tick, 3 * S).machine.reason, Some(EndReason::Expired));
    let long = follow(&machine, &[grant(u64::MAX)], S);
    assert_eq!(long.deadlines.session_us, Some(8 * 3600 * S));
}

#[test]
fn what_takes_too_long_to_begin_ends() {
    let machine = follow(&idle(), &[requested(Mode::View)], 5 * S);
    assert_eq!(machine.next_deadline_us(), Some(605 * S));
    let late = step(&machine, &Event::Paired, 605 * S).machine;
    assert_eq!(late.reason, Some(EndReason::SetupTimeout));
    assert_eq!(idle().next_deadline_us(), None, "nobody has asked for anything");
}

#[test]
fn of_two_deadlines_the_earlier_is_the_reason() {
    let machine = kept_alive(&active(Mode::View, 0), 0, 1);
    let machine = (2..10)
        .fold(machine, |machine, second| step(&machine, &Event::IndicatorAck, second * S).machine);
    let lost = step(&machine, &Event::Tick, 100 * S).machine;
    assert_eq!(lost.reason, Some(EndReason::LeaseLost), "10 s is before 12 s");
    let machine = active(Mode::View, 0);
    let lost = step(&machine, &Event::Tick, 100 * S).machine;
    assert_eq!(lost.reason, Some(EndReason::IndicatorLost), "3 s is before 10 s");
}

#[test]
fn a_renewal_counts_from_when_it_was_asked_for_and_once() {
    let machine = kept_alive(&active(Mode::View, 0), 0, 4);
    let asked = step(&machine, &Event::Tick, 5 * S);
    assert_eq!(asked.effects, [Effect::RenewLease(LeaseId(1))]);
    assert!(asked.audit.is_empty());
    let asked = step(&asked.machine, &Event::IndicatorAck, 6 * S).machine;
    let renewal = Event::LeaseRenewed(LeaseId(1), Capabilities::ALL);
    let renewed = follow(&asked, std::slice::from_ref(&renewal), 8 * S);
    assert_eq!(renewed.deadlines.lease_us, Some(15 * S), "not 18 s");
    assert!(!step(&renewed, &renewal, 8 * S).accepted, "it was used");
    let again = step(&asked, &Event::IndicatorAck, 8 * S).machine;
    let again = step(&again, &Event::Tick, 10 * S - 1).machine;
    assert_eq!(again.renewal(), Some(LeaseId(1)));
    let early = Event::LeaseRenewed(LeaseId(2), Capabilities::ALL);
    assert!(!step(&again, &early, 10 * S - 1).accepted, "nobody has asked for it");
    let lost = step(&again, &renewal, 10 * S).machine;
    assert_eq!(lost.reason, Some(EndReason::LeaseLost));
}

#[test]
fn a_renewal_that_is_answered_after_the_next_was_asked_for_is_none() {
    let limits = crate::SessionLimits { indicator_us: u64::MAX, ..Default::default() };
    let machine = Machine::new(Arc::new(Setup { limits, ..setup() }), 0);
    let mut events = opening(Mode::View);
    events.extend([allow(1, Mode::View), Event::IndicatorAck]);
    let machine = follow(&machine, &events, 0);
    let machine = follow(&machine, &[Event::Tick], 5 * S);
    let first = Event::LeaseRenewed(LeaseId(1), Capabilities::ALL);
    let machine = follow(&machine, std::slice::from_ref(&first), 5 * S);
    let machine = follow(&machine, &[Event::Tick], 10 * S);
    assert_eq!(machine.renewal(), Some(LeaseId(2)));
    assert!(!step(&machine, &first, 10 * S).accepted);
    assert_eq!(step(&machine, &first, 15 * S).machine.reason, Some(EndReason::LeaseLost));
}

#[test]
fn a_log_that_fails_is_the_reason_whatever_else_is_due() {
    let failed = step(&active(Mode::View, 0), &Event::AuditFailed, 100 * S).machine;
    assert_eq!(failed.reason, Some(EndReason::AuditFailed));
    assert_eq!(failed.state, State::Ending, "it is not an end that was written down before");
}

#[test]
fn an_event_that_comes_when_something_is_due_is_accepted_with_it() {
    let machine = kept_alive(&active(Mode::View, 0), 0, 4);
    let both = step(&machine, &Event::IndicatorAck, 5 * S);
    assert_eq!(both.effects, [Effect::RenewLease(LeaseId(1))]);
    assert_eq!(both.machine.deadlines.indicator_us, Some(8 * S));
    assert!(both.accepted);
    assert!(!step(&both.machine, &Event::Tick, 5 * S).accepted);
}

#[test]
fn what_a_source_takes_that_nobody_has_changes_nothing_but_the_source() {
    let machine = follow(&active(Mode::View, 0), &[more(Mode::Control)], 0);
    let rest = Capabilities::ALL.without(Capabilities::TRANSFERS);
    let narrowed = step(&machine, &Event::Narrowed(Source::Local, rest), 0);
    assert!(narrowed.accepted && narrowed.effects.is_empty(), "{:?}", narrowed.effects);
    let facts: Vec<Fact> = narrowed.audit.iter().map(|entry| entry.fact).collect();
    assert_eq!(facts, [Fact::Limited { source: Source::Local, to: rest }]);
    assert_eq!(narrowed.machine.question(), machine.question());
    assert_eq!(narrowed.machine.rights, machine.rights);
}

#[test]
fn a_session_lasts_from_its_request_to_its_end() {
    let machine = follow(&idle(), &[requested(Mode::View)], 5 * S);
    let ended = step(&machine, &Event::SharerEnded, 7 * S);
    let lasted_us = ended.audit.iter().find_map(|entry| match entry.fact {
        Fact::Ended { lasted_us, .. } => Some(lasted_us),
        _ => None,
    });
    assert_eq!(lasted_us, Some(2 * S));
}

#[test]
fn who_and_whom_are_in_every_entry_once_they_are_known() {
    let machine = follow(&idle(), &opening(Mode::View)[..2], 0);
    let next = step(&machine, &opening(Mode::View)[2], 7);
    assert!(!next.audit.is_empty());
    for entry in next.audit {
        assert_eq!((entry.session, entry.at_us), (setup().session, 7));
        assert_eq!(entry.who.as_deref(), Some(&who()));
    }
    assert_eq!(machine.request().map(|request| request.rights), Some(Rights::of(Mode::View)));
    assert_eq!((next.machine.who(), next.machine.setup()), (Some(&who()), &setup()));
    assert_eq!(next.machine.now_us(), 7);
    assert_eq!(next.machine.sources().of(Source::Consent), Capabilities::NONE);
    assert_eq!(next.machine.sources().of(Source::Local), Capabilities::ALL);
    assert_eq!(active(Mode::Control, 0).rights(), Some(Rights::of(Mode::Control)));
}
