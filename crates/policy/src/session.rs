//! One helper's session, as the library drives it.

use std::sync::Arc;

use crate::event::Event;
use crate::machine::{Machine, step};
use crate::rights::Rights;
use crate::setup::Setup;
use crate::state::{EndReason, State};
use crate::token::Tokens;
use crate::transition::Transition;

/// One helper's session, from its request to its end.
///
/// Feed every event to [`Session::handle`], commit the transition that comes back, and carry out
/// its effects in their order. Call it with [`Event::Tick`] at [`Session::next_deadline_us`] or at
/// least once a second. Times that run backwards count as standing still. Dropping the session
/// revokes its tokens.
#[derive(Debug)]
pub struct Session {
    pub(crate) machine: Machine,
    pub(crate) tokens: Tokens,
}

impl Session {
    /// A session at its beginning.
    pub fn new(setup: Setup, now_us: u64) -> Self {
        Self { machine: Machine::new(Arc::new(setup), now_us), tokens: Tokens::default() }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.machine.state()
    }

    /// Everything that decides what it does next.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// What the helper may do; `None` without consent and once it is over.
    pub fn rights(&self) -> Option<Rights> {
        self.machine.rights()
    }

    /// Whether there is consent and only the indicator is missing.
    pub fn awaits_indicator(&self) -> bool {
        self.machine.awaits_indicator()
    }

    /// Why it is over.
    pub fn end_reason(&self) -> Option<EndReason> {
        self.machine.end_reason()
    }

    /// When [`Session::handle`] must be called next at the latest; `None` when nothing is due.
    pub fn next_deadline_us(&self) -> Option<u64> {
        self.machine.next_deadline_us()
    }

    /// Takes one event. What it forbids is forbidden when this returns; what it allows, only once
    /// the transition is committed. Deadlines that have passed come first, so an answer or a sign
    /// of life that is late is none. Events that do not fit the state change nothing.
    pub fn handle(&mut self, event: Event, now_us: u64) -> Transition<'_> {
        let before = self.machine.clone();
        let used = step(&before, &Event::Used(self.tokens.used()), now_us);
        let taken = step(&used.machine, &event, now_us);
        self.machine = taken.machine;
        self.tokens.close(&self.machine.open());
        let accepted = used.accepted | taken.accepted;
        let effects = [used.effects, taken.effects].concat();
        let audit = [used.audit, taken.audit].concat();
        Transition::new(self, before, accepted, effects, audit)
    }
}

#[cfg(test)]
mod tests;
