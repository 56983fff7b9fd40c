//! One connection's worth of capturing: from notices to frames.

use super::bell::Bell;
use super::display::{Display, Notices, Question};
use super::fault::Fault;
use super::followup::Followup;
use super::grab::{Grabber, Transport};
use super::monitors::find_area;
use super::slots::Lease;
use super::watchdog::Look;
use super::{State, Step, X11Options};
use crate::{CaptureError, CaptureEvent, Damage, Frame, Pixels, monotonic_us};
use farpane_frame::{Rect, Region};
use std::sync::Arc;
use std::time::Instant;
use x11rb::protocol::xproto::Rectangle;

/// Refused requests in a row after which the connection is given up: a few come from resizes
/// that overtake a request, more mean that something else is wrong.
const MAX_REFUSALS: u32 = 8;

/// A display that is there, and what it reported and was not handed out yet.
#[derive(Debug)]
pub(super) struct Session {
    display: Display,
    grabber: Grabber,
    monitor: Option<String>,
    /// Whether the monitor is plugged in.
    present: bool,
    pending: Pending,
    refusals: u32,
    /// No frame was free to fill; one that returns ends the wait.
    starved: bool,
    /// The pointer's turn comes after each frame, so that neither starves the other.
    cursor_first: bool,
    followup: Followup,
}

/// What still has to be asked for or handed out.
#[derive(Debug, Default)]
struct Pending {
    question: Question,
    ask: bool,
    geometry: bool,
    region: Region,
    full: bool,
    notice_us: Option<u64>,
}

impl Session {
    pub(super) fn open(options: &X11Options, bell: &Arc<Bell>) -> Result<Self, CaptureError> {
        let display = Display::open(options.display.as_deref())?;
        let area = match find_area(&display, options.monitor.as_deref()) {
            Ok(Ok(area)) => area,
            Ok(Err(known)) => {
                let name = options.monitor.clone().unwrap_or_default();
                return Err(CaptureError::Monitor { name, known });
            }
            Err(fault) => {
                let (display, reason) = (display.name.clone(), fault.reason());
                return Err(CaptureError::Open { display, reason });
            }
        };
        let grabber = Grabber::new(&display, area, options.transport, Arc::clone(bell))?;
        let question = Question { damage: true, cursor_image: true };
        let pending =
            Pending { question, ask: true, full: true, notice_us: None, ..Pending::default() };
        Ok(Self {
            display,
            grabber,
            monitor: options.monitor.clone(),
            present: true,
            pending,
            refusals: 0,
            starved: false,
            cursor_first: false,
            followup: Followup::default(),
        })
    }

    pub(super) fn transport(&self) -> Transport {
        self.grabber.transport()
    }

    pub(super) fn area(&self) -> Rect {
        self.grabber.area()
    }

    pub(super) fn refresh(&mut self) {
        self.pending.full = true;
    }

    /// Does what can be done now: hands out what is there, or waits.
    ///
    /// # Errors
    /// When the connection is of no use any more.
    pub(super) fn advance(
        &mut self,
        state: &mut State,
        bell: &Arc<Bell>,
        deadline: Instant,
    ) -> Result<Step, Fault> {
        match self.try_advance(state, bell, deadline) {
            Err(Fault::Refused(reason)) => {
                self.refusals += 1;
                if self.refusals >= MAX_REFUSALS {
                    return Err(Fault::Gone(reason));
                }
                // Most likely the screen shrank before its change was read.
                (self.pending.geometry, self.pending.full) = (true, true);
                Ok(Step::Again)
            }
            other => other,
        }
    }

    fn try_advance(
        &mut self,
        state: &mut State,
        bell: &Arc<Bell>,
        deadline: Instant,
    ) -> Result<Step, Fault> {
        if std::mem::take(&mut self.cursor_first)
            && let Some(update) = state.cursor.take_update(self.grabber.area())
        {
            return Ok(Step::Event(CaptureEvent::Cursor(update)));
        }
        let notices = self.display.drain()?;
        self.note(notices, state);
        let geometry = std::mem::take(&mut self.pending.geometry);
        if geometry && let Some(event) = self.follow_geometry(state, bell)? {
            return Ok(Step::Event(event));
        }
        let look = state.watchdog.due().is_some_and(|due| due <= Instant::now());
        let asked = self.pending.ask || look || self.followup.take_due(Instant::now());
        if asked {
            self.ask(state)?;
        }
        self.starved = false;
        if self.present && (self.pending.full || !self.pending.region.is_empty() || look) {
            if let Some(frame) = self.capture(state, look)? {
                self.refusals = 0;
                self.cursor_first = true;
                return Ok(Step::Event(CaptureEvent::Frame(frame)));
            }
            if !self.starved {
                return Ok(Step::Again);
            }
        }
        if let Some(update) = state.cursor.take_update(self.grabber.area()) {
            return Ok(Step::Event(CaptureEvent::Cursor(update)));
        }
        if asked || geometry {
            // Events that came with the answer are in memory, where no wait would see them.
            return Ok(Step::Again);
        }
        self.rest(state, bell, deadline)
    }

    fn note(&mut self, notices: Notices, state: &mut State) {
        let pending = &mut self.pending;
        if notices.damage {
            pending.question.damage = true;
            pending.notice_us.get_or_insert_with(monotonic_us);
        }
        if let Some(serial) = notices.cursor_serial {
            pending.question.cursor_image = state.cursor.notice(serial);
        }
        let active = notices.damage || notices.pointer || notices.cursor_serial.is_some();
        if active {
            pending.ask = true;
            self.followup.restart(Instant::now());
        }
        pending.geometry |= notices.geometry;
    }

    fn ask(&mut self, state: &mut State) -> Result<(), Fault> {
        let answer = self.display.ask(std::mem::take(&mut self.pending.question))?;
        self.pending.ask = false;
        if state.cursor.handle_answer(&answer) {
            self.followup.restart(Instant::now());
        }
        let area = self.grabber.area();
        for rect in answer.damage.iter().filter_map(|r| in_area(*r, area)) {
            #[cfg(test)]
            if state.unreported.contains(rect) {
                continue;
            }
            state.watchdog.forget(rect);
            self.pending.region.add(rect);
        }
        if self.pending.region.is_empty() && !self.pending.full {
            self.pending.notice_us = None;
        }
        Ok(())
    }

    /// Begins a new generation when the screen or the monitor is another.
    fn follow_geometry(
        &mut self,
        state: &mut State,
        bell: &Arc<Bell>,
    ) -> Result<Option<CaptureEvent>, Fault> {
        let area = match find_area(&self.display, self.monitor.as_deref())? {
            Ok(area) => area,
            Err(known) => {
                let reason = format!(
                    "the monitor {:?} is gone; there are: {}",
                    self.monitor.as_deref().unwrap_or_default(),
                    known.join(", ")
                );
                let was_present = std::mem::replace(&mut self.present, false);
                return Ok(was_present.then_some(CaptureEvent::Lost(reason)));
            }
        };
        let returned = !std::mem::replace(&mut self.present, true);
        if returned || area != self.grabber.area() {
            state.counters.reconnects += u64::from(returned);
            self.grabber.set_area(&self.display, area, Arc::clone(bell));
            self.pending.region.clear();
            self.pending.full = true;
            self.pending.notice_us.get_or_insert_with(monotonic_us);
            state.begin_generation(area);
        }
        Ok(None)
    }

    /// Fetches what is pending, and what the watchdog wants to `look` at. `None` when that found
    /// nothing to hand out, or when no frame is free.
    fn capture(&mut self, state: &mut State, look: bool) -> Result<Option<Frame>, Fault> {
        let Some(mut lease) = self.grabber.lease(&self.display)? else {
            self.starved = true;
            return Ok(None);
        };
        let area = self.grabber.area();
        let whole = Rect::new(0, 0, area.width, area.height);
        let changed = !self.pending.region.is_empty();
        let full = self.pending.full || (changed && state.watchdog.distrusts());
        let mut region = if full {
            state.watchdog.forget(whole);
            Region::from_rect(whole)
        } else {
            self.pending.region.clone()
        };
        let capture_us = monotonic_us();
        // What is noticed from here on may not be in this frame any more.
        let notice_us = self.pending.notice_us.take();
        if look {
            let looked = state.watchdog.bands(area.width, area.height);
            let mut wanted = region.clone();
            wanted.add(looked);
            let fetched = self.grabber.fill(&self.display, &mut lease, wanted.rects())?;
            state.counters.pixels += fetched;
            match self.look(state, &lease)? {
                Some(Look::Unchanged) => {}
                Some(Look::Missed) => {
                    self.pending.full = true;
                    self.pending.notice_us = notice_us.or(self.pending.notice_us);
                    return Ok(None);
                }
                Some(Look::New) | None => region.add(looked),
            }
        } else {
            let fetched = self.grabber.fill(&self.display, &mut lease, region.rects())?;
            state.counters.pixels += fetched;
        }
        (self.pending.full, self.pending.region) = (false, Region::new());
        if region.is_empty() {
            return Ok(None);
        }
        let damage = if region.rects() == [whole] { Damage::Unknown } else { Damage::Hint(region) };
        let id = state.frames;
        state.frames += 1;
        state.counters.frames += 1;
        Ok(Some(Frame {
            id,
            generation: state.generation,
            capture_us,
            notice_us: notice_us.unwrap_or(capture_us),
            pixels: Pixels::new(lease),
            damage,
            moves: Vec::new(),
        }))
    }

    /// Compares what was fetched with what was handed out last; `None` when something was drawn
    /// meanwhile, so that a difference would mean nothing.
    fn look(&mut self, state: &mut State, lease: &Lease) -> Result<Option<Look>, Fault> {
        use crate::PixelMemory as _;
        state.counters.watchdog_checks += 1;
        // The display reports what it drew before it sends pixels, so by now it is here.
        let notices = self.display.drain()?;
        let drawn = notices.damage;
        self.note(notices, state);
        #[cfg(test)]
        let drawn = drawn && state.unreported.is_empty();
        if drawn {
            state.watchdog.inconclusive(Instant::now());
            return Ok(None);
        }
        let look = state.watchdog.look(&lease.view(), Instant::now());
        state.counters.watchdog_misses += u64::from(look == Look::Missed);
        Ok(Some(look))
    }

    /// Waits for the display, the bell, the watchdog or the deadline.
    fn rest(&mut self, state: &State, bell: &Arc<Bell>, deadline: Instant) -> Result<Step, Fault> {
        let now = Instant::now();
        if bell.take_rung() || now >= deadline {
            return Ok(Step::Event(CaptureEvent::Idle));
        }
        let watchdog = state.watchdog.due().filter(|_| self.present && !self.starved);
        let due = watchdog.into_iter().chain(self.followup.due());
        let until = due.fold(deadline, Instant::min);
        bell.wait(Some(self.display.fd()), until.saturating_duration_since(now))?;
        Ok(Step::Again)
    }
}

/// A rectangle of the root window in pixels of the area; `None` when it is outside.
fn in_area(rect: Rectangle, area: Rect) -> Option<Rect> {
    let edge = |at: i16, length: u16| (i32::from(at) + i32::from(length)).max(0) as u32;
    let (left, top) = (rect.x.max(0) as u32, rect.y.max(0) as u32);
    let on_root = Rect::from_edges(left, top, edge(rect.x, rect.width), edge(rect.y, rect.height));
    let inside = on_root.intersect(area);
    (!inside.is_empty()).then(|| Rect { x: inside.x - area.x, y: inside.y - area.y, ..inside })
}
