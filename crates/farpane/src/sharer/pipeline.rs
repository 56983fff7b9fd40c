//! The sharer's one pipeline thread: frames and reports in, datagrams out.

use super::encoders::Encoders;
use super::events::Teller;
use super::feed::{Feed, UpdateStats};
use super::grabber::{Grabbed, Grabber, OpenSource};
use super::guests::Guests;
use super::intake::{Input, Intake};
use super::links::{LinkEvent, PeerId};
use super::peer::Peer;
use super::screen::{Compared, Screen, Search, damage_px};
use super::session::{Command, NotReady, SharerStats};
use super::told::SharerEvent;
use crate::Error;
use crate::records::ShareRecord;
use crossbeam::channel::{Sender, never};
use farpane_capture::{CaptureCounters, CaptureEvent, CursorUpdate, Frame, monotonic_us};
use farpane_policy::{Event, Side};
use farpane_proto::datagram::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Input taken in before output is made, so that a flood of input cannot starve output.
const MAX_INTAKE: usize = 1_024;

/// What connects the pipeline with the other threads.
pub(crate) struct Wiring {
    pub(crate) intake: Intake<Command, (PeerId, LinkEvent)>,
    pub(crate) events: Teller,
    pub(crate) records: Sender<ShareRecord>,
    pub(crate) stats: Arc<Mutex<SharerStats>>,
    pub(crate) wait_for_start: bool,
    pub(crate) open: Box<dyn Fn() -> OpenSource + Send>,
}

/// When the frame that is being sent passed each stage.
#[derive(Clone, Copy, Default)]
struct Times {
    notice_us: u64,
    capture_us: u64,
    compared_us: u64,
}

impl Times {
    fn record(
        &self,
        helper: PeerId,
        stats: &UpdateStats,
        feed: &Feed,
        encoded_us: u64,
        watchdog_misses: u64,
    ) -> ShareRecord {
        ShareRecord {
            helper,
            update: stats.update,
            notice_us: self.notice_us,
            capture_us: self.capture_us,
            compared_us: self.compared_us,
            encoded_us,
            sent_us: monotonic_us(),
            bytes: stats.bytes,
            tiles: stats.tiles,
            copies: stats.copies,
            cached: stats.cached,
            units: stats.units,
            partial: stats.partial,
            window_bytes: feed.window_bytes(),
            queue_delay_us: feed.queue_delay_us(),
            rtt_us: feed.rtt_us(),
            watchdog_misses,
        }
    }
}

/// The pipeline's state.
pub(crate) struct Pipeline {
    wiring: Wiring,
    guests: Guests,
    encoders: Encoders,
    grabber: Option<Grabber>,
    screen: Option<Screen>,
    times: Times,
    search: Search,
    /// Whether the app lets the screen be captured.
    started: bool,
    /// Whether the capture thread said that it would say no more.
    source_ended: bool,
}

impl Pipeline {
    pub(crate) fn new(wiring: Wiring, guests: Guests, encoders: Encoders, search: Search) -> Self {
        Self {
            started: !wiring.wait_for_start,
            source_ended: false,
            wiring,
            guests,
            encoders,
            grabber: None,
            screen: None,
            times: Times::default(),
            search,
        }
    }

    /// Runs until the sharer stops.
    pub(crate) fn run(mut self) {
        while self.wait() {
            crate::fault::point("farpane-share");
            self.guests.handle_timeouts(monotonic_us());
            self.follow_consent();
            self.send();
        }
        self.guests.end_all();
        self.grabber = None;
        self.tell(SharerEvent::Stopped { failed: false });
    }

    /// Waits for input and takes in all that is there; false when the sharer stops.
    fn wait(&mut self) -> bool {
        let wait_us =
            self.guests.poll_timeout().map_or(u64::MAX, |at| at.saturating_sub(monotonic_us()));
        let wait = Duration::from_micros(wait_us.min(3_600_000_000));
        let nothing = never();
        let grabbed = self.grabber.as_ref().map_or(&nothing, |g| &g.events).clone();
        if let Some(grabbed) = self.wiring.intake.wait(&grabbed, wait) {
            self.take_grabbed(grabbed);
        }
        for _ in 0..MAX_INTAKE {
            match self.wiring.intake.take() {
                Some(Input::Command(Command::Stop) | Input::Over) => return false,
                Some(Input::Command(command)) => self.handle_command(command),
                Some(Input::Link((peer, event))) => self.guests.handle_link(peer, event),
                None => break,
            }
        }
        true
    }

    /// Does what the app asks for.
    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Advance(consent) => self.guests.consent_in_advance(consent),
            Command::Answer(id, answer) => self.guests.answer(id, answer),
            Command::IndicatorShown => self.guests.step_all(&Event::IndicatorAck),
            Command::StartCapture(reply) => {
                let ready = match self.guests.consent() {
                    Some(_) => Ok(()),
                    None if self.guests.awaits_indicator() => Err(NotReady::IndicatorRequired),
                    None => Err(NotReady::ConsentRequired),
                };
                self.started |= ready.is_ok();
                let _ = reply.send(ready);
            }
            Command::End(id, reply) => {
                self.guests.step(id, Event::SharerEnded);
                let _ = reply.send(());
            }
            Command::Revoke(id, reply) => {
                self.guests.step(id, Event::Revoked);
                let _ = reply.send(());
            }
            Command::Revocations(bytes, reply) => {
                let _ = reply.send(self.guests.handle_revocations(&bytes));
            }
            Command::Keys(bytes, reply) => {
                let _ = reply.send(self.guests.handle_keys(&bytes));
            }
            Command::ComplianceSeen(id) => {
                self.guests.step(id, Event::ComplianceSeen(Side::Sharer));
            }
            Command::RenewLease(id, renewal, allowed) => {
                self.guests.step(id, Event::LeaseRenewed(renewal, allowed));
            }
            Command::Lower(id, rights) => {
                self.guests.step(id, Event::Lowered(Side::Sharer, rights));
            }
            Command::Hold(id, true) => self.guests.step(id, Event::Suspend(Side::Sharer)),
            Command::Hold(id, false) => self.guests.step(id, Event::Resume(Side::Sharer)),
            Command::Prompt(open) => self.guests.set_prompt(open),
            Command::Stop => {}
            other => self.handle_channel_command(other),
        }
    }

    /// Moves what the app sends by a channel.
    fn handle_channel_command(&mut self, command: Command) {
        match command {
            Command::Chat(id, text, reply) => {
                let _ = reply.send(self.guests.send_chat(id, text));
            }
            Command::Clipboard(id, text, reply) => {
                let _ = reply.send(self.guests.send_clipboard(id, text));
            }
            Command::OfferFile(id, offer, reply) => {
                let _ = reply.send(self.guests.offer_file(id, offer));
            }
            Command::AnswerFile(id, file, to) => self.guests.answer_file(id, file, to),
            Command::StopFile(id, file) => self.guests.stop_file(id, file),
            _ => {}
        }
    }

    /// Captures while, and only while, somebody may see the screen and the app has started it.
    fn follow_consent(&mut self) {
        let consent = self.guests.consent();
        if consent.is_none() && !self.guests.rest() {
            self.started = !self.wiring.wait_for_start;
        }
        match (consent.filter(|_| self.started), &self.grabber) {
            (Some(consent), None) => match Grabber::start((self.wiring.open)(), &consent) {
                Ok(grabber) => (self.grabber, self.source_ended) = (Some(grabber), false),
                Err(error) => self.fail(&error.to_string()),
            },
            (None, Some(_)) => (self.grabber, self.screen) = (None, None),
            _ => {}
        }
        if let Some(screen) = &self.screen {
            self.guests.start_feeds(screen);
        }
    }

    fn take_grabbed(&mut self, grabbed: Option<Grabbed>) {
        let result = match grabbed {
            Some(Grabbed::Event(CaptureEvent::Frame(frame))) => self.take_frame(&frame),
            Some(Grabbed::Event(CaptureEvent::Cursor(update))) => {
                self.take_cursor(&update);
                Ok(())
            }
            Some(Grabbed::Event(CaptureEvent::Lost(reason))) => {
                self.tell(SharerEvent::ScreenLost { reason });
                Ok(())
            }
            Some(Grabbed::Event(CaptureEvent::Ended)) => {
                self.source_ended = true;
                self.tell(SharerEvent::SourceEnded);
                Ok(())
            }
            Some(Grabbed::Event(_)) => Ok(()),
            Some(Grabbed::Failed(error)) => Err(error.into()),
            // The capture thread is gone, as it should be or not.
            None => {
                if let Some(grabber) = &mut self.grabber {
                    grabber.events = never();
                }
                let name = "farpane-capture";
                let reason = "it ended unexpectedly".to_owned();
                if self.source_ended { Ok(()) } else { Err(Error::Thread { name, reason }) }
            }
        };
        if let Err(error) = result {
            self.fail(&error.to_string());
        }
    }

    fn take_frame(&mut self, frame: &Frame) -> Result<(), Error> {
        let Some(screen) = &mut self.screen else {
            let screen = Screen::new(frame, self.search)?;
            self.note_times(frame);
            self.screen = Some(screen);
            return Ok(());
        };
        let (now_us, damage_px) = (monotonic_us(), damage_px(frame));
        self.guests.feeds().for_each(|feed| feed.handle_captured(now_us));
        match self.encoders.share(damage_px, || screen.compare(frame))? {
            Compared::Same => return Ok(()),
            Compared::Reset => self.guests.feeds().for_each(|feed| feed.reset(now_us, screen)),
            Compared::Changed => {
                self.guests.feeds().for_each(|feed| feed.handle_change(now_us, screen));
                self.encoders.share(damage_px, || screen.apply(frame))?;
                self.guests.feeds().for_each(|feed| feed.handle_applied(now_us, screen));
            }
        }
        self.note_times(frame);
        Ok(())
    }

    fn note_times(&mut self, frame: &Frame) {
        self.times = Times {
            notice_us: frame.notice_us,
            capture_us: frame.capture_us,
            compared_us: monotonic_us(),
        };
    }

    fn take_cursor(&mut self, update: &CursorUpdate) {
        let shape = update.shape.as_ref().map(|shape| shape.serial);
        let known = self.guests.cursor().map_or(0, |(cursor, _)| cursor.shape);
        let cursor = Cursor {
            x: update.x,
            y: update.y,
            visible: update.visible,
            // Serials of a display may be 0; on the wire that means no shape.
            shape: shape.map_or(known, |serial| serial.wrapping_add(1) & (u64::MAX >> 2)),
        };
        self.guests.set_cursor(cursor, update.shape.clone());
    }

    /// Encodes and sends what is due to each helper, and asks for the next frame when some
    /// helper could be sent one at once.
    fn send(&mut self) {
        let Some(screen) = &self.screen else {
            self.count(0, CaptureCounters::default(), &[]);
            return self.want_frame();
        };
        let counters = self.grabber.as_ref().map_or_else(Default::default, Grabber::counters);
        let mut helpers = 0;
        let mut sent = Vec::new();
        for (id, peer) in self.guests.watching() {
            helpers += 1;
            let mut record = |stats: Option<UpdateStats>, peer: &mut Peer| {
                let encoded_us = monotonic_us();
                peer.transmit(encoded_us);
                if let (Some(stats), Some(feed)) = (stats, &peer.feed) {
                    let misses = counters.watchdog_misses;
                    sent.push(self.times.record(id, &stats, feed, encoded_us, misses));
                }
            };
            let flush = |feed: &mut Feed| feed.flush(monotonic_us(), screen, &self.encoders);
            let stats = peer.feed.as_mut().and_then(flush);
            record(stats, peer);
            // What is urgent is on its way before films are encoded.
            let flush = |feed: &mut Feed| feed.flush_rest(monotonic_us(), screen, &self.encoders);
            let stats = peer.feed.as_mut().and_then(flush);
            if stats.is_some() {
                record(stats, peer);
            }
        }
        self.count(helpers, counters, &sent);
        let now_us = monotonic_us();
        if self.guests.feeds().any(|feed| feed.wants_frame(now_us)) {
            self.want_frame();
        }
    }

    /// Adds what was sent to the statistics.
    fn count(&self, helpers: u64, counters: CaptureCounters, sent: &[ShareRecord]) {
        let mut stats = self.wiring.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats.helpers = helpers;
        stats.frames = counters.frames;
        stats.frames_by_gpu = self.screen.as_ref().map_or(0, Screen::frames_by_gpu);
        stats.watchdog_checks = counters.watchdog_checks;
        stats.watchdog_misses = counters.watchdog_misses;
        for record in sent {
            stats.updates += 1;
            stats.bytes += record.bytes;
            (stats.rtt_us, stats.queue_delay_us) = (record.rtt_us, record.queue_delay_us);
            let _ = self.wiring.records.try_send(*record);
        }
    }

    fn want_frame(&self) {
        if let (Some(grabber), Some(consent)) = (&self.grabber, self.guests.consent()) {
            grabber.want(&consent);
        }
    }

    /// The screen cannot be shared any more: says so and ends every session.
    fn fail(&mut self, reason: &str) {
        self.tell(SharerEvent::Failed { reason: reason.to_owned() });
        self.guests.step_all(&Event::Failed);
    }

    fn tell(&self, event: SharerEvent) {
        self.wiring.events.tell(event);
    }
}
