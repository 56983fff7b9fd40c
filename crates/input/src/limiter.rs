//! How much one helper can do in a second.

use crate::event::InputEvent;
use crate::held::{Held, MAX_HELD};
use std::collections::VecDeque;

/// The most events that leave a [`Limiter`] in any second; each click of the wheel counts as one.
pub const EVENTS_PER_SECOND: u32 = 1_000;

/// What arrives at once after a link was still for a moment.
const BURST: i64 = 128;
/// Releases are owed when nothing is left, each with the pointer's place before it.
const OWED: i64 = 2 * MAX_HELD as i64;
/// A second begins with a full bucket and ends in debt at worst; this is what else fits.
const PER_SECOND: i64 = EVENTS_PER_SECOND as i64 - BURST - OWED;
const MICRO: i64 = 1_000_000;

/// Lets at most [`EVENTS_PER_SECOND`] events through, and keeps count of what is down.
///
/// When there are too many, places of the pointer are merged to the last one, other events are
/// dropped and counted. Releases of what is down are never dropped, so no key stays down;
/// presses of what is down and releases of what is not are left out. After every
/// [`Limiter::handle_event`] and at [`Limiter::next_deadline_us`] drain
/// [`Limiter::poll_event`]. Times that run backwards count as standing still.
#[derive(Clone, Debug)]
pub struct Limiter {
    held: Held,
    /// What may still be let through, in millionths of an event.
    budget: i64,
    now_us: u64,
    /// Where the pointer is to go as soon as there is budget.
    place: Option<(i32, i32)>,
    ready: VecDeque<InputEvent>,
    dropped: u64,
    merged: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            held: Held::default(),
            budget: BURST * MICRO,
            now_us: 0,
            place: None,
            ready: VecDeque::new(),
            dropped: 0,
            merged: 0,
        }
    }
}

impl Limiter {
    /// Takes an event in.
    pub fn handle_event(&mut self, event: InputEvent, now_us: u64) {
        self.refill(now_us);
        if !self.held.would_change(event) {
            // Also a press beyond what two hands hold, of which no release will follow.
            let excess = self.held.len() >= MAX_HELD && !event.is_release();
            self.dropped += u64::from(excess);
            return;
        }
        let place = i64::from(self.place.is_some());
        match event {
            InputEvent::Move { x, y } => {
                self.merged += self.place.replace((x, y)).map_or(0, |_| 1);
                return;
            }
            InputEvent::Wheel(wheel) if !self.pay(place + i64::from(wheel.clicks())) => {
                self.dropped += 1;
                return;
            }
            InputEvent::Wheel(_) => {}
            event if event.is_release() => self.budget -= (1 + place) * MICRO,
            _ if !self.pay(1 + place) => {
                self.dropped += 1;
                return;
            }
            _ => {}
        }
        self.held.handle_event(event);
        let place = self.place.take().map(|(x, y)| InputEvent::Move { x, y });
        self.ready.extend(place.into_iter().chain([event]));
    }

    /// The next event that is let through, if there is one now.
    pub fn poll_event(&mut self, now_us: u64) -> Option<InputEvent> {
        if let Some(event) = self.ready.pop_front() {
            return Some(event);
        }
        self.refill(now_us);
        let (x, y) = self.place?;
        self.pay(1).then(|| {
            self.place = None;
            InputEvent::Move { x, y }
        })
    }

    /// When [`Limiter::poll_event`] will have something; `None` if only another event brings it.
    pub fn next_deadline_us(&self) -> Option<u64> {
        self.place?;
        let short = (MICRO - self.budget).max(0);
        Some(self.now_us.saturating_add((short as u64).div_ceil(PER_SECOND as u64)))
    }

    /// Lets go of everything, in the order of [`Held::release_all`], and forgets what waits.
    pub fn release_all(&mut self) -> Vec<InputEvent> {
        self.place = None;
        self.ready.clear();
        let releases = self.held.release_all();
        self.budget -= releases.len() as i64 * MICRO;
        releases
    }

    /// What is down by what was let through.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// How many events were dropped as too many.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How many places of the pointer gave way to a later one.
    pub fn merged(&self) -> u64 {
        self.merged
    }

    fn refill(&mut self, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.now_us);
        self.now_us = self.now_us.max(now_us);
        let gained = i64::try_from(elapsed_us).unwrap_or(i64::MAX).saturating_mul(PER_SECOND);
        self.budget = self.budget.saturating_add(gained).min(BURST * MICRO);
    }

    fn pay(&mut self, events: i64) -> bool {
        let enough = self.budget >= events * MICRO;
        if enough {
            self.budget -= events * MICRO;
        }
        enough
    }
}

#[cfg(test)]
mod tests;
