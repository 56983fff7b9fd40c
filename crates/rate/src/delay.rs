//! A delay-based congestion controller, simple and sound.
//!
//! One-way delay above its recent minimum is queueing (RFC 6817, section 2.1, without its target
//! of 100 ms). Below the target the window grows with what is acknowledged, fast until the first
//! sign of a queue; above it the window shrinks to what the path carried, at most once in a round
//! trip. Loss alone says little on radio links and counts only when it is heavy or a queue
//! stands.

use crate::window_min::WindowMin;
use crate::{Controller, Report};

/// The window before anything is known: a first picture goes out at once.
const INITIAL_WINDOW_BYTES: u64 = 30_000;
/// The window never shrinks below four full datagrams.
const MIN_WINDOW_BYTES: u64 = 4_800;
/// Nor grows above what a long fat path can use; bounds memory.
const MAX_WINDOW_BYTES: u64 = 4 << 20;
/// The queueing delay aimed at.
const TARGET_US: i64 = 12_000;
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
            carried: Carried::default(),
            loss: 0.0,
        }
    }

    fn measure(&mut self, now_us: u64, report: &Report<'_>) {
        if let Some(rtt_us) = report.rtt_us {
            self.min_rtt.insert(now_us, rtt_us as i64);
            let first = self.rtt_us == 100_000;
            self.rtt_us = if first { rtt_us } else { (self.rtt_us * 7 + rtt_us) / 8 };
        }
        let delay = |s: &crate::Sample| s.received_us as i64 - s.sent_us as i64;
        for sample in report.samples {
            self.base.insert(now_us, delay(sample));
            self.carried.insert(sample.received_us, u64::from(sample.bytes));
        }
        // The smallest wait in a report is the queue that stood all the while; the largest may
        // be a burst of our own.
        let least = report.samples.iter().map(delay).min();
        if let (Some(least), Some(base)) = (least, self.base.min()) {
            self.queue_us = (self.queue_us + 3 * (least - base)) / 4;
        }
        let total = report.acked_bytes + report.lost_bytes;
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
        if now_us < self.reduced_us + self.rtt_us.max(MIN_BACKOFF_US) {
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

/// How fast data arrived over the last busy while.
#[derive(Debug, Default)]
struct Carried {
    start_us: u64,
    end_us: u64,
    bytes: u64,
    last_bytes_per_s: u64,
}

impl Carried {
    /// A rate is taken over at least this time.
    const SPAN_US: u64 = 20_000;
    /// A pause longer than this begins a new measurement: the sender was idle.
    const PAUSE_US: u64 = 10_000;

    fn insert(&mut self, received_us: u64, bytes: u64) {
        if received_us > self.end_us + Self::PAUSE_US {
            (self.start_us, self.end_us, self.bytes) = (received_us, received_us, 0);
            return;
        }
        self.end_us = self.end_us.max(received_us);
        self.bytes += bytes;
        let span_us = self.end_us.saturating_sub(self.start_us);
        if span_us >= Self::SPAN_US {
            self.last_bytes_per_s = self.bytes * 1_000_000 / span_us;
            (self.start_us, self.bytes) = (self.end_us, 0);
        }
    }

    /// 0 when nothing was measured yet.
    fn bytes_per_s(&self) -> u64 {
        self.last_bytes_per_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pacer, Sample};
    use std::collections::VecDeque;

    /// A drop-tail link in virtual time with a greedy sender behind the controller.
    struct Link {
        bytes_per_s: u64,
        one_way_us: u64,
        loss_every: u64,
    }

    struct Outcome {
        utilisation: f64,
        p95_queue_us: u64,
    }

    fn run(link: &Link, seconds: u64) -> Outcome {
        const REPORT_US: u64 = 5_000;
        let mut controller = DelayController::new();
        let mut pacer = Pacer::new(0, controller.pacing_bytes_per_s());
        let (mut free_at, mut in_flight, mut sent_count) = (0u64, 0u64, 0u64);
        let mut arriving: VecDeque<(Sample, bool)> = VecDeque::new();
        let mut reports: VecDeque<(u64, Vec<(Sample, bool)>)> = VecDeque::new();
        let (mut delivered, mut queues) = (0u64, Vec::new());
        for now in (0..seconds * 1_000_000).step_by(100) {
            while in_flight < controller.window_bytes() && pacer.is_open(now) {
                let bytes = 1_200u32;
                free_at = free_at.max(now) + u64::from(bytes) * 1_000_000 / link.bytes_per_s;
                sent_count += 1;
                let lost = link.loss_every > 0 && sent_count % link.loss_every == 0;
                let received_us = free_at + link.one_way_us + 77_000_000;
                arriving.push_back((Sample { sent_us: now, received_us, bytes }, lost));
                in_flight += u64::from(bytes);
                pacer.handle_sent(u64::from(bytes));
                if now > 2_000_000 {
                    queues.push(free_at - now);
                }
            }
            if now % REPORT_US == 0 {
                let due = arriving.iter().take_while(|(s, _)| s.received_us <= now + 77_000_000);
                let due = due.count();
                if due > 0 {
                    reports.push_back((now + link.one_way_us, arriving.drain(..due).collect()));
                }
            }
            while reports.front().is_some_and(|(at, _)| *at <= now) {
                let (_, fates) = reports.pop_front().unwrap();
                let of = |lost| fates.iter().filter(move |(_, l)| *l == lost).map(|(s, _)| *s);
                let samples: Vec<Sample> = of(false).collect();
                let sum = |i: &mut dyn Iterator<Item = Sample>| i.map(|s| u64::from(s.bytes)).sum();
                let (acked_bytes, lost_bytes) = (sum(&mut of(false)), sum(&mut of(true)));
                let rtt_us = samples.last().map(|s| now - s.sent_us);
                let in_flight_bytes = in_flight;
                in_flight -= acked_bytes + lost_bytes;
                if now > 2_000_000 {
                    delivered += acked_bytes;
                }
                let samples = &samples;
                let report = Report { samples, acked_bytes, lost_bytes, rtt_us, in_flight_bytes };
                controller.handle_report(now, &report);
                pacer.set_rate(now, controller.pacing_bytes_per_s());
            }
        }
        queues.sort_unstable();
        let capacity = link.bytes_per_s * (seconds - 2);
        Outcome {
            utilisation: delivered as f64 / capacity as f64,
            p95_queue_us: queues[queues.len() * 95 / 100],
        }
    }

    #[test]
    fn links_from_1_to_100_mbit_are_filled_without_a_standing_queue() {
        for mbit in [1, 3, 10, 50, 100] {
            for one_way_us in [200, 10_000, 40_000] {
                let link = Link { bytes_per_s: mbit * 125_000, one_way_us, loss_every: 0 };
                let outcome = run(&link, 10);
                let at = format!(
                    "{mbit} Mbit/s, {one_way_us} us: {:.2}, queue {} us",
                    outcome.utilisation, outcome.p95_queue_us
                );
                assert!(outcome.utilisation > 0.8, "{at}");
                // Four datagrams, the smallest window, take 38 ms at 1 Mbit/s.
                assert!(outcome.p95_queue_us < if mbit == 1 { 60_000 } else { 35_000 }, "{at}");
            }
        }
    }

    #[test]
    fn sparse_random_loss_does_not_starve() {
        let link = Link { bytes_per_s: 1_250_000, one_way_us: 20_000, loss_every: 50 };
        let outcome = run(&link, 10);
        assert!(outcome.utilisation > 0.7, "{:.2}", outcome.utilisation);
    }

    #[test]
    fn silence_keeps_the_window() {
        let mut controller = DelayController::new();
        let before = controller.window_bytes();
        for i in 0..1_000 {
            let samples =
                [Sample { sent_us: i * 1_000_000, received_us: i * 1_000_000, bytes: 90 }];
            let report = Report {
                samples: &samples,
                acked_bytes: 90,
                rtt_us: Some(20_000),
                in_flight_bytes: 90,
                ..Report::default()
            };
            controller.handle_report(i * 1_000_000 + 20_000, &report);
        }
        assert_eq!(controller.window_bytes(), before);
    }
}
