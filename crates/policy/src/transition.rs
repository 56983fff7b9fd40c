//! Nothing happens before it is written down.

use crate::effect::Effect;
use crate::event::Event;
use crate::machine::{Machine, step};
use crate::record::AuditEvent;
use crate::session::Session;

/// What came of an event, withheld until the audit log has it.
///
/// It gives its effects, and with them the tokens, only to whoever has appended its entries. One
/// that is dropped ends the session as one whose entries could not be appended.
///
/// ```compile_fail
/// fn effects(transition: farpane_policy::Transition<'_>) -> Vec<farpane_policy::Effect> {
///     transition.effects
/// }
/// ```
#[derive(Debug)]
#[must_use = "a session whose transition is not committed ends"]
pub struct Transition<'s> {
    session: &'s mut Session,
    before: Machine,
    accepted: bool,
    effects: Vec<Effect>,
    audit: Vec<AuditEvent>,
    committed: bool,
}

impl<'s> Transition<'s> {
    pub(crate) fn new(
        session: &'s mut Session,
        before: Machine,
        accepted: bool,
        effects: Vec<Effect>,
        audit: Vec<AuditEvent>,
    ) -> Self {
        Self { session, before, accepted, effects, audit, committed: false }
    }

    /// Whether the event or a deadline changed something.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// What has to be written down.
    pub fn audit(&self) -> &[AuditEvent] {
        &self.audit
    }

    /// Appends the entries and gives the effects. `append` returns once they are durable; it is
    /// not called when there are none. If it fails the session ends, and the effects are those of
    /// an end with [`EndReason::AuditFailed`](crate::EndReason::AuditFailed); `append` is then
    /// called once more with what tells of that, for which a log may have kept room.
    #[must_use = "the effects have to be carried out"]
    pub fn commit<E>(
        mut self,
        mut append: impl FnMut(&[AuditEvent]) -> Result<(), E>,
    ) -> Vec<Effect> {
        self.committed = true;
        if !self.audit.is_empty() && append(&self.audit).is_err() {
            let (effects, end) = self.fail();
            let _ = append(&end);
            return effects;
        }
        let session = &mut *self.session;
        let opened = session.tokens.open(&session.machine.open());
        let mut effects = std::mem::take(&mut self.effects);
        effects.extend(opened.capture.map(Effect::StartCapture));
        effects.extend(opened.input.map(Effect::StartInput));
        if !opened.channels.channels().is_empty() {
            effects.push(Effect::StartChannels(opened.channels));
        }
        effects
    }

    /// The end of a session that cannot be written down, from where it was.
    fn fail(&mut self) -> (Vec<Effect>, Vec<AuditEvent>) {
        let session = &mut *self.session;
        let failed = step(&self.before, &Event::AuditFailed, session.machine.now_us());
        session.machine = failed.machine;
        session.tokens.close(&session.machine.open());
        (failed.effects, failed.audit)
    }
}

impl Drop for Transition<'_> {
    fn drop(&mut self) {
        if !self.committed && !self.audit.is_empty() {
            self.fail();
        }
    }
}
