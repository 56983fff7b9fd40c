//! What helpers say.

use super::guest::{Guest, OpenChannels, Words};
use super::{Guests, MAX_GUESTS};
use crate::audit::PeerLog;
use crate::channel::{Files, Opener, SEAL_LABEL, rights_of};
use crate::membership::Binding;
use crate::sharer::admission;
use crate::sharer::links::{LinkEvent, PeerId};
use crate::sharer::peer::Peer;
use crate::sharer::stills::StillMaker;
use crate::sharer::told::SharerEvent;
use farpane_capture::monotonic_us;
use farpane_net::{CloseReason, Connection};
use farpane_policy::{EndReason, Event, Rights, Session, Side};
use farpane_proto::VERSION;
use farpane_proto::control::Control;
use std::sync::Arc;

impl Guests {
    /// Takes in what a helper's link brought.
    pub(crate) fn handle_link(&mut self, id: PeerId, event: LinkEvent) {
        let now_us = monotonic_us();
        match event {
            LinkEvent::Joined(connection) => self.join(*connection),
            LinkEvent::Control(bytes) => self.handle_control(now_us, id, &bytes),
            LinkEvent::Blob(kind, bytes) => self.handle_blob(id, kind, &bytes),
            LinkEvent::Closed(reason) => self.handle_closed(id, &reason),
            LinkEvent::Drained => {}
            LinkEvent::InputFailed(reason) => self.input_failed(id, reason),
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
                let guest = self.guests.get_mut(&id);
                if guest.is_some_and(|g| g.peer.handle_datagram(now_us, &bytes).is_err()) {
                    self.step(id, Event::Failed);
                }
            }
        }
    }

    fn join(&mut self, connection: Connection) {
        if self.house.events.is_crowded() || self.guests.len() >= MAX_GUESTS {
            return connection.close(EndReason::Error.code(), "the sharer is busy");
        }
        let binding = Binding::of(&connection).zip(connection.export(SEAL_LABEL));
        let Some((binding, seal_key)) = binding else { return };
        let id = self.next_id;
        self.next_id += 1;
        let fingerprint = connection.peer_key().fingerprint();
        let invitation = *connection.invitation_id().as_bytes();
        let peer = Peer::new(id, connection, self.house.links.clone());
        peer.tell(&Control::hello(&self.house.name, 0));
        // Empty without a tenant, so that nobody waits for more.
        peer.tell(&Control::Credentials(self.house.admission.present(&binding)));
        let now_us = monotonic_us();
        let events = self.house.events.clone();
        let tell = move |event| events.tell(SharerEvent::File { helper: id, event });
        let guest = Guest {
            files: Files::new(peer.link(), Arc::new(tell)),
            peer,
            fingerprint,
            invitation,
            binding,
            name: None,
            presented: None,
            waits_for: None,
            hello_by_us: Guest::hello_by(now_us),
            session: None,
            token: None,
            open: OpenChannels::default(),
            secrets: Opener::new(seal_key),
            question: None,
            words: Words::new(now_us),
            refusal: None,
            peer_log: PeerLog::default(),
        };
        self.guests.insert(id, guest);
    }

    fn handle_control(&mut self, now_us: u64, id: PeerId, bytes: &[u8]) {
        let message = match Control::read(bytes) {
            Ok(message) => message,
            Err(error) => return self.broke_rules(id, &error.to_string()),
        };
        let Some(guest) = self.guests.get_mut(&id) else { return };
        if is_counted(&message) && !guest.words.take(now_us) {
            return self.said_too_much(id);
        }
        match message {
            Control::Hello { version: VERSION, name, video } => self.greeted(id, name, video),
            Control::Hello { version, .. } => {
                let reason = format!("the sharer speaks version {VERSION}, the helper {version}");
                self.drop_guest(id, &reason);
            }
            Control::Credentials(bytes) if guest.session.is_none() && guest.waits_for.is_none() => {
                guest.presented = Some(bytes);
            }
            Control::Ask(rights) => match rights_of(rights) {
                Some(rights) => self.asked(now_us, id, rights),
                None => self.broke_rules(id, "the helper asks for rights that do not fit together"),
            },
            Control::VideoFailed { stream } => {
                if let Some(feed) = &mut guest.peer.feed {
                    feed.handle_undecodable(stream);
                }
            }
            Control::Hold(true) => self.step(id, Event::Suspend(Side::Helper)),
            Control::Hold(false) => self.step(id, Event::Resume(Side::Helper)),
            Control::ComplianceSeen => self.step(id, Event::ComplianceSeen(Side::Helper)),
            Control::AuditHead(head) => self.sign_head(id, &head),
            Control::AuditSigned(signed) => {
                self.house.audit.accept(&mut guest.peer_log, &signed);
            }
            other => self.handle_channel(id, other),
        }
    }

    /// A helper said what it is called and which video it decodes.
    fn greeted(&mut self, id: PeerId, name: String, video: u32) {
        let house = &self.house;
        let Some(guest) = self.guests.get_mut(&id).filter(|guest| guest.name.is_none()) else {
            return;
        };
        let over = |open| match &house.hardware {
            Some(hardware) => hardware.over(open),
            None => open,
        };
        let software = house.codec.encoder_for(video);
        let stills = house.stills.as_ref().filter(|_| house.codec.has_stills(video));
        guest.peer.set_video(software.map(over), stills.map(StillMaker::queue));
        guest.name = Some(name);
    }

    /// A helper asks for rights: its session begins, or goes on with others.
    pub(super) fn asked(&mut self, now_us: u64, id: PeerId, rights: Rights) {
        let Some(guest) = self.guests.get_mut(&id) else { return };
        if guest.session.is_some() {
            return self.step(id, Event::MoreRequested(rights));
        }
        if guest.waits_for.is_some() {
            return self.broke_rules(id, "the helper asks again before it is known who it is");
        }
        let Some(name) = guest.name.clone() else {
            return self.drop_guest(id, "the helper asks before it has said who it is");
        };
        let admission = &self.house.admission;
        let introduction = admission::Introduction {
            name: &name,
            fingerprint: &guest.fingerprint,
            invitation: guest.invitation,
            presented: guest.presented.as_deref(),
            binding: guest.binding,
            rights,
        };
        let who = admission.authenticate(&introduction);
        if who.as_ref().is_err_and(admission::NotLetIn::needs_keys) {
            (guest.waits_for, guest.hello_by_us) = (Some(rights), Guest::hello_by(now_us));
            return self.tell(SharerEvent::KeysNeeded { helper: id });
        }
        guest.refusal = who.as_ref().err().map(ToString::to_string);
        let refusal = guest.refusal.clone();
        let request = introduction.request();
        let advance = self.advance.iter().find(|a| a.covers(&request, now_us)).cloned();
        match admission.setup(&introduction, advance) {
            Ok(setup) => guest.session = Some(Session::new(setup, now_us)),
            Err(error) => return self.drop_guest(id, &error.to_string()),
        }
        if let Some(reason) = refusal {
            self.tell(SharerEvent::Refused { helper: id, reason });
        }
        let others = self.questions_of_others(id) + self.prompts;
        let prompts = std::iter::repeat_n(Event::PromptOpened, others);
        let opening = admission::opening(request, who);
        opening.into_iter().for_each(|event| self.step(id, event));
        prompts.for_each(|event| self.step(id, event));
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

    pub(super) fn said_too_much(&mut self, id: PeerId) {
        self.broke_rules(id, "the helper says too much in too short a time");
    }

    /// The helper said what no helper says.
    pub(super) fn broke_rules(&mut self, id: PeerId, reason: &str) {
        log::warn!("helper {id}: {reason}");
        match self.guests.get(&id).is_some_and(|guest| guest.session.is_some()) {
            true => self.step(id, Event::Failed),
            false => self.drop_guest(id, reason),
        }
    }
}

/// Whether a message costs the sharer more than reading it. Pieces of files have their own bound.
fn is_counted(message: &Control) -> bool {
    !matches!(message, Control::FileTaken { .. } | Control::Input(_) | Control::VideoFailed { .. })
}
