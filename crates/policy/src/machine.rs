//! The states of a session as a function of what happened, without anything that acts.

mod deadlines;
mod open;
mod opening;
mod over;
mod running;

use std::sync::Arc;

pub use open::Open;

use crate::authorise::Authentication;
use crate::capability::Capabilities;
use crate::consent::{ConsentRequest, Request, RequestId};
use crate::effect::Effect;
use crate::event::{Event, LeaseId, Side};
use crate::record::{AuditEvent, Fact};
use crate::rights::Rights;
use crate::setup::Setup;
use crate::sources::{Source, Sources};
use crate::state::{EndReason, State};
use deadlines::Deadlines;

/// A session as plain data: copied, compared and hashed by whoever wants to know what can happen.
/// It gives no token; a [`Session`](crate::Session) makes those from what is [`open`](Self::open).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Machine {
    setup: Arc<Setup>,
    state: State,
    now_us: u64,
    request: Option<Request>,
    who: Option<Arc<Authentication>>,
    sources: Sources,
    rights: Option<Rights>,
    /// Ends that have yet to see whether the device keeps the rules.
    unaware: Sides,
    question: Option<Question>,
    questions: u64,
    /// Prompts of others that are open.
    prompts: u8,
    held_by: Sides,
    /// Whether the indicator has shown since the consent.
    indicated: bool,
    deadlines: Deadlines,
    lease: LeaseId,
    /// When the renewal was asked for that is not answered yet.
    lease_asked_us: Option<u64>,
    /// Rights that come back when those of the last answer run out.
    fallback: Option<Fallback>,
    used: Capabilities,
    began_us: u64,
    reason: Option<EndReason>,
    epoch: u64,
    capture_epoch: u64,
    input_epoch: u64,
}

/// A question that the sharer has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Question {
    id: RequestId,
    rights: Rights,
    until_us: u64,
}

/// What comes back at a certain time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Fallback {
    rights: Rights,
    at_us: u64,
}

/// A set of ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Sides(u8);

impl Sides {
    fn add(&mut self, side: Side) {
        self.0 |= 1 << side as u8;
    }

    fn remove(&mut self, side: Side) {
        self.0 &= !(1 << side as u8);
    }

    fn contains(self, side: Side) -> bool {
        self.0 & (1 << side as u8) != 0
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What came of an event.
#[derive(Debug, Clone)]
#[must_use]
pub struct Step {
    /// The session from now on.
    pub machine: Machine,
    /// Whether the event or a deadline changed something.
    pub accepted: bool,
    /// What to do, once `audit` is written. Starting what [`Machine::open`] allows is not among
    /// it: that takes tokens.
    pub effects: Vec<Effect>,
    /// What to write down.
    pub audit: Vec<AuditEvent>,
}

/// What one event leads to.
#[derive(Default)]
struct Output {
    effects: Vec<Effect>,
    facts: Vec<Fact>,
}

/// Takes one event. Deadlines that have passed come first, so an answer or a sign of life that is
/// late is none. Times that run backwards count as standing still.
pub fn step(machine: &Machine, event: &Event, now_us: u64) -> Step {
    let take = |machine: &mut Machine, out: &mut Output| machine.take(event, out);
    // A log that takes nothing is the reason, whatever else is due.
    if *event == Event::AuditFailed {
        return advance(machine, now_us, take);
    }
    let due = advance(machine, now_us, Machine::pass_deadlines);
    let taken = advance(&due.machine, now_us, take);
    Step {
        machine: taken.machine,
        accepted: due.accepted | taken.accepted,
        effects: [due.effects, taken.effects].concat(),
        audit: [due.audit, taken.audit].concat(),
    }
}

/// One change, what it opens and closes, and its entries.
fn advance(
    machine: &Machine,
    now_us: u64,
    change: impl FnOnce(&mut Machine, &mut Output) -> bool,
) -> Step {
    let mut next = machine.clone();
    let mut out = Output::default();
    let mut accepted = false;
    if !matches!(machine.state, State::Ended(_)) {
        next.now_us = machine.now_us.max(now_us);
        accepted = change(&mut next, &mut out);
        next.settle(machine, &mut out);
    }
    let entry = |fact| AuditEvent {
        session: next.setup.session,
        at_us: next.now_us,
        who: next.who.clone(),
        fact,
    };
    let audit = out.facts.into_iter().map(entry).collect();
    Step { accepted, effects: out.effects, audit, machine: next }
}

impl Machine {
    /// A session at its beginning.
    pub fn new(setup: Arc<Setup>, now_us: u64) -> Self {
        let mut sources = Sources::default();
        [Source::Grant, Source::Device, Source::Lease]
            .into_iter()
            .for_each(|source| sources.set(source, Capabilities::ALL));
        sources.set(Source::Tenant, setup.settings.capabilities());
        sources.set(Source::Local, setup.local);
        sources.set(Source::Platform, setup.platform);
        Self {
            setup,
            state: State::Idle,
            now_us,
            request: None,
            who: None,
            sources,
            rights: None,
            unaware: Sides::default(),
            question: None,
            questions: 0,
            prompts: 0,
            held_by: Sides::default(),
            indicated: false,
            deadlines: Deadlines::default(),
            lease: LeaseId(0),
            lease_asked_us: None,
            fallback: None,
            used: Capabilities::NONE,
            began_us: now_us,
            reason: None,
            epoch: 0,
            capture_epoch: 0,
            input_epoch: 0,
        }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// What was known before it began.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// What the helper asked for at first.
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// Who the two ends are, once both have proved it.
    pub fn who(&self) -> Option<&Authentication> {
        self.who.as_deref()
    }

    /// What the helper may do; `None` without consent and once it is over.
    pub fn rights(&self) -> Option<Rights> {
        self.rights
    }

    /// What each source allows.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The number of the question that the sharer has not answered yet.
    pub fn question(&self) -> Option<RequestId> {
        self.question.map(|question| question.id)
    }

    /// The renewal of the lease that was asked for and not answered yet.
    pub fn renewal(&self) -> Option<LeaseId> {
        self.lease_asked_us.map(|_| self.lease)
    }

    /// Whether there is consent and only the indicator is missing.
    pub fn awaits_indicator(&self) -> bool {
        self.state == State::Suspended && !self.indicated && self.held_by.is_empty()
    }

    /// Why it is over.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.reason
    }

    /// The latest time that was seen, in microseconds.
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// Whether the event fits, and if so what comes of it.
    fn take(&mut self, event: &Event, out: &mut Output) -> bool {
        if self.state.is_over() {
            return self.take_over(event, out);
        }
        match event {
            Event::PairingFailed
            | Event::NotAdmitted(_)
            | Event::Revoked
            | Event::SharerEnded
            | Event::HelperEnded
            | Event::ConnectionLost
            | Event::Failed
            | Event::AuditFailed => self.take_end(event, out),
            Event::PromptOpened => self.prompt_opened(out),
            Event::PromptClosed => self.prompt_closed(out),
            Event::LeaseRenewed(id, allowed) => self.renew(*id, *allowed, out),
            Event::Narrowed(source, allowed) => self.narrow(*source, *allowed, out),
            Event::Used(capabilities) => self.note_use(*capabilities, out),
            _ if self.state == State::Suspended || self.state.is_active() => {
                self.take_running(event, out)
            }
            _ => self.take_opening(event, out),
        }
    }

    fn move_to(&mut self, to: State, out: &mut Output) {
        out.facts.push(Fact::Moved { from: self.state, to });
        self.state = to;
    }

    fn after(&self, span_us: u64) -> u64 {
        self.now_us.saturating_add(span_us)
    }

    /// Asks the sharer, here and nowhere else.
    fn ask(&mut self, rights: Rights, out: &mut Output) {
        let (Some(request), Some(who)) = (self.request, &self.who) else { return };
        self.questions += 1;
        let id = RequestId(self.questions);
        let until_us = self.after(self.setup.limits.consent_us);
        self.question = Some(Question { id, rights, until_us });
        out.facts.push(Fact::Asked { request: id, rights });
        out.effects.push(Effect::AskSharer(ConsentRequest {
            id,
            invitation: request.invitation,
            peer: who.peer.clone(),
            rights,
            posture: who.device.posture,
            recording_allowed: self.setup.settings.recording_allowed,
        }));
    }
}

#[cfg(test)]
mod tests;
