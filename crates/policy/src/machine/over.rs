//! How a session ends, and what it still hears then.

use super::deadlines::Deadlines;
use super::{Machine, Output};
use crate::effect::Effect;
use crate::event::Event;
use crate::record::Fact;
use crate::rights::Mode;
use crate::state::{EndReason, State};

impl Machine {
    /// Takes an event that ends the session wherever it is.
    pub(super) fn take_end(&mut self, event: &Event, out: &mut Output) -> bool {
        let reason = match event {
            Event::PairingFailed if self.state == State::Requested => EndReason::PairingFailed,
            Event::NotAdmitted(reason) if self.state == State::Paired => *reason,
            Event::Revoked => EndReason::Revoked,
            Event::SharerEnded => EndReason::SharerEnded,
            Event::HelperEnded => EndReason::HelperEnded,
            Event::ConnectionLost => EndReason::ConnectionLost,
            Event::Failed => EndReason::Error,
            Event::AuditFailed => EndReason::AuditFailed,
            _ => return false,
        };
        self.end(reason, out);
        true
    }

    /// Takes an event after the end.
    pub(super) fn take_over(&mut self, event: &Event, out: &mut Output) -> bool {
        match (self.state, event) {
            (State::Ending, Event::Closed) => {}
            (State::Ending, Event::AuditFailed) => self.reason = Some(EndReason::AuditFailed),
            _ => return false,
        }
        self.close(out);
        true
    }

    pub(super) fn end(&mut self, reason: EndReason, out: &mut Output) {
        let shown = matches!(
            self.state,
            State::Authorised | State::ComplianceShown | State::ConsentPending | State::Suspended
        ) || self.state.is_active();
        let rights = self.rights.take();
        if rights.is_some() {
            out.facts.push(Fact::RightsChanged { from: rights, to: None });
        }
        if rights.is_some_and(|rights| rights.mode() == Mode::Elevated) {
            out.facts.push(Fact::Elevation { began: false });
            out.effects.push(Effect::SignOut);
        }
        if shown {
            out.effects.push(Effect::HidePrompts);
        }
        self.question = None;
        self.lease_asked_us = None;
        self.fallback = None;
        let ending_us = Some(self.after(self.setup.limits.ending_us));
        self.deadlines = Deadlines { ending_us, ..Deadlines::default() };
        self.reason = Some(reason);
        let lasted_us = self.now_us - self.began_us;
        out.facts.push(Fact::Ended { reason, lasted_us, used: self.used });
        self.move_to(State::Ending, out);
        out.effects.push(Effect::Close(reason));
    }

    /// The connection is closed, or has taken too long to.
    pub(super) fn close(&mut self, out: &mut Output) {
        let reason = self.reason.unwrap_or(EndReason::Error);
        self.deadlines = Deadlines::default();
        self.move_to(State::Ended(reason), out);
        out.effects.push(Effect::WipeKeys);
        out.effects.push(Effect::End(reason));
    }
}
