//! The helpers of one sharer: who they are, what they may, and their feeds.

mod channels;
mod effects;
mod guest;
mod messages;

use super::admission::Admission;
use super::events::Teller;
use super::feed::Feed;
use super::hardware::Hardware;
use super::input::InputTarget;
use super::links::{LinkEvent, PeerId};
use super::peer::Peer;
use super::screen::Screen;
use super::stills::StillMaker;
use super::told::SharerEvent;
use crate::CodecChoice;
use crate::audit::Audit;
use crossbeam::channel::Sender;
use farpane_capture::{CursorShape, monotonic_us};
use farpane_policy::identity::CredentialError;
use farpane_policy::oidc::JwksError;
use farpane_policy::{AdvanceConsent, Answer, CaptureToken, EndReason, Event, Session, State};
use farpane_proto::datagram::Cursor;
use guest::Guest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Consents in advance that are remembered; older ones no longer count.
const MAX_ADVANCE: usize = 64;

/// Helpers at once, those included who have not introduced themselves yet.
const MAX_GUESTS: usize = 64;

/// What all helpers of a sharer share.
pub(crate) struct House {
    pub(crate) name: String,
    pub(crate) codec: CodecChoice,
    pub(crate) hardware: Option<Hardware>,
    pub(crate) stills: Option<StillMaker>,
    pub(crate) admission: Admission,
    pub(crate) input: InputTarget,
    /// Whether the app answers for leases; else this process does, as long as it lives.
    pub(crate) lease_by_app: bool,
    pub(crate) audit: Audit,
    pub(crate) links: Sender<(PeerId, LinkEvent)>,
    pub(crate) events: Teller,
}

/// All helpers.
pub(crate) struct Guests {
    guests: BTreeMap<PeerId, Guest>,
    next_id: PeerId,
    house: House,
    advance: Vec<AdvanceConsent>,
    /// Prompts of the sharer's machine that are open.
    prompts: usize,
    cursor: Option<(Cursor, Option<Arc<CursorShape>>)>,
}

impl Guests {
    pub(crate) fn new(house: House) -> Self {
        let (guests, advance) = (BTreeMap::new(), Vec::new());
        Self { guests, next_id: 1, house, advance, prompts: 0, cursor: None }
    }

    /// The consent to some helper's seeing the screen, when there is one.
    pub(crate) fn consent(&self) -> Option<CaptureToken> {
        self.guests.values().find(|guest| guest.may_watch())?.token.clone()
    }

    /// Whether some helper has seen the screen and will again when its session goes on.
    pub(crate) fn rest(&self) -> bool {
        self.guests.values().any(|guest| {
            let session = guest.session.as_ref().filter(|_| guest.token.is_some());
            session.is_some_and(|session| session.state() == State::Suspended)
        })
    }

    /// The helpers that may see the screen.
    pub(crate) fn watching(&mut self) -> impl Iterator<Item = (PeerId, &mut Peer)> {
        let guests = self.guests.iter_mut().filter(|(_, guest)| guest.may_watch());
        guests.map(|(id, guest)| (*id, &mut guest.peer))
    }

    /// Their feeds, as far as they have begun.
    pub(crate) fn feeds(&mut self) -> impl Iterator<Item = &mut Feed> {
        self.watching().filter_map(|(_, peer)| peer.feed.as_mut())
    }

    /// Begins to feed those who may see the screen and do not yet.
    pub(crate) fn start_feeds(&mut self, screen: &Screen) {
        let cursor = self.cursor.clone();
        for (_, peer) in self.watching().filter(|(_, peer)| peer.feed.is_none()) {
            peer.start_feed(monotonic_us(), screen);
            if let Some((cursor, shape)) = &cursor {
                peer.show_cursor(*cursor, shape.as_deref());
            }
        }
    }

    /// Where the pointer is and its shape, as known last.
    pub(crate) fn cursor(&self) -> Option<&(Cursor, Option<Arc<CursorShape>>)> {
        self.cursor.as_ref()
    }

    /// The pointer moved or changed its shape.
    pub(crate) fn set_cursor(&mut self, cursor: Cursor, shape: Option<Arc<CursorShape>>) {
        let known = self.cursor.take().and_then(|(_, shape)| shape);
        let shape = shape.or(known);
        for (_, peer) in self.watching() {
            peer.show_cursor(cursor, shape.as_deref());
        }
        self.cursor = Some((cursor, shape));
    }

    /// When something falls due: a deadline of a session, or a datagram.
    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        let due = |guest: &Guest| {
            let peer = guest.peer.poll_timeout().filter(|_| guest.may_watch());
            guest.deadline_us().into_iter().chain(peer).min()
        };
        self.guests.values().filter_map(due).min()
    }

    /// Lets time pass.
    pub(crate) fn handle_timeouts(&mut self, now_us: u64) {
        let is_due = |guest: &Guest| guest.deadline_us().is_some_and(|at| now_us >= at);
        let due: Vec<PeerId> =
            self.guests.iter().filter(|(_, guest)| is_due(guest)).map(|(id, _)| *id).collect();
        for id in due {
            if self.guests.get(&id).is_some_and(|guest| guest.session.is_none()) {
                self.drop_guest(id, "the helper did not say who it is");
            } else {
                self.step(id, Event::Tick);
            }
        }
    }

    /// Remembers the sharer's consent to a helper who is yet to ask.
    pub(crate) fn consent_in_advance(&mut self, consent: AdvanceConsent) {
        self.advance.push(consent);
        let excess = self.advance.len().saturating_sub(MAX_ADVANCE);
        self.advance.drain(..excess);
    }

    /// Takes the sharer's answer to one helper.
    pub(crate) fn answer(&mut self, id: PeerId, answer: Answer) {
        let question = self.guests.get_mut(&id).and_then(|guest| guest.question.take());
        if let Some(question) = question {
            self.step(id, Event::Answered(question, answer));
            self.step_others(id, &Event::PromptClosed);
        }
    }

    /// A prompt of the sharer's machine opened or closed: no input counts meanwhile.
    pub(crate) fn set_prompt(&mut self, open: bool) {
        match open {
            true => self.prompts += 1,
            // Else it would take a question to another helper for this prompt.
            false if self.prompts == 0 => return,
            false => self.prompts -= 1,
        }
        self.step_all(if open { &Event::PromptOpened } else { &Event::PromptClosed });
        self.tell_prompt();
    }

    /// Whether only the indicator is missing.
    pub(crate) fn awaits_indicator(&self) -> bool {
        let sessions = self.guests.values().filter_map(|guest| guest.session.as_ref());
        sessions.into_iter().any(Session::awaits_indicator)
    }

    /// Takes in the keys of the tenant's OpenID provider: who waits for them is looked at again.
    ///
    /// # Errors
    /// They are none.
    pub(crate) fn handle_keys(&mut self, bytes: &[u8]) -> Result<(), JwksError> {
        let Some(membership) = &self.house.admission.membership else { return Ok(()) };
        membership.handle_keys(bytes)?;
        let waiting = self.guests.iter_mut();
        let waiting = waiting.filter_map(|(id, guest)| Some((*id, guest.waits_for.take()?)));
        for (id, rights) in waiting.collect::<Vec<_>>() {
            self.asked(monotonic_us(), id, rights);
        }
        Ok(())
    }

    /// Takes in a revocation list: who was let in by what it names is let out.
    ///
    /// # Errors
    /// It does not count.
    pub(crate) fn handle_revocations(&mut self, bytes: &[u8]) -> Result<(), CredentialError> {
        let Some(membership) = self.house.admission.membership.clone() else { return Ok(()) };
        membership.handle_revocations(bytes)?;
        let gone = |guest: &Guest| {
            let presented = guest.presented.as_deref();
            guest.session.is_some() && membership.admit(presented, &guest.binding).is_err()
        };
        let gone: Vec<PeerId> =
            self.guests.iter().filter(|(_, guest)| gone(guest)).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.step(id, Event::Revoked));
        Ok(())
    }

    /// The same happens in every session.
    pub(crate) fn step_all(&mut self, event: &Event) {
        let ids: Vec<PeerId> = self.guests.keys().copied().collect();
        ids.into_iter().for_each(|id| self.step(id, event.clone()));
    }

    /// The same happens in every session but one.
    fn step_others(&mut self, id: PeerId, event: &Event) {
        let ids: Vec<PeerId> = self.guests.keys().copied().filter(|other| *other != id).collect();
        ids.into_iter().for_each(|id| self.step(id, event.clone()));
    }

    /// Something happens in one session.
    pub(crate) fn step(&mut self, id: PeerId, event: Event) {
        let Some(session) = self.guests.get_mut(&id).and_then(|guest| guest.session.as_mut())
        else {
            return;
        };
        let transition = session.handle(event, monotonic_us());
        let effects = transition.commit(|entries| self.house.audit.append(entries));
        effects.into_iter().for_each(|effect| self.obey(id, effect));
        self.ask_when_shown(id);
    }

    /// Ends every session, also those that have not begun, and the choice of an encoder.
    pub(crate) fn end_all(&mut self) {
        self.step_all(&Event::SharerEnded);
        self.guests.values().for_each(|guest| guest.peer.close(EndReason::SharerEnded));
        self.guests.clear();
        self.house.hardware = None;
    }

    /// The helper broke the rules before there was a session, or is of another version.
    fn drop_guest(&mut self, id: PeerId, reason: &str) {
        if let Some(guest) = self.guests.remove(&id) {
            guest.peer.refuse(reason);
        }
    }

    fn tell(&self, event: SharerEvent) {
        self.house.events.tell(event);
    }
}
