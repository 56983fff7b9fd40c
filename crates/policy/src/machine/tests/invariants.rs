//! What must hold on every run, one test for each line of the list in `docs/security.md`.

use super::*;
use crate::channel::{Chat, FileOut};
use crate::example::{S, alive, commit, kept_alive, session};
use crate::token::Reach;
use crate::{AdvanceConsent, CaptureToken, ChannelTokens, Effect, InputToken, Session};

/// The tokens that these effects bring; of each there is one.
fn tokens_of(effects: &[Effect]) -> (CaptureToken, InputToken, ChannelTokens) {
    let (mut capture, mut input, mut channels) = (None, None, None);
    for effect in effects {
        match effect {
            Effect::StartCapture(token) => capture = Some(token.clone()),
            Effect::StartInput(token) => input = Some(token.clone()),
            Effect::StartChannels(tokens) => channels = Some(tokens.clone()),
            _ => {}
        }
    }
    (capture.unwrap(), input.unwrap(), channels.unwrap())
}

#[test]
fn invariant_01_nothing_is_captured_before_consent_or_an_unattended_grant() {
    for (situation, machine) in situations().into_iter().take(8) {
        for (name, event) in events() {
            let next = step(&machine, &event, 0);
            assert_eq!(next.machine.open(), Open::default(), "{situation} | {name}");
            let rights = next.machine.rights.is_some();
            assert_eq!(rights, tell_of_consent(&next.audit), "{situation} | {name}");
        }
    }
    let attended = Machine::new(Arc::new(Setup { unattended: false, ..setup() }), 0);
    let attended = follow(&attended, &opening(Mode::Unattended), 0);
    assert_eq!(attended.end_reason(), Some(EndReason::NotPermitted));
    // Consent in advance is for one invitation, for a while and for seeing alone.
    let sound = Rights::with(Mode::View, Capabilities::of(&[Capability::Audio]));
    let (view, control) = (Rights::of(Mode::View), Rights::of(Mode::Control));
    let other = [2; 16];
    for (invitation, expires_us, rights) in [
        (other, u64::MAX, view),
        (INVITATION, 0, view),
        (INVITATION, u64::MAX, control),
        (INVITATION, u64::MAX, sound),
    ] {
        let advance = Some(AdvanceConsent::view_only(invitation, expires_us));
        let machine = Machine::new(Arc::new(Setup { advance, ..setup() }), 0);
        let machine = follow(&machine, &opening(rights), 0);
        assert_eq!((machine.state, machine.rights), (State::ConsentPending, None), "{rights}");
    }
    walks(|before, event, next| {
        if before.rights.is_none() && next.machine.rights.is_some() {
            assert!(tell_of_consent(&next.audit), "{event:?}");
        }
        assert!(next.machine.open().capture.is_none() || next.machine.rights.is_some());
    });
}

#[test]
fn invariant_02_input_is_applied_only_in_control_or_elevated_with_the_current_epoch() {
    let mut applied = 0;
    walks(|_, _, next| {
        let machine = &next.machine;
        let Some((epoch, Reach::Full)) = machine.open().input else { return };
        assert!(matches!(machine.state, State::ActiveControl | State::ActiveElevated));
        assert!(held(machine).contains(Capability::Control));
        assert!(epoch == machine.input_epoch && epoch <= machine.epoch && epoch > 0);
        applied += 1;
    });
    assert!(applied > 1_000, "{applied}");
    for mode in [Mode::View, Mode::Unattended] {
        let open = active(mode, 0).open();
        assert_eq!(open.input, Some((1, Reach::Pointer)), "{mode}");
    }
    let (_viewed, effects) = session(Mode::View, 0);
    let (_, pointer, _) = tokens_of(&effects);
    assert_eq!(pointer.inject(pointer.epoch(), || ()), None);
    let (mut session, effects) = session(Mode::Control, 0);
    let (_, token, _) = tokens_of(&effects);
    assert_eq!(token.inject(token.epoch(), || ()), Some(()));
    drop(commit(&mut session, Event::Suspend(Side::Helper), 0));
    let effects = commit(&mut session, Event::Resume(Side::Helper), 0);
    assert_eq!(session.machine().open().input, Some((2, Reach::Full)));
    assert_eq!(token.inject(token.epoch(), || ()), None);
    let (_, again, _) = tokens_of(&effects);
    assert_eq!(again.inject(token.epoch(), || ()), None, "it was made in another epoch");
    assert_eq!(again.inject(again.epoch(), || ()), Some(()));
}

#[test]
fn invariant_03_rights_never_grow_without_a_new_consent() {
    let mut grown = 0;
    walks(|before, event, next| {
        if !held(&next.machine).is_subset(held(before)) {
            assert!(tell_of_consent(&next.audit), "{event:?}");
            grown += 1;
        }
    });
    assert!(grown > 100, "{grown}");
    // An answer is to the question that is open and to no other.
    let pending = follow(&idle(), &opening(Mode::View), 0);
    let wanted = Event::MoreRequested(Rights::of(Mode::Control));
    let asking = follow(&active(Mode::View, 0), &[wanted], 0);
    for (machine, open) in [(&pending, 1), (&asking, 2)] {
        for other in [open - 1, open + 1] {
            assert!(!step(machine, &allow(other, Mode::Control), 0).accepted, "{other}");
        }
    }
    // What a lease took away does not come back with the next one.
    let view = Capabilities::of(&[Capability::View]);
    let machine = kept_alive(&active(Mode::Control, 0), 0, 4);
    let asked = follow(&machine, &[Event::Tick], 5 * S);
    let narrow = follow(&asked, &[Event::LeaseRenewed(LeaseId(1), view)], 5 * S);
    let wide = kept_alive(&narrow, 5, 12);
    assert_eq!(wide.sources.of(Source::Lease), Capabilities::ALL);
    assert_eq!((held(&narrow), held(&wide)), (view, view));
    assert_eq!(wide.state, State::ActiveView);
}

#[test]
fn invariant_04_what_is_effective_is_a_subset_of_every_set_whatever_a_broker_says() {
    walks(|_, event, next| {
        for source in Source::ALL {
            let allowed = next.machine.sources.of(source);
            assert!(held(&next.machine).is_subset(allowed), "{event:?}: {}", source.name());
        }
    });
    use Source::{Device, Grant, Local, Platform, Tenant};
    let view = Capabilities::of(&[Capability::View]);
    for source in [Tenant, Grant, Device, Local, Platform] {
        let narrowed = Event::Narrowed(source, view);
        let machine = follow(&active(Mode::Control, 0), &[narrowed], 0);
        assert_eq!(held(&machine), view, "{}", source.name());
        let widened = Event::Narrowed(source, Capabilities::ALL);
        assert!(!step(&machine, &widened, 0).accepted, "{}", source.name());
    }
    let few = Authentication { permissions: Permissions::view_only(), ..who() };
    let mut events = opening(Mode::View);
    events[2] = Event::Authenticated(Arc::new(few));
    events.extend([allow(1, Mode::Elevated), Event::IndicatorAck]);
    let machine = follow(&idle(), &events, 0);
    assert_eq!(machine.rights, Some(Rights::of(Mode::View)));
    let machine = follow(&machine, &[Event::MoreRequested(Rights::of(Mode::Control))], 0);
    assert_eq!(machine.question(), None, "what was not granted is not even asked for");
}

#[test]
fn invariant_05_a_consent_timeout_denies() {
    let pending = follow(&idle(), &opening(Mode::View), 0);
    assert_eq!(pending.deadlines.setup_us, None);
    let pending = kept_alive(&pending, 0, 59);
    assert_eq!(step(&pending, &Event::Tick, 60 * S - 1).machine.state, State::ConsentPending);
    for late in [Event::Tick, allow(1, Mode::View)] {
        let next = step(&pending, &late, 60 * S);
        assert_eq!(next.machine.reason, Some(EndReason::ConsentTimeout));
        assert!(next.audit.iter().any(|e| matches!(e.fact, Fact::Unanswered { .. })));
    }
    let wanted = Rights::of(Mode::Control);
    let asking = follow(&active(Mode::View, 0), &[Event::MoreRequested(wanted)], 0);
    let asking = kept_alive(&asking, 0, 59);
    for late in [Event::Tick, allow(2, Mode::Control)] {
        let next = step(&asking, &late, 60 * S);
        assert_eq!(next.machine.state, State::ActiveView);
        assert_eq!(next.machine.rights, Some(Rights::of(Mode::View)));
        assert_eq!(next.machine.question(), None);
    }
}

#[test]
fn invariant_06_every_transition_is_written_down_before_its_effect() {
    walks(|before, event, next| {
        let after = &next.machine;
        let changed = before.state != after.state
            || before.rights != after.rights
            || before.open() != after.open()
            || next.effects.iter().any(|effect| !matches!(effect, Effect::RenewLease(_)));
        assert!(!changed || !next.audit.is_empty(), "{event:?} in {:?}", before.state);
        let moves = next.audit.iter().filter_map(|entry| match entry.fact {
            Fact::Moved { from, to } => Some((from, to)),
            _ => None,
        });
        let reached = moves.fold(before.state, |at, (from, to)| {
            assert_eq!(at, from);
            to
        });
        assert_eq!(reached, after.state, "every move is written down");
        let elevated = |machine: &Machine| {
            machine.rights.is_some_and(|rights| rights.mode() == Mode::Elevated)
        };
        let told = next.audit.iter().any(|entry| matches!(entry.fact, Fact::Elevation { .. }));
        assert_eq!(told, elevated(before) != elevated(after), "{event:?}");
        assert!(next.audit.iter().all(|entry| entry.at_us == after.now_us));
        assert!(next.audit.iter().all(|entry| entry.who.as_deref() == after.who()));
    });
    for (situation, machine) in situations() {
        for (name, event) in events() {
            let mut session = Session::new(setup(), 0);
            session.machine = machine.clone();
            drop(session.tokens.open(&machine.open()));
            let transition = session.handle(event, machine.now_us);
            let silent = transition.audit().is_empty();
            let effects = transition.commit(|_| Err(()));
            match machine.state {
                _ if silent => assert_eq!(session.machine.state, machine.state),
                State::Ending => {
                    assert_eq!(session.state(), State::Ended(EndReason::AuditFailed));
                }
                _ => {
                    assert_eq!(session.end_reason(), Some(EndReason::AuditFailed), "{name}");
                    assert_eq!(effects.last(), Some(&Effect::Close(EndReason::AuditFailed)));
                    let stop = machine.open().capture.is_some();
                    assert_eq!(effects.contains(&Effect::StopCapture), stop, "{situation}");
                    assert_eq!(session.machine.open(), Open::default());
                }
            }
        }
    }
}

#[test]
fn invariant_07_an_end_or_a_revocation_stops_everything_at_once() {
    use Event::{ConnectionLost, Failed, HelperEnded, Revoked, SharerEnded};
    for (situation, machine) in situations() {
        if machine.state.is_over() {
            continue;
        }
        for event in [SharerEnded, HelperEnded, ConnectionLost, Failed, Revoked] {
            let next = step(&machine, &event, machine.now_us);
            assert_eq!(next.machine.state, State::Ending, "{situation} | {event:?}");
            assert_eq!(next.machine.open(), Open::default());
            assert_eq!(next.machine.rights, None);
            let closed_us = machine.now_us + S;
            assert_eq!(next.machine.next_deadline_us(), Some(closed_us), "only the closing");
            let ended = step(&next.machine, &Event::Tick, closed_us).machine;
            assert!(matches!(ended.state, State::Ended(_)));
        }
    }
    for event in [SharerEnded, HelperEnded, ConnectionLost, Failed, Revoked] {
        let (mut session, effects) = session(Rights::with(Mode::Elevated, Capabilities::ALL), 0);
        let (capture, input, channels) = tokens_of(&effects);
        let (chat, file) = (channels.of::<Chat>().unwrap(), channels.of::<FileOut>().unwrap());
        assert!(capture.is_valid() && input.is_valid());
        assert_eq!((chat.pass(|| 1), file.pass(|| 1)), (Some(1), Some(1)));
        let transition = session.handle(event, 0);
        assert!(!capture.is_valid() && !input.is_valid(), "before anything is written or done");
        assert_eq!(input.inject(input.epoch(), || ()), None);
        assert_eq!((chat.pass(|| 1), file.pass(|| 1)), (None, None));
        drop(transition.commit(|_| Ok::<(), ()>(())));
    }
}

#[test]
fn invariant_08_a_lost_lease_stops() {
    let awake =
        |machine: &Machine, second: u64| step(machine, &Event::IndicatorAck, second * S).machine;
    for mode in Mode::ALL {
        let machine = (1..10).fold(active(mode, 0), |machine, second| awake(&machine, second));
        let last = step(&machine, &Event::Tick, 10 * S - 1).machine;
        assert!(last.state.is_active());
        let late = Event::LeaseRenewed(last.lease, Capabilities::ALL);
        for late in [Event::Tick, late] {
            let lost = step(&machine, &late, 10 * S).machine;
            assert_eq!(lost.reason, Some(EndReason::LeaseLost), "{mode}");
            assert_eq!(lost.open(), Open::default());
        }
        assert!(kept_alive(&active(mode, 0), 0, 100).state.is_active());
    }
    for (situation, machine) in situations() {
        let unasked = machine.renewal().is_none();
        for id in [LeaseId(0), machine.lease] {
            let renewal = Event::LeaseRenewed(id, Capabilities::ALL);
            let fits = step(&machine, &renewal, machine.now_us).accepted;
            assert!(!(unasked && fits), "{situation}");
        }
    }
    let pending = follow(&idle(), &opening(Mode::View), 0);
    let lost = step(&pending, &allow(1, Mode::View), 10 * S).machine;
    assert_eq!(lost.reason, Some(EndReason::LeaseLost), "it runs while the sharer thinks");
}

#[test]
fn invariant_09_clock_changes_never_extend_anything() {
    let machine = active(Mode::Control, 100 * S);
    let back = step(&machine, &Event::IndicatorAck, 0).machine;
    assert_eq!(back.next_deadline_us(), Some(103 * S));
    assert_eq!(alive(&back, 0).deadlines.lease_us, Some(110 * S));
    assert_eq!(step(&back, &Event::Tick, 103 * S).machine.state, State::Ending);
    walks(|before, event, next| {
        let early = step(before, event, 0);
        let now = step(before, event, before.now_us);
        assert_eq!(early.machine, now.machine, "{event:?}");
        let later =
            |old: Option<u64>, new: Option<u64>| matches!((old, new), (Some(a), Some(b)) if b > a);
        let (old, new) = (before.deadlines, next.machine.deadlines);
        assert!(!later(old.session_us, new.session_us), "{event:?}");
        assert!(!later(old.setup_us, new.setup_us), "{event:?}");
        assert!(!later(old.suspended_us, new.suspended_us), "{event:?}");
        let ack = *event == Event::IndicatorAck;
        assert!(ack || !later(old.indicator_us, new.indicator_us), "{event:?}");
        let renewal = matches!(event, Event::LeaseRenewed(..));
        assert!(renewal || !later(old.lease_us, new.lease_us), "{event:?}");
    });
}

#[test]
fn invariant_10_different_tenants_never_reach_authorised() {
    let foreign = crate::TenantId::new("fabrikam").unwrap();
    for combination in 1..8 {
        let mut who = who();
        let tenants = [&mut who.helper.tenant, &mut who.sharer.tenant, &mut who.device.tenant];
        for (bit, tenant) in tenants.into_iter().enumerate() {
            if combination & (1 << bit) != 0 {
                *tenant = foreign.clone();
            }
        }
        let mut machine = follow(&idle(), &[requested(Mode::View), Event::Paired], 0);
        machine = follow(&machine, &[Event::Authenticated(Arc::new(who))], 0);
        for (name, event) in events() {
            let next = step(&machine, &event, 0).machine;
            let stays = matches!(next.state, State::Authenticated | State::Ending);
            assert!(stays, "{combination}: {name} leads to {:?}", next.state);
        }
        let end = step(&machine, &Event::Authorise(Capabilities::ALL), 0).machine;
        assert_eq!(end.reason, Some(EndReason::DifferentTenant));
    }
}

#[test]
fn invariant_11_a_grant_does_not_work_on_another_connection() {
    let machine = follow(&idle(), &[requested(Mode::View), Event::Paired], 0);
    let mut elsewhere = who();
    elsewhere.connection.0[31] ^= 1;
    let next = step(&machine, &Event::Authenticated(Arc::new(elsewhere)), 0);
    assert_eq!(next.machine.reason, Some(EndReason::WrongConnection));
    assert!(
        !next
            .audit
            .iter()
            .any(|entry| { matches!(entry.fact, Fact::Moved { to: State::Authenticated, .. }) })
    );
}

#[test]
fn invariant_12_there_is_no_way_around_a_step() {
    use State::{Authenticated, Authorised, ComplianceShown, ConsentPending, Idle, Paired};
    let order = [
        Idle,
        State::Requested,
        Paired,
        Authenticated,
        Authorised,
        ComplianceShown,
        ConsentPending,
        State::Suspended,
    ];
    let place = |state| order.iter().position(|known| *known == state);
    walks(|before, event, next| {
        let Some(from) = place(before.state).filter(|_| before.rights.is_none()) else { return };
        let to = next.machine.state;
        let asked = next.machine.setup.unattended;
        let unasked = before.state == ComplianceShown && to == State::Suspended && asked;
        let next_or_same = place(to).is_some_and(|to| to == from || to == from + 1);
        assert!(next_or_same || to.is_over() || unasked, "{event:?}: {:?} -> {to:?}", before.state);
    });
    let view = Authentication { permissions: Permissions::view_only(), ..not_compliant() };
    let machine = follow(&idle(), &[requested(Mode::View), Event::Paired], 0);
    let machine = follow(
        &machine,
        &[Event::Authenticated(Arc::new(view)), Event::Authorise(Capabilities::ALL)],
        0,
    );
    for side in Side::ALL {
        let seen = follow(&machine, &[Event::ComplianceSeen(side)], 0);
        assert_eq!(seen.state, Authorised, "both ends see the warning");
        assert!(!step(&seen, &Event::Ask, 0).accepted);
        assert!(!step(&seen, &Event::ComplianceSeen(side), 0).accepted);
    }
    let seen = Side::ALL.map(Event::ComplianceSeen);
    assert_eq!(follow(&machine, &seen, 0).state, ComplianceShown);
}

#[test]
fn invariant_13_injected_input_is_suspended_while_a_prompt_is_open() {
    let open = [Event::PromptOpened, Event::PromptOpened];
    for (situation, machine) in situations() {
        if machine.state.is_over() {
            continue;
        }
        let twice = follow(&machine, &open, machine.now_us);
        assert_eq!(twice.open().input, None, "{situation}");
        assert_eq!(twice.open().capture, machine.open().capture);
        let once = follow(&twice, &[Event::PromptClosed], twice.now_us);
        assert_eq!(once.open().input, None, "one of two is still open");
    }
    // One that opened before the consent counts as well.
    let early = follow(&idle(), &[Event::PromptOpened], 0);
    let mut events = opening(Mode::Control);
    events.extend([allow(1, Mode::Control), Event::IndicatorAck]);
    assert_eq!(follow(&early, &events, 0).open().input, None);
    let wanted = Rights::of(Mode::Elevated);
    let asking = follow(&active(Mode::Control, 0), &[Event::MoreRequested(wanted)], 0);
    assert_eq!(asking.open().input, None, "our own question is a prompt");
    let (mut machine, mut opened) = (active(Mode::Control, 0), 0);
    while machine.state.is_active() {
        machine = follow(&machine, &[Event::PromptOpened], 0);
        assert_eq!(machine.open().input, None);
        opened += 1;
    }
    assert_eq!((opened, machine.reason), (256, Some(EndReason::Error)), "no count wraps around");
    walks(|_, _, next| {
        let asking = next.machine.prompts > 0 || next.machine.question.is_some();
        assert!(!asking || next.machine.open().input.is_none());
    });
}

#[test]
fn invariant_14_media_stops_when_the_indicator_is_not_acknowledged() {
    for mode in Mode::ALL {
        let machine = active(mode, 0);
        assert!(step(&machine, &Event::Tick, 3 * S - 1).machine.open().capture.is_some());
        let acked = step(&machine, &Event::IndicatorAck, 3 * S - 1).machine;
        assert!(step(&acked, &Event::Tick, 5 * S).machine.open().capture.is_some());
        for late in [Event::Tick, Event::IndicatorAck] {
            let lost = step(&machine, &late, 3 * S).machine;
            assert_eq!(lost.reason, Some(EndReason::IndicatorLost), "{mode}");
            assert_eq!(lost.open(), Open::default());
        }
    }
    let mut events = opening(Mode::View);
    events.push(allow(1, Mode::View));
    let unshown = follow(&idle(), &events, 0);
    assert!(unshown.awaits_indicator() && unshown.open().capture.is_none());
    let lost = step(&unshown, &Event::Tick, 3 * S).machine;
    assert_eq!(lost.reason, Some(EndReason::IndicatorLost));
}

#[test]
fn invariant_15_ended_is_absorbing_and_the_keys_are_wiped() {
    for (situation, machine) in situations() {
        let ended = match machine.state {
            State::Ended(_) => machine,
            State::Ending => {
                let last = step(&machine, &Event::Closed, 0);
                assert_eq!(last.effects.first(), Some(&Effect::WipeKeys));
                last.machine
            }
            _ => follow(&machine, &[Event::Revoked, Event::Closed], machine.now_us),
        };
        let State::Ended(_) = ended.state else { panic!("{situation}") };
        assert_eq!(ended.next_deadline_us(), None);
        for (name, event) in events() {
            let next = step(&ended, &event, u64::MAX);
            assert_eq!(next.machine, ended, "{name}");
            assert!(!next.accepted && next.effects.is_empty() && next.audit.is_empty());
        }
    }
    walks(|before, _, next| {
        assert!(!before.state.is_over() || next.machine.state.is_over());
        let ended =
            matches!(next.machine.state, State::Ended(_)) && before.state != next.machine.state;
        assert_eq!(next.effects.contains(&Effect::WipeKeys), ended);
    });
}

#[test]
fn invariant_16_view_only_moves_no_clipboard_or_file_byte_in_either_direction() {
    let everything = Rights::with(Mode::View, Capabilities::ALL);
    for mode in [everything, Rights::with(Mode::Unattended, Capabilities::ALL)] {
        let open = active(mode, 0).open();
        assert!(open.channels.intersection(Capabilities::TRANSFERS).is_empty());
    }
    walks(|_, _, next| {
        let moves = next.machine.open().channels.intersection(Capabilities::TRANSFERS);
        let may = matches!(next.machine.state, State::ActiveControl | State::ActiveElevated);
        assert!(may || moves.is_empty());
    });
    let all = Rights::with(Mode::Control, Capabilities::ALL);
    let machine = active(all, 0);
    assert!(Capabilities::TRANSFERS.is_subset(machine.open().channels));
    let view = Event::Lowered(Side::Sharer, everything);
    let lowered = follow(&machine, &[view], 0);
    assert_eq!(lowered.state, State::ActiveView);
    assert!(lowered.open().channels.intersection(Capabilities::TRANSFERS).is_empty());
}
