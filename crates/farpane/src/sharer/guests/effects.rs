//! What sessions tell the sharer to do.

use super::Guests;
use crate::channel::{posture_byte, wire_reach, wire_rights};
use crate::sharer::admission::INPUT;
use crate::sharer::input::Ways;
use crate::sharer::links::PeerId;
use crate::sharer::told::SharerEvent;
use farpane_policy::{
    Capabilities, Capability, Effect, EndReason, Event, InputToken, LeaseId, Notice, Posture,
    RequestId, Side, Source, State,
};
use farpane_proto::control::Control;

impl Guests {
    pub(super) fn obey(&mut self, id: PeerId, effect: Effect) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        match effect {
            Effect::AskSharer(request) => {
                self.open_question(id, request.id);
                self.tell(SharerEvent::ConsentRequested { helper: id, request });
            }
            // The sharer's own no withdraws nothing.
            Effect::WithdrawQuestion(_) if guest.question.is_some() => {
                self.close_question(id);
                self.tell(SharerEvent::QuestionWithdrawn { helper: id });
            }
            Effect::ShowIndicator(peer, mode) => {
                self.tell(SharerEvent::ShowIndicator { helper: id, peer, mode });
            }
            Effect::ShowCompliance(posture) => self.show_compliance(id, posture),
            Effect::RenewLease(renewal) => self.renew(id, renewal),
            Effect::TellHelper(notice) => {
                guest.peer.tell(&told(notice));
                self.show_head(id);
            }
            Effect::StartCapture(token) => {
                guest.token = Some(token);
                self.tell(SharerEvent::Sharing { helper: id });
                self.tell_prompt();
            }
            Effect::StopCapture => guest.peer.rest(),
            Effect::StartInput(token) => self.start_input(id, token),
            Effect::StopInput => {
                guest.peer.input.close();
                guest.peer.tell(&Control::InputClosed);
            }
            Effect::StartChannels(tokens) => {
                guest.open.take(&tokens);
                self.tell_prompt();
            }
            Effect::StopChannels(closed) => self.stop_channels(id, closed),
            Effect::SignOut => self.tell(SharerEvent::SignOut { helper: id }),
            Effect::Close(reason) => self.close(id, reason),
            Effect::End(reason) => {
                self.close_question(id);
                self.guests.remove(&id);
                self.tell(SharerEvent::Left { helper: id, reason });
            }
            // The app learns of the end itself, and the keys go with the guest.
            _ => {}
        }
    }

    fn close(&mut self, id: PeerId, reason: EndReason) {
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.peer.input.close();
            let words = guest.refusal.take().unwrap_or_else(|| reason.to_string());
            guest.peer.close_saying(reason, &words);
            guest.files.stop(true, "the session has ended");
            guest.files.stop(false, "the session has ended");
        }
        self.step(id, Event::Closed);
    }

    /// Both ends see whether the device keeps the rules before the sharer is asked.
    fn show_compliance(&mut self, id: PeerId, posture: Posture) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        if posture.needs_warning() {
            guest.peer.tell(&Control::Compliance(posture_byte(posture)));
            self.tell(SharerEvent::ComplianceWarning { helper: id, posture });
        } else {
            // There is nothing to warn of.
            self.step(id, Event::ComplianceSeen(Side::Sharer));
        }
    }

    /// The app can always ask.
    pub(super) fn ask_when_shown(&mut self, id: PeerId) {
        let session = self.guests.get(&id).and_then(|guest| guest.session.as_ref());
        if session.is_some_and(|session| session.state() == State::ComplianceShown) {
            self.step(id, Event::Ask);
        }
    }

    fn renew(&mut self, id: PeerId, renewal: LeaseId) {
        match self.house.lease_by_app {
            true => self.tell(SharerEvent::LeaseDue { helper: id, renewal }),
            // The sharer's own process leases it, for as long as it lives.
            false => self.step(id, Event::LeaseRenewed(renewal, Capabilities::ALL)),
        }
    }

    /// While one helper waits for the sharer's answer, no other one clicks on it.
    fn open_question(&mut self, id: PeerId, question: RequestId) {
        if let Some(guest) = self.guests.get_mut(&id) {
            guest.peer.tell(&Control::ConsentPending);
            if guest.question.replace(question).is_none() {
                self.step_others(id, &Event::PromptOpened);
            }
        }
    }

    pub(super) fn close_question(&mut self, id: PeerId) {
        let question = self.guests.get_mut(&id).and_then(|guest| guest.question.take());
        if question.is_some() {
            self.step_others(id, &Event::PromptClosed);
        }
    }

    pub(super) fn questions_of_others(&self, id: PeerId) -> usize {
        let others = self.guests.iter().filter(|(other, _)| **other != id);
        others.filter(|(_, guest)| guest.question.is_some()).count()
    }

    fn start_input(&mut self, id: PeerId, token: InputToken) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        let message = Control::InputOpen { epoch: token.epoch(), reach: wire_reach(token.reach()) };
        let (events, links) = (self.house.events.clone(), self.house.links.clone());
        guest.peer.input.open(&self.house.input, token, Ways { helper: id, events, links });
        guest.peer.tell(&message);
    }

    /// The display takes no input: what needs it is taken back.
    pub(super) fn input_failed(&mut self, id: PeerId, reason: String) {
        self.tell(SharerEvent::InputFailed { helper: id, reason });
        let left = Capabilities::ALL.without(INPUT);
        self.step(id, Event::Narrowed(Source::Platform, left));
    }

    fn stop_channels(&mut self, id: PeerId, closed: Capabilities) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        for (capability, outgoing) in [(Capability::FileOut, true), (Capability::FileIn, false)] {
            if closed.contains(capability) {
                guest.files.stop(outgoing, "files may not move any more");
            }
        }
    }

    /// Tells those who may answer it whether a prompt for credentials is open.
    pub(super) fn tell_prompt(&self) {
        let open = self.prompts > 0;
        for guest in self.guests.values() {
            if guest.open.credentials.as_ref().is_some_and(|token| token.is_valid()) {
                guest.peer.tell(&Control::Prompt(open));
            }
        }
    }

    /// Shows the helper how far the sharer's audit log is, to be signed.
    fn show_head(&mut self, id: PeerId) {
        let head = self.house.audit.seal();
        if let (Some(guest), Some(head)) = (self.guests.get(&id), head) {
            guest.peer.tell(&Control::AuditHead(head));
        }
    }

    /// Signs the head of a helper's audit log.
    pub(super) fn sign_head(&mut self, id: PeerId, head: &[u8]) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        if let Some(signed) = self.house.audit.countersign(&mut guest.peer_log, head) {
            guest.peer.tell(&Control::AuditSigned(signed));
        }
    }
}

fn told(notice: Notice) -> Control {
    match notice {
        Notice::Granted(rights) => Control::Granted(wire_rights(rights)),
        Notice::Refused => Control::Refused,
        Notice::Suspended => Control::Suspended,
        _ => Control::Resumed,
    }
}
