use super::*;
use crate::permission::{Permission, Permissions};

const S: u64 = 1_000_000;
const ID: RequestId = RequestId(7);
const ALLOW: Event = Event::Answered(ID, Answer::Allow(Scope::View));
const DENY: Event = Event::Answered(ID, Answer::Deny);

fn request(scope: Scope, permissions: Permissions) -> ConsentRequest {
    let peer = Peer::new("Ada", "12ab-34cd").unwrap();
    ConsentRequest { id: ID, invitation: [1; 16], peer, scope, permissions }
}

fn session(advance: Option<AdvanceConsent>) -> Session {
    let request = request(Scope::View, Permissions::view_only());
    Session::new(request, advance, SessionLimits::default(), 0)
}

fn all_permissions() -> Permissions {
    Permissions::of(&Permission::ALL)
}

fn token_of(effects: &[Effect]) -> Option<CaptureToken> {
    effects.iter().find_map(|effect| match effect {
        Effect::StartCapture(token) => Some(token.clone()),
        _ => None,
    })
}

/// A session that shares since `now_us`, and its token.
fn active(now_us: u64) -> (Session, CaptureToken) {
    let mut session = session(None);
    session.step(Event::Ask, now_us);
    session.step(ALLOW, now_us);
    let token = token_of(&session.step(Event::IndicatorAck, now_us)).unwrap();
    (session, token)
}

fn ends(session: &Session) -> Option<EndReason> {
    match session.state() {
        SessionState::Ended(reason) => Some(reason),
        _ => None,
    }
}

#[test]
fn consent_and_the_indicator_together_start_the_capture() {
    let mut session = session(None);
    let effects = session.step(Event::Ask, 0);
    assert!(matches!(&effects[..], [Effect::AskSharer(request)] if request.id == ID));
    let effects = session.step(ALLOW, 59 * S);
    let [Effect::ShowIndicator(peer, Scope::View)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(peer.display_name(), "Ada");
    let token = token_of(&session.step(Event::IndicatorAck, 60 * S)).unwrap();
    assert!(token.is_valid());
    assert_eq!((token.epoch(), token.scope()), (1, Scope::View));
    assert_eq!(session.state(), SessionState::Active(Scope::View));
}

#[test]
fn a_denial_ends_the_session() {
    let mut session = session(None);
    session.step(Event::Ask, 0);
    let effects = session.step(DENY, S);
    assert!(matches!(effects[..], [Effect::HidePrompts, Effect::End(EndReason::ConsentDenied)]));
}

#[test]
fn silence_denies_at_the_deadline_and_a_late_answer_is_none() {
    for late in [Event::Tick, ALLOW] {
        let mut session = session(None);
        session.step(Event::Ask, 5 * S);
        assert_eq!(session.next_deadline_us(), Some(65 * S));
        session.step(Event::Tick, 65 * S - 1);
        assert_eq!(session.state(), SessionState::ConsentPending);
        session.step(late, 65 * S);
        assert_eq!(ends(&session), Some(EndReason::ConsentTimeout));
    }
}

#[test]
fn an_answer_to_another_request_is_no_answer() {
    let mut session = session(None);
    session.step(Event::Ask, 0);
    session.step(Event::Answered(RequestId(8), Answer::Allow(Scope::View)), S);
    assert_eq!(session.state(), SessionState::ConsentPending);
}

#[test]
fn advance_consent_replaces_the_question_for_its_invitation_only() {
    let mut asked = session(Some(AdvanceConsent::view_only([1; 16], 10 * S)));
    assert!(matches!(asked.step(Event::Ask, 9 * S)[..], [Effect::ShowIndicator(..)]));
    for (invitation, now_us) in [([2; 16], 0), ([1; 16], 10 * S)] {
        let mut asked = session(Some(AdvanceConsent::view_only(invitation, 10 * S)));
        assert!(matches!(asked.step(Event::Ask, now_us)[..], [Effect::AskSharer(_)]));
    }
}

#[test]
fn control_is_never_granted_in_advance() {
    let advance = Some(AdvanceConsent::view_only([1; 16], u64::MAX));
    let request = request(Scope::Control, all_permissions());
    let mut session = Session::new(request, advance, SessionLimits::default(), 0);
    assert!(matches!(session.step(Event::Ask, 0)[..], [Effect::AskSharer(_)]));
}

#[test]
fn the_sharer_may_grant_less_than_asked_and_never_more() {
    use Scope::{Control, View};
    let all = [(View, View, View), (View, Control, View), (Control, View, View)];
    for (asked, answered, granted) in all.into_iter().chain([(Control, Control, Control)]) {
        let request = request(asked, all_permissions());
        let mut session = Session::new(request, None, SessionLimits::default(), 0);
        session.step(Event::Ask, 0);
        session.step(Event::Answered(ID, Answer::Allow(answered)), 0);
        let token = token_of(&session.step(Event::IndicatorAck, 0)).unwrap();
        assert_eq!(token.scope(), granted, "asked {asked}, answered {answered}");
    }
}

#[test]
fn who_has_no_permission_is_not_even_asked_about() {
    for (scope, permissions) in
        [(Scope::View, Permissions::NONE), (Scope::Control, Permissions::view_only())]
    {
        let advance = Some(AdvanceConsent::view_only([1; 16], u64::MAX));
        let request = request(scope, permissions);
        let mut session = Session::new(request, advance, SessionLimits::default(), 0);
        session.step(Event::Ask, 0);
        assert_eq!(ends(&session), Some(EndReason::NotPermitted));
    }
}

#[test]
fn each_side_ends_at_any_time_and_the_token_is_invalid_before_the_effects_are_seen() {
    let events = [
        (Event::SharerEnded, EndReason::SharerEnded),
        (Event::HelperEnded, EndReason::HelperEnded),
        (Event::ConnectionLost, EndReason::ConnectionLost),
        (Event::Failed, EndReason::Error),
    ];
    for (event, reason) in events {
        let (mut session, token) = active(0);
        let effects = session.step(event, S);
        assert!(!token.is_valid());
        let [Effect::StopCapture, Effect::HidePrompts, Effect::End(found)] = effects[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(found, reason);
    }
}

#[test]
fn sharing_stops_when_the_indicator_falls_silent() {
    let (mut session, token) = active(0);
    for second in 1..100 {
        session.step(Event::IndicatorAck, second * S);
        assert!(token.is_valid());
    }
    assert_eq!(session.next_deadline_us(), Some(102 * S));
    session.step(Event::Tick, 102 * S - 1);
    assert!(token.is_valid());
    session.step(Event::IndicatorAck, 102 * S);
    assert!(!token.is_valid(), "a sign of life that is late is none");
    assert_eq!(ends(&session), Some(EndReason::IndicatorLost));
}

#[test]
fn an_indicator_that_never_shows_ends_the_session_before_it_begins() {
    let mut session = session(None);
    session.step(Event::IndicatorAck, 0);
    session.step(Event::Ask, 0);
    session.step(Event::IndicatorAck, 0);
    session.step(ALLOW, 0);
    assert_eq!(session.state(), SessionState::IndicatorPending(Scope::View));
    session.step(Event::Tick, 3 * S);
    assert_eq!(ends(&session), Some(EndReason::IndicatorLost));
}

#[test]
fn a_session_ends_after_its_longest_time() {
    let limits = SessionLimits { session_us: 4 * S, ..SessionLimits::default() };
    let request = request(Scope::View, Permissions::view_only());
    let mut session = Session::new(request, None, limits, 10 * S);
    assert_eq!(session.next_deadline_us(), Some(14 * S));
    session.step(Event::Ask, 14 * S);
    assert_eq!(ends(&session), Some(EndReason::Expired));
    assert_eq!(session.next_deadline_us(), None);
}

#[test]
fn a_clock_that_runs_backwards_extends_nothing() {
    let (mut session, token) = active(100 * S);
    session.step(Event::IndicatorAck, 0);
    assert_eq!(session.next_deadline_us(), Some(103 * S));
    session.step(Event::Tick, 103 * S);
    assert!(!token.is_valid());
}

#[test]
fn a_dropped_session_takes_its_token_with_it() {
    let (session, token) = active(0);
    drop(session);
    assert!(!token.is_valid());
}

#[test]
fn every_reason_has_its_own_code_and_words() {
    for (index, reason) in EndReason::ALL.into_iter().enumerate() {
        assert!((1..=255).contains(&reason.code()));
        assert_eq!(EndReason::from_code(reason.code()), Some(reason));
        for other in &EndReason::ALL[index + 1..] {
            assert_ne!(reason.to_string(), other.to_string());
            assert_ne!(reason.code(), other.code());
        }
    }
    assert_eq!(EndReason::from_code(0), None);
}

/// What the rules say, written without the machine's states.
#[derive(Default)]
struct Rules {
    asked_us: Option<u64>,
    consented_us: Option<u64>,
    acknowledged_us: Option<u64>,
    over: bool,
}

impl Rules {
    fn apply(&mut self, event: Event, now_us: u64, advance: bool) {
        let too_late = |since: Option<u64>, limit_us| since.is_some_and(|s| now_us - s >= limit_us);
        let last_sign = self.acknowledged_us.or(self.consented_us);
        let undecided = self.asked_us.filter(|_| self.consented_us.is_none());
        self.over |= too_late(undecided, 60 * S) || too_late(last_sign, 3 * S);
        if self.over {
            return;
        }
        match event {
            Event::Ask if self.asked_us.is_none() => {
                self.asked_us = Some(now_us);
                self.consented_us = advance.then_some(now_us);
            }
            ALLOW if undecided.is_some() => self.consented_us = Some(now_us),
            DENY if undecided.is_some() => self.over = true,
            Event::IndicatorAck if self.consented_us.is_some() => {
                self.acknowledged_us = Some(now_us);
            }
            Event::SharerEnded | Event::HelperEnded | Event::ConnectionLost | Event::Failed => {
                self.over = true;
            }
            _ => {}
        }
    }

    fn may_share(&self) -> bool {
        !self.over && self.acknowledged_us.is_some()
    }
}

/// All sequences of five moves, each an event after a pause, with and without advance consent:
/// 2 x 22^5 = 10,307,264.
#[test]
fn on_every_path_a_token_is_valid_exactly_when_the_rules_allow_it() {
    let other = Event::Answered(RequestId(8), Answer::Allow(Scope::View));
    let quick = [Event::Ask, ALLOW, DENY, other, Event::IndicatorAck, Event::Tick];
    let fatal = [Event::SharerEnded, Event::HelperEnded, Event::ConnectionLost, Event::Failed];
    let pauses_us = [0, 2 * S, 59 * S];
    let mut moves: Vec<(u64, Event)> =
        pauses_us.iter().flat_map(|pause| quick.map(|event| (*pause, event))).collect();
    moves.extend(fatal.map(|event| (S, event)));
    let mut shared = 0_u64;
    let mut paths = 0_u64;
    for advance in [false, true] {
        for path in 0..moves.len().pow(5) {
            let picks = (0..5).scan(path, |rest, _| {
                let pick = *rest % moves.len();
                *rest /= moves.len();
                Some(moves[pick])
            });
            shared += u64::from(follow(picks, advance));
            paths += 1;
        }
    }
    assert_eq!(paths, 2 * 22_u64.pow(5));
    assert!(shared > 10_000, "the test must see sharing to mean anything: {shared}");
}

/// Follows one path, comparing machine and rules at every step; whether it ever shared.
fn follow(path: impl Iterator<Item = (u64, Event)>, advance: bool) -> bool {
    let mut session = session(advance.then(|| AdvanceConsent::view_only([1; 16], u64::MAX)));
    let mut rules = Rules::default();
    let mut token: Option<CaptureToken> = None;
    let mut now_us = 0;
    for (pause_us, event) in path {
        now_us += pause_us;
        let before = session.state();
        let effects = session.step(event, now_us);
        rules.apply(event, now_us, advance);
        if let Some(new) = token_of(&effects) {
            assert!(token.is_none(), "a second token");
            token = Some(new);
        }
        let valid = token.as_ref().is_some_and(CaptureToken::is_valid);
        assert_eq!(valid, rules.may_share(), "{event:?} at {now_us} in {before:?}");
        assert_eq!(matches!(session.state(), SessionState::Active(_)), valid);
        if let SessionState::Ended(_) = before {
            assert_eq!(session.state(), before, "ended is absorbing");
            assert!(effects.is_empty());
        }
    }
    token.is_some()
}
