//! A delay-based congestion controller, simple and sound.
//!
//! One-way delay above its recent minimum is queueing (RFC 6817, section 2.1, without its target
//! of 100 ms). Below the target the window grows with what is acknowledged, fast until the first
//! sign of a queue; above it the window shrinks to what the path carried, at most once in a round
//! trip. Loss alone says little on radio links and counts only when it is heavy or a queue
//! stands.

use crate::carried::Carried;
use crate::window_min::WindowMin;
use crate::{Controller, MAX_RTT_US, Report};

/// The window before anything is known: a first picture goes out at once.
const INITIAL_WINDOW_BYTES: u64 = 30_000;
/// The window never shrinks below four full datagrams.
const MIN_WINDOW_BYTES: u64 = 4_800;
/// Nor grows above what a long fat path can use; bounds memory.
const MAX_WINDOW_BYTES: u64 = 4 << 20;
/// The queueing delay aimed at.
const TARGET_US: i64 = 12_000;
/// After such a pause what the path carries is measured anew.
const CARRIED_PAUSE_US: u64 = 10_000;
/// The least time between two reductions, for paths shorter than the timers on them.
const MIN_BACKOFF_US: u64 = 10_000;
/// A share of lost bytes that means congestion whatever the delay.
const HEAVY_LOSS: f64 = 0.2;
/// A share of lost bytes that means congestion when a queue stands as well.
const LIGHT_LOSS: f64 = 0.02;

/// Keeps the queue on the path short.
#[derive(Debug)]
pub struct DelayController {
    window: f64,
    slow_start: bool,
    base: WindowMin,
    queue_us: i64,
    rtt_us: u64,
    min_rtt: WindowMin,
    reduced_us: u64,
    carried: Carried,
    loss: f64,
}

impl Default for DelayController {
    fn default() -> Self {
        Self::new()
    }
}

impl DelayController {
    /// A controller that knows nothing of the path.
    pub fn new() -> Self {
        Self {
            window: INITIAL_WINDOW_BYTES as f64,
            slow_start: true,
            base: WindowMin::new(5_000_000, 6),
            queue_us: 0,
            rtt_us: 100_000,
            min_rtt: WindowMin::new(5_000_000, 6),
            reduced_us: 0,
            carried: Carried::new(CARRIED_PAUSE_US, 0),
            loss: 0.0,
        }
    }

    fn measure(&mut self, now_us: u64, report: &Report<'_>) {
        if let Some(rtt_us) = report.rtt_us.map(|rtt_us| rtt_us.min(MAX_RTT_US)) {
            self.min_rtt.insert(now_us, rtt_us as i64);
            let first = self.rtt_us == 100_000;
            self.rtt_us = match first {
                true => rtt_us,
                false => (self.rtt_us * 7 + rtt_us) / 8,
            };
        }
        let delay = |s: &crate::Sample| s.received_us.wrapping_sub(s.sent_us) as i64;
        for sample in report.samples {
            self.base.insert(now_us, delay(sample));
            self.carried.insert(sample);
        }
        // The smallest wait in a report is the queue that stood all the while; the largest may
        // be a burst of our own.
        let least = report.samples.iter().map(delay).min();
        if let (Some(least), Some(base)) = (least, self.base.min()) {
            let wait_us = least.saturating_sub(base).clamp(0, MAX_RTT_US as i64);
            self.queue_us = (self.queue_us + 3 * wait_us) / 4;
        }
        let total = report.acked_bytes.saturating_add(report.lost_bytes);
        if total > 0 {
            let weight = (total as f64 / self.window).min(0.5);
            let share = report.lost_bytes as f64 / total as f64;
            self.loss += weight * (share - self.loss);
        }
    }

    fn is_congested(&self) -> bool {
        self.queue_us > TARGET_US
            || self.loss > HEAVY_LOSS
            || (self.loss > LIGHT_LOSS && self.queue_us > TARGET_US / 3)
    }

    fn reduce(&mut self, now_us: u64) {
        self.slow_start = false;
        if now_us < self.reduced_us.saturating_add(self.rtt_us.max(MIN_BACKOFF_US)) {
            return;
        }
        self.reduced_us = now_us;
        // What the path carries in a round trip without a queue, plus the queue aimed at.
        let span_us = self.min_rtt.min().unwrap_or(0) + TARGET_US / 2;
        let carried = self.carried.bytes_per_s() as f64 * span_us as f64 / 1e6;
        let excess = (self.queue_us - TARGET_US).max(0) as f64 / self.queue_us.max(1) as f64;
        let gentle = self.window * (1.0 - excess / 2.0).min(0.85);
        let floor = self.window / 2.0;
        let fitted = if carried > 0.0 { gentle.min(carried) } else { gentle };
        self.window = fitted.max(floor);
    }

    fn grow(&mut self, report: &Report<'_>) {
        // An idle screen proves nothing about the path.
        if (report.in_flight_bytes as f64) < self.window / 2.0 {
            return;
        }
        let acked = report.acked_bytes as f64;
        if self.slow_start {
            self.slow_start = self.queue_us < TARGET_US / 2;
            self.window += acked;
        } else {
            let room = (1.0 - self.queue_us as f64 / TARGET_US as f64).clamp(0.0, 1.0);
            self.window += acked * room * 0.25;
        }
    }
}

impl Controller for DelayController {
    fn handle_report(&mut self, now_us: u64, report: &Report<'_>) {
        self.measure(now_us, report);
        if self.is_congested() {
            self.reduce(now_us);
        } else {
            self.grow(report);
        }
        self.window = self.window.clamp(MIN_WINDOW_BYTES as f64, MAX_WINDOW_BYTES as f64);
    }

    fn window_bytes(&self) -> u64 {
        self.window as u64
    }

    fn pacing_bytes_per_s(&self) -> u64 {
        // A little faster than the window turns over, so that pacing is not what limits.
        (self.window * 1.25 * 1e6 / self.rtt_us.max(1_000) as f64) as u64
    }

    fn carried_bytes_per_s(&self) -> u64 {
        (self.window * 1e6 / self.rtt_us.max(1_000) as f64) as u64
    }

    fn queue_delay_us(&self) -> u64 {
        self.queue_us.max(0) as u64
    }

    fn rtt_us(&self) -> u64 {
        self.rtt_us
    }

    fn min_rtt_us(&self) -> u64 {
        self.min_rtt.min().map_or(self.rtt_us, |least| least.max(0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial;

    #[test]
    fn links_from_1_to_100_mbit_are_filled_without_a_standing_queue() {
        trial::links_are_filled(DelayController::new);
    }

    #[test]
    fn sparse_random_loss_does_not_starve() {
        trial::loss_does_not_starve(DelayController::new());
    }

    #[test]
    fn silence_keeps_the_window() {
        trial::silence_keeps_the_window(DelayController::new());
    }
}
