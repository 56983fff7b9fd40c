use super::*;
use crate::channel::{Chat, ClipboardIn, Credentials, FileOut};
use crate::example::{INVITATION, S, allow, commit, opening, session, setup};
use crate::{
    AdvanceConsent, Answer, AuditEvent, Capabilities, Capability, CaptureToken, ChannelTokens,
    Effect, Fact, InputToken, Mode, Notice, Reach, RequestId, SessionLimits, Side,
};

fn capture_of(effects: &[Effect]) -> Option<CaptureToken> {
    effects.iter().find_map(|effect| match effect {
        Effect::StartCapture(token) => Some(token.clone()),
        _ => None,
    })
}

fn input_of(effects: &[Effect]) -> Option<InputToken> {
    effects.iter().find_map(|effect| match effect {
        Effect::StartInput(token) => Some(token.clone()),
        _ => None,
    })
}

fn channels_of(effects: &[Effect]) -> Option<ChannelTokens> {
    effects.iter().find_map(|effect| match effect {
        Effect::StartChannels(tokens) => Some(tokens.clone()),
        _ => None,
    })
}

#[test]
fn consent_and_the_indicator_together_start_the_capture() {
    let mut session = Session::new(setup(), 0);
    for event in opening(Mode::View) {
        assert!(capture_of(&commit(&mut session, event, 0)).is_none());
    }
    assert!(capture_of(&commit(&mut session, allow(1, Mode::View), 2 * S)).is_none());
    assert!(session.awaits_indicator());
    let effects = commit(&mut session, Event::IndicatorAck, 3 * S);
    assert!(!session.awaits_indicator());
    let token = capture_of(&effects).unwrap();
    assert!(token.is_valid());
    assert_eq!((token.epoch(), session.state()), (1, State::ActiveView));
    let input = input_of(&effects).unwrap();
    assert_eq!((input.epoch(), input.reach()), (1, Reach::Pointer));
    let channels = channels_of(&effects).unwrap();
    assert_eq!(channels.channels(), Capabilities::of(&[Capability::Chat]));
    assert!(channels.of::<Chat>().unwrap().is_valid() && channels.of::<FileOut>().is_none());
}

#[test]
fn nothing_starts_before_its_entries_are_appended() {
    let mut session = Session::new(setup(), 0);
    let events = opening(Mode::View).into_iter().chain([allow(1, Mode::View)]);
    events.for_each(|event| drop(commit(&mut session, event, 0)));
    let transition = session.handle(Event::IndicatorAck, 0);
    assert!(transition.is_accepted());
    let entries = transition.audit().to_vec();
    let mut appended = Vec::new();
    let effects = transition.commit(|entries| {
        appended = entries.to_vec();
        Ok::<(), ()>(())
    });
    assert_eq!(appended, entries);
    assert!(
        appended.iter().any(
            |entry| entry.fact == Fact::Moved { from: State::Suspended, to: State::ActiveView }
        )
    );
    assert!(capture_of(&effects).is_some());
}

#[test]
fn a_log_that_takes_nothing_ends_the_session_and_gives_no_token() {
    let mut session = Session::new(setup(), 0);
    let events = opening(Mode::View).into_iter().chain([allow(1, Mode::View)]);
    events.for_each(|event| drop(commit(&mut session, event, 0)));
    let effects = session.handle(Event::IndicatorAck, 0).commit(|_| Err("the disk is full"));
    assert!(matches!(effects[..], [Effect::HidePrompts, Effect::Close(EndReason::AuditFailed)]));
    assert_eq!(session.end_reason(), Some(EndReason::AuditFailed));
    assert_eq!(session.state(), State::Ending);
    let effects = session.handle(Event::Closed, 0).commit(|_| Err(()));
    assert_eq!(effects, [Effect::WipeKeys, Effect::End(EndReason::AuditFailed)]);
}

#[test]
fn a_log_that_fails_later_takes_the_tokens_back() {
    let (mut session, effects) = session(Mode::View, 0);
    let (capture, input) = (capture_of(&effects).unwrap(), input_of(&effects).unwrap());
    let effects = session.handle(Event::PromptOpened, S).commit(|_| Err(()));
    assert!(!capture.is_valid() && !input.is_valid());
    assert!(effects.contains(&Effect::StopCapture) && effects.contains(&Effect::StopInput));
    assert!(effects.contains(&Effect::Close(EndReason::AuditFailed)));
}

#[test]
fn a_transition_that_nobody_commits_ends_the_session() {
    let (mut session, effects) = session(Mode::View, 0);
    let token = capture_of(&effects).unwrap();
    drop(session.handle(Event::PromptOpened, S));
    assert!(!token.is_valid());
    assert_eq!(session.end_reason(), Some(EndReason::AuditFailed));
}

#[test]
fn what_changes_nothing_appends_nothing_and_may_be_dropped() {
    let (mut session, effects) = session(Mode::View, 0);
    let token = capture_of(&effects).unwrap();
    for event in [Event::Tick, Event::IndicatorAck, Event::Ask, Event::Paired] {
        let is_sign_of_life = event == Event::IndicatorAck;
        let transition = session.handle(event, S);
        assert!(transition.audit().is_empty());
        assert_eq!(transition.is_accepted(), is_sign_of_life);
        let append = |_: &[AuditEvent]| -> Result<(), ()> { panic!("there is nothing") };
        let effects = transition.commit(append);
        assert!(effects.is_empty());
    }
    drop(session.handle(Event::Tick, S));
    assert!(token.is_valid() && session.state() == State::ActiveView);
}

#[test]
fn each_side_ends_at_any_time_and_the_tokens_are_invalid_before_the_effects_are_seen() {
    let events = [
        (Event::SharerEnded, EndReason::SharerEnded),
        (Event::HelperEnded, EndReason::HelperEnded),
        (Event::ConnectionLost, EndReason::ConnectionLost),
        (Event::Failed, EndReason::Error),
        (Event::Revoked, EndReason::Revoked),
    ];
    for (event, reason) in events {
        let (mut session, effects) = session(Mode::Control, 0);
        let (capture, input) = (capture_of(&effects).unwrap(), input_of(&effects).unwrap());
        let chat = channels_of(&effects).unwrap().of::<Chat>().unwrap();
        let transition = session.handle(event, S);
        assert!(!capture.is_valid() && !input.is_valid() && !chat.is_valid());
        let effects = transition.commit(|_| Ok::<(), ()>(()));
        let expected = [
            Effect::StopInput,
            Effect::StopCapture,
            Effect::StopChannels(Capabilities::of(&[Capability::Chat])),
            Effect::HidePrompts,
            Effect::Close(reason),
        ];
        assert_eq!(effects, expected);
        assert_eq!(session.end_reason(), Some(reason));
        assert_eq!(session.rights(), None);
        let effects = commit(&mut session, Event::Closed, S);
        assert_eq!(effects, [Effect::WipeKeys, Effect::End(reason)]);
        assert_eq!(session.next_deadline_us(), None);
    }
}

#[test]
fn a_dropped_session_takes_its_tokens_with_it() {
    let (session, effects) = session(Mode::Control, 0);
    let (capture, input) = (capture_of(&effects).unwrap(), input_of(&effects).unwrap());
    drop(session);
    assert!(!capture.is_valid() && !input.is_valid());
}

#[test]
fn a_picture_goes_on_through_a_prompt_and_input_comes_back_with_a_new_epoch() {
    let (mut session, effects) = session(Mode::Control, 0);
    let (capture, input) = (capture_of(&effects).unwrap(), input_of(&effects).unwrap());
    let effects = commit(&mut session, Event::PromptOpened, S);
    assert_eq!(effects, [Effect::StopInput]);
    assert!(capture.is_valid());
    assert_eq!(input.inject(1, || ()), None);
    let again = input_of(&commit(&mut session, Event::PromptClosed, S)).unwrap();
    assert_eq!(again.epoch(), 2);
    assert_eq!(input.inject(2, || ()), None);
    assert_eq!(again.inject(1, || ()), None, "it was clicked before the prompt opened");
    assert_eq!(again.inject(2, || "clicked"), Some("clicked"));
}

#[test]
fn more_needs_a_new_answer_and_less_does_not() {
    let (mut session, effects) = session(Mode::View, 0);
    let capture = capture_of(&effects).unwrap();
    let extras = Capabilities::of(&[Capability::ClipboardIn]);
    let wanted = Rights::with(Mode::Elevated, extras);
    let effects = commit(&mut session, Event::MoreRequested(wanted), S);
    let [Effect::StopInput, Effect::AskSharer(question)] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((question.id, question.rights), (RequestId(2), wanted));
    assert_eq!(session.state(), State::ActiveView);
    let effects = commit(&mut session, allow(2, wanted), S);
    assert_eq!(session.state(), State::ActiveElevated);
    assert!(capture.is_valid());
    let input = input_of(&effects).unwrap();
    assert_eq!(input.inject(input.epoch(), || 1), Some(1));
    let channels = channels_of(&effects).unwrap();
    let clipboard = channels.of::<ClipboardIn>().unwrap();
    let credentials = channels.of::<Credentials>().unwrap();
    let less = Event::Lowered(Side::Helper, Rights::of(Mode::Control));
    let effects = commit(&mut session, less, S);
    assert_eq!(session.state(), State::ActiveControl);
    assert!(effects.contains(&Effect::SignOut));
    assert!(effects.contains(&Effect::TellHelper(Notice::Granted(Rights::of(Mode::Control)))));
    assert!(!clipboard.is_valid() && !credentials.is_valid() && capture.is_valid());
    assert!(input.is_valid(), "its reach is the same");
}

#[test]
fn what_was_used_is_written_down_once_with_what_comes_next() {
    let (mut session, effects) = session(Mode::Control, 0);
    let input = input_of(&effects).unwrap();
    input.inject(1, || ());
    let used = |audit: &[AuditEvent]| -> Vec<Capability> {
        let used = audit.iter().filter_map(|entry| match entry.fact {
            Fact::Used { capability } => Some(capability),
            _ => None,
        });
        used.collect()
    };
    let transition = session.handle(Event::Tick, S);
    assert!(transition.is_accepted());
    assert_eq!(used(transition.audit()), [Capability::Control]);
    assert!(transition.commit(|_| Ok::<(), ()>(())).is_empty());
    input.inject(1, || ());
    input.point(1, || ());
    assert_eq!(session.rights(), Some(Rights::of(Mode::Control)));
    let transition = session.handle(Event::SharerEnded, 2 * S);
    assert!(transition.is_accepted());
    assert_eq!(used(transition.audit()), [Capability::Point]);
    let both = Capabilities::of(&[Capability::Point, Capability::Control]);
    let ended = Fact::Ended { reason: EndReason::SharerEnded, lasted_us: 2 * S, used: both };
    assert!(transition.audit().iter().any(|entry| entry.fact == ended));
    let _ = transition.commit(|_| Ok::<(), ()>(()));
}

#[test]
fn advance_consent_replaces_the_question_for_its_invitation_only() {
    let advance = |invitation| Some(AdvanceConsent::view_only(invitation, 10 * S));
    for (advance, now_us, asked) in [
        (advance(INVITATION), 9 * S, false),
        (advance(INVITATION), 10 * S, true),
        (advance([2; 16]), 0, true),
        (None, 0, true),
    ] {
        let mut session = Session::new(crate::Setup { advance, ..setup() }, 0);
        let effects = opening(Mode::View).into_iter().map(|e| commit(&mut session, e, now_us));
        let effects = effects.last().unwrap();
        assert_eq!(matches!(effects[..], [Effect::AskSharer(_)]), asked, "{effects:?}");
        assert_eq!(matches!(effects[..], [Effect::ShowIndicator(..), _]), !asked);
    }
}

#[test]
fn sharing_stops_when_the_indicator_falls_silent() {
    let (mut session, effects) = session(Mode::View, 0);
    let token = capture_of(&effects).unwrap();
    for second in 1..100 {
        drop(commit(&mut session, Event::Tick, second * S));
        if let Some(renewal) = session.machine().renewal() {
            let renewed = Event::LeaseRenewed(renewal, Capabilities::ALL);
            drop(commit(&mut session, renewed, second * S));
        }
        drop(commit(&mut session, Event::IndicatorAck, second * S));
        assert!(token.is_valid());
    }
    assert_eq!(session.next_deadline_us(), Some(100 * S), "the lease is renewed");
    drop(commit(&mut session, Event::Tick, 102 * S - 1));
    assert!(token.is_valid());
    drop(commit(&mut session, Event::IndicatorAck, 102 * S));
    assert!(!token.is_valid(), "a sign of life that is late is none");
    assert_eq!(session.end_reason(), Some(EndReason::IndicatorLost));
}

#[test]
fn an_answer_for_a_while_ends_a_session_that_began_with_it() {
    let mut session = Session::new(setup(), 0);
    opening(Mode::View).into_iter().for_each(|event| drop(commit(&mut session, event, 0)));
    let answer = Answer::AllowFor(Rights::of(Mode::View), 2 * S);
    drop(commit(&mut session, Event::Answered(RequestId(1), answer), S));
    drop(commit(&mut session, Event::IndicatorAck, S));
    assert_eq!(session.next_deadline_us(), Some(3 * S));
    drop(commit(&mut session, Event::Tick, 3 * S));
    assert_eq!(session.end_reason(), Some(EndReason::Expired));
}

#[test]
fn the_default_limits_are_those_that_the_docs_promise() {
    let limits = SessionLimits::default();
    let seconds =
        [limits.setup_us, limits.consent_us, limits.indicator_us, limits.lease_us].map(|us| us / S);
    assert_eq!(seconds, [600, 60, 3, 10]);
    let seconds = [limits.suspended_us, limits.session_us, limits.ending_us].map(|us| us / S);
    assert_eq!(seconds, [600, 8 * 3600, 1]);
}
