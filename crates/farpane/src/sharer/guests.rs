//! The helpers of one sharer: who they are, what they may, and their feeds.

use super::admission;
use super::events::Teller;
use super::feed::Feed;
use super::hardware::Hardware;
use super::journal::Journal;
use super::links::{LinkEvent, PeerId};
use super::peer::Peer;
use super::screen::Screen;
use super::session::SharerEvent;
use super::stills::StillMaker;
use crate::CodecChoice;
use crossbeam::channel::Sender;
use farpane_capture::{CursorShape, monotonic_us};
use farpane_net::{CloseReason, Connection};
use farpane_policy::{
    AdvanceConsent, Answer, CaptureToken, Effect, EndReason, Event, InvitationKey, Notice,
    RequestId, Session,
};
use farpane_proto::control::Control;
use farpane_proto::{VERSION, datagram::Cursor};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Consents in advance that are remembered; older ones no longer count.
const MAX_ADVANCE: usize = 64;

/// Helpers at once, those included who have not introduced themselves yet.
const MAX_GUESTS: usize = 64;

/// One helper.
struct Guest {
    peer: Peer,
    fingerprint: String,
    invitation: InvitationKey,
    /// When a helper that has not introduced itself by then is sent away.
    hello_by_us: u64,
    /// Absent until the helper has introduced itself.
    session: Option<Session>,
    token: Option<CaptureToken>,
    /// The question that waits for the sharer's answer.
    question: Option<RequestId>,
}

/// How long a helper may take to introduce itself.
const HELLO_WITHIN_US: u64 = 5_000_000;

impl Guest {
    /// When the next deadline of its session passes.
    fn deadline_us(&self) -> Option<u64> {
        match &self.session {
            Some(session) => session.next_deadline_us(),
            None => Some(self.hello_by_us),
        }
    }

    fn may_watch(&self) -> bool {
        self.token.as_ref().is_some_and(CaptureToken::is_valid)
    }
}

/// All helpers.
pub(crate) struct Guests {
    guests: BTreeMap<PeerId, Guest>,
    next_id: PeerId,
    name: String,
    codec: CodecChoice,
    hardware: Option<Hardware>,
    stills: Option<StillMaker>,
    advance: Vec<AdvanceConsent>,
    journal: Journal,
    links: Sender<(PeerId, LinkEvent)>,
    events: Teller,
    cursor: Option<(Cursor, Option<Arc<CursorShape>>)>,
}

impl Guests {
    pub(crate) fn new(
        name: String,
        codec: CodecChoice,
        (hardware, stills): (Option<Hardware>, Option<StillMaker>),
        links: Sender<(PeerId, LinkEvent)>,
        events: Teller,
    ) -> Self {
        let guests = BTreeMap::new();
        let advance = Vec::new();
        Self {
            guests,
            next_id: 1,
            name,
            codec,
            hardware,
            stills,
            advance,
            journal: Journal,
            links,
            events,
            cursor: None,
        }
    }

    /// The consent to some helper's seeing the screen, when there is one.
    pub(crate) fn consent(&self) -> Option<CaptureToken> {
        self.guests.values().find(|guest| guest.may_watch())?.token.clone()
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
        }
    }

    /// Ends one helper's session.
    pub(crate) fn end(&mut self, id: PeerId) {
        self.step(id, Event::SharerEnded);
    }

    /// Whether only the indicator is missing.
    pub(crate) fn awaits_indicator(&self) -> bool {
        let sessions = self.guests.values().filter_map(|guest| guest.session.as_ref());
        sessions.into_iter().any(Session::awaits_indicator)
    }

    /// Takes in what a helper's link brought.
    pub(crate) fn handle_link(&mut self, id: PeerId, event: LinkEvent) {
        let now_us = monotonic_us();
        match event {
            LinkEvent::Joined(connection) => self.join(*connection),
            LinkEvent::Control(bytes) => self.handle_control(now_us, id, &bytes),
            LinkEvent::Closed(reason) => self.handle_closed(id, &reason),
            LinkEvent::Drained => {}
            LinkEvent::Mtu(bytes) => {
                if let Some(guest) = self.guests.get_mut(&id) {
                    guest.peer.set_max_datagram_bytes(bytes);
                }
            }
            LinkEvent::Path(switch) => {
                let feed = self.guests.get_mut(&id).and_then(|guest| guest.peer.feed.as_mut());
                if let Some(feed) = feed {
                    feed.handle_path_change(now_us, &switch);
                }
                self.tell(SharerEvent::PathChanged { helper: id, switch });
            }
            LinkEvent::Datagram(bytes) => {
                let feed = self.guests.get_mut(&id).and_then(|guest| guest.peer.feed.as_mut());
                if feed.is_some_and(|feed| feed.handle_datagram(now_us, &bytes).is_err()) {
                    self.step(id, Event::Failed);
                }
            }
        }
    }

    fn join(&mut self, connection: Connection) {
        if self.events.is_crowded() || self.guests.len() >= MAX_GUESTS {
            return connection.close(EndReason::Error.code(), "the sharer is busy");
        }
        let id = self.next_id;
        self.next_id += 1;
        let fingerprint = connection.peer_key().fingerprint();
        let invitation = *connection.invitation_id().as_bytes();
        let peer = Peer::new(id, connection, self.links.clone());
        peer.tell(&Control::hello(&self.name, 0));
        let hello_by_us = monotonic_us() + HELLO_WITHIN_US;
        let guest = Guest {
            peer,
            fingerprint,
            invitation,
            hello_by_us,
            session: None,
            token: None,
            question: None,
        };
        self.guests.insert(id, guest);
    }

    fn handle_control(&mut self, now_us: u64, id: PeerId, bytes: &[u8]) {
        match Control::read(bytes) {
            Ok(Control::Hello { version: VERSION, name, video }) => {
                if let Some(guest) = self.guests.get_mut(&id) {
                    let software = self.codec.encoder_for(video);
                    let over = |open| match &self.hardware {
                        Some(hardware) => hardware.over(open),
                        None => open,
                    };
                    let stills = self.stills.as_ref().filter(|_| self.codec.has_stills(video));
                    guest.peer.set_video(software.map(over), stills.map(StillMaker::queue));
                }
                self.introduce(now_us, id, name);
            }
            Ok(Control::VideoFailed { stream }) => {
                let feed = self.guests.get_mut(&id).and_then(|guest| guest.peer.feed.as_mut());
                if let Some(feed) = feed {
                    feed.handle_undecodable(stream);
                }
            }
            Ok(Control::Hello { version, .. }) => {
                let reason = format!("the sharer speaks version {VERSION}, the helper {version}");
                self.drop_guest(id, &reason);
            }
            Ok(_) => {}
            Err(error) => self.drop_guest(id, &error.to_string()),
        }
    }

    /// A helper said who it is: its session begins.
    fn introduce(&mut self, now_us: u64, id: PeerId, name: String) {
        let Some(guest) = self.guests.get_mut(&id).filter(|guest| guest.session.is_none()) else {
            return;
        };
        let peer = match farpane_policy::Peer::new(&name, &guest.fingerprint) {
            Ok(peer) => peer,
            Err(error) => return self.drop_guest(id, &error.to_string()),
        };
        let invitation = guest.invitation;
        let request = admission::request(invitation);
        let advance = self.advance.iter().find(|a| a.covers(&request, now_us)).cloned();
        let setup = admission::setup(id, invitation, advance);
        let events = admission::introduction(id, invitation, peer);
        match setup.and_then(|setup| Ok((setup, events?))) {
            Ok((setup, events)) => {
                guest.session = Some(Session::new(setup, now_us));
                events.into_iter().for_each(|event| self.step(id, event));
            }
            Err(error) => self.drop_guest(id, &error.to_string()),
        }
    }

    fn handle_closed(&mut self, id: PeerId, reason: &CloseReason) {
        let ended = match reason {
            CloseReason::Peer { code, .. } if *code == EndReason::Error.code() => Event::Failed,
            CloseReason::Peer { .. } => Event::HelperEnded,
            _ => Event::ConnectionLost,
        };
        self.step(id, ended);
        self.guests.remove(&id);
    }

    fn step(&mut self, id: PeerId, event: Event) {
        let Some(session) = self.guests.get_mut(&id).and_then(|guest| guest.session.as_mut())
        else {
            return;
        };
        let transition = session.handle(event, monotonic_us());
        let effects = transition.commit(|entries| self.journal.append(entries));
        effects.into_iter().for_each(|effect| self.obey(id, effect));
    }

    /// The same happens in every session.
    pub(crate) fn step_all(&mut self, event: &Event) {
        let ids: Vec<PeerId> = self.guests.keys().copied().collect();
        ids.into_iter().for_each(|id| self.step(id, event.clone()));
    }

    /// Ends every session, also those that have not begun, and the choice of an encoder.
    pub(crate) fn end_all(&mut self) {
        self.step_all(&Event::SharerEnded);
        self.guests.values().for_each(|guest| guest.peer.close(EndReason::SharerEnded));
        self.guests.clear();
        self.hardware = None;
    }

    fn obey(&mut self, id: PeerId, effect: Effect) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        match effect {
            Effect::AskSharer(request) => {
                guest.question = Some(request.id);
                guest.peer.tell(&Control::ConsentPending);
                self.tell(SharerEvent::ConsentRequested { helper: id, request });
            }
            Effect::ShowIndicator(peer, mode) => {
                self.tell(SharerEvent::ShowIndicator { helper: id, peer, mode });
            }
            Effect::WithdrawQuestion(_) => guest.question = None,
            // The sharer's own process leases it, for as long as it lives.
            Effect::RenewLease(renewal) => self.step(id, admission::renewed(renewal)),
            Effect::TellHelper(Notice::Granted(_)) => guest.peer.tell(&Control::ConsentGranted),
            Effect::StartCapture(token) => {
                guest.token = Some(token);
                self.tell(SharerEvent::Sharing { helper: id });
            }
            Effect::StopCapture => guest.peer.feed = None,
            Effect::Close(reason) => {
                guest.peer.close(reason);
                self.step(id, Event::Closed);
            }
            Effect::End(reason) => {
                self.guests.remove(&id);
                self.tell(SharerEvent::Left { helper: id, reason });
            }
            _ => {}
        }
    }

    /// The helper broke the rules before there was a session, or is of another version.
    fn drop_guest(&mut self, id: PeerId, reason: &str) {
        if let Some(guest) = self.guests.remove(&id) {
            guest.peer.refuse(reason);
        }
    }

    fn tell(&self, event: SharerEvent) {
        self.events.tell(event);
    }
}
