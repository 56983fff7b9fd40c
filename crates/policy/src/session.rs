//! The states of one helper's session, from its request to its end.

use std::fmt;

use crate::consent::{AdvanceConsent, Answer, ConsentRequest, Peer, RequestId};
use crate::limits::SessionLimits;
use crate::permission::Scope;
use crate::token::CaptureToken;

/// One helper's session.
///
/// Feed every event to [`Session::step`] and carry out its effects in their order. Call it with
/// [`Event::Tick`] at [`Session::next_deadline_us`] or at least once a second. Times that run
/// backwards count as standing still. Dropping the session revokes its token.
#[derive(Debug)]
pub struct Session {
    request: ConsentRequest,
    advance: Option<AdvanceConsent>,
    limits: SessionLimits,
    state: SessionState,
    now_us: u64,
    session_ends_us: u64,
    /// What the current state ends on, besides the end of the session.
    state_ends_us: Option<u64>,
    token: Option<CaptureToken>,
    epoch: u64,
}

/// Where a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// The helper has proved its invitation; nobody was asked yet.
    Requested,
    /// The sharer is being asked.
    ConsentPending,
    /// The sharer has consented; the app has not yet shown the indicator.
    IndicatorPending(Scope),
    /// The screen is being shared.
    Active(Scope),
    /// It is over, for ever.
    Ended(EndReason),
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The app is ready to ask the sharer.
    Ask,
    /// The sharer has answered the request with this number.
    Answered(RequestId, Answer),
    /// The app shows, at this moment, that the screen is shared and by whom it is seen.
    IndicatorAck,
    /// The sharer wants to end.
    SharerEnded,
    /// The helper wants to end.
    HelperEnded,
    /// The connection is gone.
    ConnectionLost,
    /// Something that the session needs has failed.
    Failed,
    /// Time has passed.
    Tick,
}

/// What the caller has to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Effect {
    /// Show the sharer who asks for what, and bring back the answer.
    AskSharer(ConsentRequest),
    /// Show the indicator, then report [`Event::IndicatorAck`] now and every second.
    ShowIndicator(Peer, Scope),
    /// Start capturing, for as long as the token is valid.
    StartCapture(CaptureToken),
    /// Stop capturing. The token is invalid already.
    StopCapture,
    /// Take the prompt and the indicator away.
    HidePrompts,
    /// Tell the helper and close the connection.
    End(EndReason),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The sharer ended it.
    SharerEnded,
    /// The helper ended it.
    HelperEnded,
    /// The sharer said no.
    ConsentDenied,
    /// The sharer did not answer in time.
    ConsentTimeout,
    /// The session has lasted as long as it may.
    Expired,
    /// The connection is gone.
    ConnectionLost,
    /// The app stopped showing that the screen is shared.
    IndicatorLost,
    /// The helper has not the permissions for what it asks.
    NotPermitted,
    /// Something failed.
    Error,
}

impl Session {
    /// A session at its beginning, with the sharer's consent in advance if there is one.
    pub fn new(
        request: ConsentRequest,
        advance: Option<AdvanceConsent>,
        limits: SessionLimits,
        now_us: u64,
    ) -> Self {
        Self {
            request,
            advance,
            limits,
            state: SessionState::Requested,
            now_us,
            session_ends_us: now_us.saturating_add(limits.session_us),
            state_ends_us: None,
            token: None,
            epoch: 0,
        }
    }

    /// Where it is.
    pub fn state(&self) -> SessionState {
        self.state
    }

    /// Who asked for what.
    pub fn request(&self) -> &ConsentRequest {
        &self.request
    }

    /// When [`Session::step`] must be called next at the latest; `None` once it has ended.
    pub fn next_deadline_us(&self) -> Option<u64> {
        match self.state {
            SessionState::Ended(_) => None,
            _ => Some(self.state_ends_us.unwrap_or(u64::MAX).min(self.session_ends_us)),
        }
    }

    /// Takes one event at a time and says what to do. Deadlines that have passed come first, so an
    /// answer or a sign of life that is late is no answer. Events that do not fit the state change
    /// nothing.
    pub fn step(&mut self, event: Event, now_us: u64) -> Vec<Effect> {
        self.now_us = self.now_us.max(now_us);
        if let SessionState::Ended(_) = self.state {
            return Vec::new();
        }
        if let Some(reason) = self.overdue() {
            return self.end(reason);
        }
        match (event, self.state) {
            (Event::SharerEnded, _) => self.end(EndReason::SharerEnded),
            (Event::HelperEnded, _) => self.end(EndReason::HelperEnded),
            (Event::ConnectionLost, _) => self.end(EndReason::ConnectionLost),
            (Event::Failed, _) => self.end(EndReason::Error),
            (Event::Ask, SessionState::Requested) => self.ask(),
            (Event::Answered(id, answer), SessionState::ConsentPending)
                if id == self.request.id =>
            {
                match answer {
                    Answer::Allow(scope) => self.consented(scope),
                    Answer::AllowFor(scope, span_us) => {
                        self.session_ends_us = self.session_ends_us.min(self.after(span_us));
                        self.consented(scope)
                    }
                    Answer::Deny => self.end(EndReason::ConsentDenied),
                }
            }
            (Event::IndicatorAck, SessionState::IndicatorPending(scope)) => self.activate(scope),
            (Event::IndicatorAck, SessionState::Active(_)) => {
                self.state_ends_us = Some(self.after(self.limits.indicator_us));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn overdue(&self) -> Option<EndReason> {
        if self.state_ends_us.is_some_and(|end_us| self.now_us >= end_us) {
            return match self.state {
                SessionState::ConsentPending => Some(EndReason::ConsentTimeout),
                _ => Some(EndReason::IndicatorLost),
            };
        }
        (self.now_us >= self.session_ends_us).then_some(EndReason::Expired)
    }

    fn ask(&mut self) -> Vec<Effect> {
        let permitted = self.request.permissions.widest_scope();
        if permitted.is_none_or(|widest| self.request.scope > widest) {
            return self.end(EndReason::NotPermitted);
        }
        if self.advance.as_ref().is_some_and(|advance| advance.covers(&self.request, self.now_us)) {
            return self.consented(Scope::View);
        }
        self.state = SessionState::ConsentPending;
        self.state_ends_us = Some(self.after(self.limits.consent_us));
        vec![Effect::AskSharer(self.request.clone())]
    }

    fn consented(&mut self, scope: Scope) -> Vec<Effect> {
        let scope = scope.min(self.request.scope);
        self.state = SessionState::IndicatorPending(scope);
        self.state_ends_us = Some(self.after(self.limits.indicator_us));
        vec![Effect::ShowIndicator(self.request.peer.clone(), scope)]
    }

    fn activate(&mut self, scope: Scope) -> Vec<Effect> {
        self.state = SessionState::Active(scope);
        self.state_ends_us = Some(self.after(self.limits.indicator_us));
        self.epoch += 1;
        let token = CaptureToken::new(self.epoch, scope);
        self.token = Some(token.clone());
        vec![Effect::StartCapture(token)]
    }

    fn end(&mut self, reason: EndReason) -> Vec<Effect> {
        let mut effects = Vec::with_capacity(3);
        if let Some(token) = self.token.take() {
            token.revoke();
            effects.push(Effect::StopCapture);
        }
        if self.state != SessionState::Requested {
            effects.push(Effect::HidePrompts);
        }
        self.state = SessionState::Ended(reason);
        self.state_ends_us = None;
        effects.push(Effect::End(reason));
        effects
    }

    fn after(&self, span_us: u64) -> u64 {
        self.now_us.saturating_add(span_us)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            token.revoke();
        }
    }
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::SharerEnded,
        Self::HelperEnded,
        Self::ConsentDenied,
        Self::ConsentTimeout,
        Self::Expired,
        Self::ConnectionLost,
        Self::IndicatorLost,
        Self::NotPermitted,
        Self::Error,
    ];

    /// The number that stands for it on the wire, 1 to 255; it never changes its meaning.
    pub fn code(self) -> u32 {
        match self {
            Self::SharerEnded => 1,
            Self::HelperEnded => 2,
            Self::ConsentDenied => 3,
            Self::ConsentTimeout => 4,
            Self::Expired => 5,
            Self::ConnectionLost => 6,
            Self::IndicatorLost => 7,
            Self::NotPermitted => 8,
            Self::Error => 9,
        }
    }

    /// The reason that `code` stands for.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharerEnded => "the sharer ended the session",
            Self::HelperEnded => "the helper ended the session",
            Self::ConsentDenied => "the sharer did not consent",
            Self::ConsentTimeout => "the sharer did not answer in time",
            Self::Expired => "the session has reached its time limit",
            Self::ConnectionLost => "the connection was lost",
            Self::IndicatorLost => "the app stopped showing that the screen is shared",
            Self::NotPermitted => "the helper has no permission for this",
            Self::Error => "something failed",
        })
    }
}

#[cfg(test)]
mod tests;
