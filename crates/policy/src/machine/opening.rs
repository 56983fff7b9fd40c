//! From the first word to the first consent.

use super::{Machine, Output};
use crate::authorise::{Authentication, authorise, permitted};
use crate::capability::Capabilities;
use crate::consent::{Answer, Request};
use crate::effect::{Effect, Notice};
use crate::event::{Event, Side};
use crate::record::Fact;
use crate::rights::{Mode, Rights};
use crate::sources::Source;
use crate::state::{EndReason, State};
use std::sync::Arc;

impl Machine {
    pub(super) fn take_opening(&mut self, event: &Event, out: &mut Output) -> bool {
        match (self.state, event) {
            (State::Idle, Event::Requested(request)) => self.requested(*request, out),
            (State::Requested, Event::Paired) => self.move_to(State::Paired, out),
            (State::Paired, Event::Authenticated(who)) => self.authenticated(who, out),
            (State::Authenticated, Event::Authorise(lease)) => self.authorise(*lease, out),
            (State::Authorised, Event::ComplianceSeen(side)) => {
                return self.compliance_seen(*side, out);
            }
            (State::ComplianceShown, Event::Ask) => self.ask_first(out),
            (State::ConsentPending, Event::Answered(id, answer))
                if self.question() == Some(*id) =>
            {
                self.answered_first(*answer, out);
            }
            _ => return false,
        }
        true
    }

    fn requested(&mut self, request: Request, out: &mut Output) {
        self.request = Some(request);
        self.began_us = self.now_us;
        self.deadlines.setup_us = Some(self.after(self.setup.limits.setup_us));
        self.deadlines.session_us = Some(self.after(self.setup.limits.session_us));
        let Request { invitation, rights } = request;
        out.facts.push(Fact::Requested { invitation, rights });
        self.move_to(State::Requested, out);
    }

    fn authenticated(&mut self, who: &Arc<Authentication>, out: &mut Output) {
        self.who = Some(Arc::clone(who));
        if who.connection != self.setup.connection {
            return self.end(EndReason::WrongConnection, out);
        }
        self.limit_session(who.valid_us);
        self.move_to(State::Authenticated, out);
    }

    fn authorise(&mut self, lease: Capabilities, out: &mut Output) {
        let (Some(who), Some(request)) = (self.who.clone(), self.request) else { return };
        let setup = Arc::clone(&self.setup);
        match authorise(&setup.tenant, &setup.settings, &who, &self.sources, lease) {
            Ok(sources) => self.sources = sources,
            Err(reason) => return self.end(reason, out),
        }
        if permitted(request.rights, &who, &self.sources).is_none() {
            return self.end(EndReason::NotPermitted, out);
        }
        self.deadlines.lease_us = Some(self.after(self.setup.limits.lease_us));
        self.deadlines.renew_us = Some(self.after(self.setup.limits.lease_us / 2));
        self.unaware.add(Side::Sharer);
        if who.device.posture.needs_warning() {
            self.unaware.add(Side::Helper);
        }
        self.move_to(State::Authorised, out);
        out.effects.push(Effect::ShowCompliance(who.device.posture));
    }

    fn compliance_seen(&mut self, by: Side, out: &mut Output) -> bool {
        let Some(who) = &self.who else { return false };
        if !self.unaware.contains(by) {
            return false;
        }
        self.unaware.remove(by);
        out.facts.push(Fact::ComplianceSeen { by, posture: who.device.posture });
        if self.unaware.is_empty() {
            self.move_to(State::ComplianceShown, out);
        }
        true
    }

    /// Finds consent where it is: given in advance, granted for the unattended, or by asking.
    fn ask_first(&mut self, out: &mut Output) {
        let (Some(who), Some(request)) = (self.who.clone(), self.request) else { return };
        let Some(rights) = permitted(request.rights, &who, &self.sources) else {
            return self.end(EndReason::NotPermitted, out);
        };
        if rights.mode() == Mode::Unattended {
            if !self.setup.unattended {
                return self.end(EndReason::NotPermitted, out);
            }
            out.facts.push(Fact::UnattendedGrant { id: who.credential });
            return self.consented_first(rights, out);
        }
        let advance = self.setup.advance.as_ref();
        if advance.is_some_and(|advance| advance.covers(&request, self.now_us)) {
            out.facts.push(Fact::ConsentInAdvance { invitation: request.invitation });
            return self.consented_first(rights, out);
        }
        self.ask(rights, out);
        self.deadlines.setup_us = None;
        self.move_to(State::ConsentPending, out);
    }

    fn answered_first(&mut self, answer: Answer, out: &mut Output) {
        let Some(question) = self.question.take() else { return };
        let (rights, span_us) = match answer {
            Answer::Allow(rights) => (rights, None),
            Answer::AllowFor(rights, span_us) => (rights, Some(span_us)),
            Answer::Deny => {
                out.facts.push(Fact::Denied { request: question.id });
                return self.end(EndReason::ConsentDenied, out);
            }
        };
        out.facts.push(Fact::Allowed { request: question.id, rights, span_us });
        if let Some(span_us) = span_us {
            self.limit_session(span_us);
        }
        match question.rights.within(rights.capabilities()) {
            Some(rights) => self.consented_first(rights, out),
            None => self.end(EndReason::ConsentDenied, out),
        }
    }

    /// There is consent to `rights`: now the indicator has to show.
    fn consented_first(&mut self, rights: Rights, out: &mut Output) {
        self.sources.set(Source::Consent, rights.capabilities());
        let peer = self.who.as_ref().map(|who| who.peer.clone());
        let rights = rights.within(self.sources.effective());
        let (Some(rights), Some(peer)) = (rights, peer) else {
            return self.end(EndReason::NotPermitted, out);
        };
        self.deadlines.setup_us = None;
        self.deadlines.indicator_us = Some(self.after(self.setup.limits.indicator_us));
        self.deadlines.suspended_us = Some(self.after(self.setup.limits.suspended_us));
        self.rights = Some(rights);
        out.facts.push(Fact::RightsChanged { from: None, to: Some(rights) });
        if rights.mode() == Mode::Elevated {
            out.facts.push(Fact::Elevation { began: true });
        }
        self.move_to(State::Suspended, out);
        out.effects.push(Effect::ShowIndicator(peer, rights.mode()));
        out.effects.push(Effect::TellHelper(Notice::Granted(rights)));
    }

    /// The session ends within this span, if it does not end sooner.
    fn limit_session(&mut self, span_us: u64) {
        let end_us = self.after(span_us);
        let until_us = self.deadlines.session_us.map_or(end_us, |until_us| until_us.min(end_us));
        self.deadlines.session_us = Some(until_us);
    }
}
