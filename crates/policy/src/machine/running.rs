//! From the first consent to the end.

use super::{Fallback, Machine, Output};
use crate::authorise::permitted;
use crate::capability::Capabilities;
use crate::consent::{Answer, RequestId};
use crate::effect::{Effect, Notice};
use crate::event::{Event, LeaseId, Side};
use crate::limits::MAX_ASKS;
use crate::record::Fact;
use crate::rights::{Mode, Rights};
use crate::sources::Source;
use crate::state::{EndReason, State};

impl Machine {
    pub(super) fn take_running(&mut self, event: &Event, out: &mut Output) -> bool {
        match event {
            Event::IndicatorAck => self.indicated(out),
            Event::MoreRequested(rights) if self.state.is_active() => {
                return self.more_requested(*rights, out);
            }
            Event::Answered(id, answer) if self.question() == Some(*id) => {
                self.answered_more(*answer, out);
            }
            Event::Lowered(by, rights) => return self.lowered(*by, *rights, out),
            Event::Suspend(side) if !self.held_by.contains(*side) => self.hold(*side, out),
            Event::Resume(side) if self.held_by.contains(*side) => {
                self.held_by.remove(*side);
                out.facts.push(Fact::Released { by: *side });
                self.go_on(out);
            }
            _ => return false,
        }
        true
    }

    fn indicated(&mut self, out: &mut Output) {
        self.deadlines.indicator_us = Some(self.after(self.setup.limits.indicator_us));
        if !self.indicated {
            self.indicated = true;
            out.facts.push(Fact::IndicatorShown);
            self.go_on(out);
        }
    }

    fn hold(&mut self, side: Side, out: &mut Output) {
        self.held_by.add(side);
        out.facts.push(Fact::Held { by: side });
        if self.state.is_active() {
            self.withdraw_question(out);
            self.deadlines.suspended_us = Some(self.after(self.setup.limits.suspended_us));
            self.move_to(State::Suspended, out);
            out.effects.push(Effect::TellHelper(Notice::Suspended));
        }
    }

    /// Goes on if nothing is in the way any more.
    fn go_on(&mut self, out: &mut Output) {
        let Some(rights) = self.rights.filter(|_| self.indicated && self.held_by.is_empty()) else {
            return;
        };
        self.deadlines.suspended_us = None;
        self.move_to(State::active(rights.mode()), out);
        out.effects.push(Effect::TellHelper(Notice::Resumed));
    }

    /// The helper wants other rights: fewer at once, more only by a new consent.
    fn more_requested(&mut self, wanted: Rights, out: &mut Output) -> bool {
        let (Some(who), Some(rights)) = (&self.who, self.rights) else { return false };
        let possible = permitted(wanted, who, &self.sources);
        let possible = possible.filter(|rights| rights.mode() != Mode::Unattended);
        if let Some(fewer) = possible
            && fewer.capabilities().is_subset(rights.capabilities())
        {
            return self.lowered(Side::Helper, fewer, out);
        }
        let may_ask = self.question.is_none() && self.questions < MAX_ASKS;
        match possible.filter(|_| may_ask) {
            Some(rights) => self.ask(rights, out),
            None => {
                out.facts.push(Fact::Refused { rights: wanted });
                out.effects.push(Effect::TellHelper(Notice::Refused));
            }
        }
        true
    }

    fn answered_more(&mut self, answer: Answer, out: &mut Output) {
        let (Some(question), Some(before)) = (self.question.take(), self.rights) else { return };
        let (allowed, span_us) = match answer {
            Answer::Allow(rights) => (rights, None),
            Answer::AllowFor(rights, span_us) => (rights, Some(span_us)),
            Answer::Deny => {
                out.facts.push(Fact::Denied { request: question.id });
                return self.refuse_question(question.id, out);
            }
        };
        out.facts.push(Fact::Allowed { request: question.id, rights: allowed, span_us });
        let Some(consented) = question.rights.within(allowed.capabilities()) else {
            return self.refuse_question(question.id, out);
        };
        self.sources.set(Source::Consent, consented.capabilities());
        let Some(rights) = consented.within(self.sources.effective()) else {
            return self.end(EndReason::NotPermitted, out);
        };
        let lasting = self.fallback.map_or(before, |fallback| fallback.rights);
        self.fallback =
            span_us.map(|span_us| Fallback { rights: lasting, at_us: self.after(span_us) });
        self.change_rights(rights, out);
    }

    /// The sharer's silence is a no: to a session, or to more than there is.
    pub(super) fn question_unanswered(&mut self, out: &mut Output) {
        let Some(question) = self.question.take() else { return };
        out.facts.push(Fact::Unanswered { request: question.id });
        match self.state {
            State::ConsentPending => self.end(EndReason::ConsentTimeout, out),
            _ => self.refuse_question(question.id, out),
        }
    }

    fn refuse_question(&mut self, id: RequestId, out: &mut Output) {
        out.effects.push(Effect::WithdrawQuestion(id));
        out.effects.push(Effect::TellHelper(Notice::Refused));
    }

    fn withdraw_question(&mut self, out: &mut Output) {
        if let Some(question) = self.question.take() {
            out.facts.push(Fact::Withdrawn { request: question.id });
            out.effects.push(Effect::WithdrawQuestion(question.id));
        }
    }

    /// What was allowed for a while is over.
    pub(super) fn fall_back(&mut self, out: &mut Output) {
        if let Some(fallback) = self.fallback.take() {
            self.lower(fallback.rights, out);
        }
    }

    fn lowered(&mut self, by: Side, limit: Rights, out: &mut Output) -> bool {
        let first = out.facts.len();
        let lower = self.lower(limit, out);
        if lower {
            out.facts.insert(first, Fact::Lowered { by });
        }
        lower
    }

    /// No more than `limit` from now on. To take everything is to end, and that is another event.
    fn lower(&mut self, limit: Rights, out: &mut Output) -> bool {
        let Some(rights) = self.rights else { return false };
        match rights.within(limit.capabilities()).filter(|lower| *lower != rights) {
            Some(lower) => {
                self.sources.narrow(Source::Consent, lower.capabilities());
                self.change_rights(lower, out);
                true
            }
            None => false,
        }
    }

    /// Brings the rights within what the sources allow.
    fn follow_sources(&mut self, out: &mut Output) {
        let Some(rights) = self.rights else { return };
        match rights.within(self.sources.effective()) {
            None => self.end(EndReason::NotPermitted, out),
            Some(rest) if rest != rights => self.change_rights(rest, out),
            Some(_) => {}
        }
    }

    fn change_rights(&mut self, to: Rights, out: &mut Output) {
        self.withdraw_question(out);
        let Some(from) = self.rights.replace(to) else { return };
        out.facts.push(Fact::RightsChanged { from: Some(from), to: Some(to) });
        let (was, is) = (from.mode(), to.mode());
        if was != is && [was, is].contains(&Mode::Elevated) {
            out.facts.push(Fact::Elevation { began: is == Mode::Elevated });
        }
        if was == Mode::Elevated && is != was {
            out.effects.push(Effect::SignOut);
        }
        if self.state.is_active() && was != is {
            self.move_to(State::active(is), out);
        }
        if let Some(who) = self.who.as_ref().filter(|_| was != is) {
            out.effects.push(Effect::ShowIndicator(who.peer.clone(), is));
        }
        out.effects.push(Effect::TellHelper(Notice::Granted(to)));
    }

    pub(super) fn prompt_opened(&mut self, out: &mut Output) -> bool {
        match self.prompts.checked_add(1) {
            Some(prompts) => self.prompts = prompts,
            // More than can be counted: input could come back too soon.
            None => {
                self.end(EndReason::Error, out);
                return true;
            }
        }
        out.facts.push(Fact::Prompt { opened: true });
        true
    }

    pub(super) fn prompt_closed(&mut self, out: &mut Output) -> bool {
        let Some(prompts) = self.prompts.checked_sub(1) else { return false };
        self.prompts = prompts;
        out.facts.push(Fact::Prompt { opened: false });
        true
    }

    /// Asks for a renewal twice in the time that a lease lasts.
    pub(super) fn ask_renewal(&mut self, out: &mut Output) {
        self.deadlines.renew_us = Some(self.after(self.setup.limits.lease_us / 2));
        self.lease.0 += 1;
        self.lease_asked_us = Some(self.now_us);
        out.effects.push(Effect::RenewLease(self.lease));
    }

    /// A renewal counts from when it was asked for, by this machine's clock: one that was held
    /// back on the way extends nothing. It gives back nothing that was taken either.
    pub(super) fn renew(&mut self, id: LeaseId, allowed: Capabilities, out: &mut Output) -> bool {
        let Some(asked_us) = self.lease_asked_us.take_if(|_| id == self.lease) else {
            return false;
        };
        let until_us = asked_us.saturating_add(self.setup.limits.lease_us);
        self.deadlines.lease_us = Some(until_us);
        if self.sources.of(Source::Lease) != allowed {
            out.facts.push(Fact::Limited { source: Source::Lease, to: allowed });
            self.sources.set(Source::Lease, allowed);
            self.follow_sources(out);
        }
        true
    }

    pub(super) fn narrow(
        &mut self,
        source: Source,
        allowed: Capabilities,
        out: &mut Output,
    ) -> bool {
        let before = self.sources;
        self.sources.narrow(source, allowed);
        let own = matches!(source, Source::Consent | Source::Lease);
        if own || self.sources == before {
            self.sources = before;
            return false;
        }
        out.facts.push(Fact::Limited { source, to: self.sources.of(source) });
        self.follow_sources(out);
        true
    }

    pub(super) fn note_use(&mut self, capabilities: Capabilities, out: &mut Output) -> bool {
        let new = capabilities.without(self.used);
        self.used = self.used.union(new);
        out.facts.extend(new.iter().map(|capability| Fact::Used { capability }));
        !new.is_empty()
    }
}
