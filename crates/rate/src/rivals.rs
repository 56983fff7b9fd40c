//! Whether others fill the queue, and how much of it to put up with then.

use std::collections::VecDeque;

/// Waits remembered: for the deviation all, for the mean the newest.
const LONG: usize = 200;
const SHORT: usize = 50;
/// A wait is noted at most this often, or once a round trip.
const NOTE_US: u64 = 25_000;
/// The most that is put up with.
const MAX_TARGET_US: f64 = 400_000.0;
/// A wait this many times longer than the one aimed at ...
const FULL: f64 = 2.0;
/// ... for this long is not ours: the window has been cut again and again meanwhile.
const PATIENCE_US: u64 = 1_000_000;
/// What is put up with above the wait that is there. Less than what a flow of ours stays below its
/// target, so that the target falls when rivals leave.
const ABOVE: f64 = 1.3;

/// The wait aimed at: small while alone, larger where loss-based flows fill the queue
/// (draft-ietf-ccwg-rfc8298bis-screamv2, "Competing Flows Compensation").
///
/// The draft raises it after losses, or when the wait is steady. Several flows of this controller
/// hold one that is, and a path that becomes slower loses, so here a wait must be there for long
/// that shrinking the window did not end.
#[derive(Debug)]
pub(crate) struct Rivals {
    least_us: f64,
    target_us: f64,
    waits: VecDeque<f64>,
    noted_us: u64,
    /// Since when the wait has been too long to be ours.
    full_since_us: Option<u64>,
}

impl Rivals {
    /// `least_us` is aimed at while alone.
    pub(crate) fn new(least_us: f64) -> Self {
        Self {
            least_us,
            target_us: least_us,
            waits: VecDeque::with_capacity(LONG),
            noted_us: 0,
            full_since_us: None,
        }
    }

    /// The wait aimed at in microseconds.
    pub(crate) fn target_us(&self) -> f64 {
        self.target_us
    }

    /// Whether nobody else fills the queue.
    pub(crate) fn is_alone(&self) -> bool {
        self.target_us <= self.least_us
    }

    /// Changes what is aimed at while alone.
    pub(crate) fn set_least(&mut self, least_us: f64) {
        self.least_us = least_us;
        self.target_us = self.target_us.max(least_us);
    }

    /// Takes a wait in.
    pub(crate) fn handle_wait(&mut self, now_us: u64, wait_us: f64, rtt_us: u64) {
        if wait_us < FULL * self.least_us {
            self.full_since_us = None;
        } else {
            self.full_since_us.get_or_insert(now_us);
        }
        if now_us < self.noted_us.saturating_add(rtt_us.max(NOTE_US)) {
            return;
        }
        self.noted_us = now_us;
        if self.waits.len() == LONG {
            self.waits.pop_front();
        }
        self.waits.push_back(wait_us);
        self.adjust(now_us);
    }

    fn adjust(&mut self, now_us: u64) {
        let mean = |newest: usize| {
            let count = newest.min(self.waits.len());
            self.waits.iter().rev().take(count).sum::<f64>() / count as f64
        };
        let all = mean(LONG);
        let squares = self.waits.iter().map(|wait| (wait - all) * (wait - all));
        let deviation = (squares.sum::<f64>() / self.waits.len() as f64).sqrt();
        let wanted_us = mean(SHORT) + deviation;
        let is_full = self
            .full_since_us
            .is_some_and(|since_us| now_us.saturating_sub(since_us) >= PATIENCE_US);
        self.target_us = if is_full { ABOVE * wanted_us } else { self.target_us * 0.9 };
        self.target_us = self.target_us.clamp(self.least_us, MAX_TARGET_US);
    }
}
