//! Self-clocked rate adaptation for multimedia, version 2, for a screen.
//!
//! The frame is draft-ietf-ccwg-rfc8298bis-screamv2: a reference window bounds the bytes in
//! flight; queueing delay above half of a target acts as marks do, marks (L4S) and losses shrink
//! the window too, and a wait that loss-based rivals cause is put up with. Four things differ,
//! each for a reason:
//!
//! - **The target is 24 ms, not 60.** A click is seen sooner, and queues are found by the least
//!   wait of many datagrams, which jitter hardly moves.
//! - **Growth and shrinking go by time, not by round trips.** Flows of different round trips that
//!   see the same queue then come to the same rate. (The draft has it for short round trips only.)
//! - **Losses count when a queue stands or they are many.** Radio links lose at random, and what a
//!   screen loses is replaced by newer pixels.
//! - **The queue is emptied now and then**, so that a path that is always full is still known
//!   without one.

use crate::carried::Carried;
use crate::drain::Drain;
use crate::queue::QueueEstimate;
use crate::rivals::Rivals;
use crate::window_min::WindowMin;
use crate::{Controller, MAX_RTT_US, MAX_SAMPLES, Report};

/// The window before anything is known: a first picture goes out at once.
const INITIAL_WINDOW_BYTES: f64 = 30_000.0;
/// The window never shrinks below four full datagrams.
const MIN_WINDOW_BYTES: f64 = 4_800.0;
/// Nor grows above what a long fat path can use; bounds memory.
const MAX_WINDOW_BYTES: f64 = (4 << 20) as f64;
/// "Maximum segment size": a full datagram.
const MSS_BYTES: f64 = 1_200.0;
/// "Target value for the minimum qdelay", on paths of short and of longer round trips.
const TARGET_US: [f64; 2] = [12_000.0, 24_000.0];
/// Round trips that are short, wholly and not at all; in between they are so in part. In a local
/// network a wait is a matter of the hosts as much as of the path, and a window soon filled.
const SHORT_RTT_US: [f64; 2] = [5_000.0, 20_000.0];
/// The window of a short path grows by this share of what is acknowledged.
const SHORT_GROWTH: f64 = 0.25;
/// Jitter is allowed for up to this much.
const MAX_JITTER_US: f64 = 24_000.0;
/// The time in which a flow of the round trip below grows by a segment, and any may halve its
/// window. Twice as fast used less of a link and made longer queues.
const REFERENCE_US: f64 = 200_000.0;
const REFERENCE_RTT_US: f64 = 100_000.0;
/// A window that was not congested for this long grows by a share of itself as well.
const POST_CONGESTION_US: f64 = 500_000.0;
/// "MUL_INCREASE_FACTOR": that share in the reference time: doubles in a second.
const MULTIPLICATIVE: f64 = 0.14;
/// Reports further apart than this count as one step of this length.
const MAX_STEP_US: u64 = 100_000;
/// The least time between two cuts, for paths shorter than the timers on them.
const MIN_BACKOFF_US: u64 = 10_000;
/// "ref_wnd scale factor due to loss event".
const BETA_LOSS: f64 = 0.7;
/// A share of lost bytes that means congestion whatever the delay.
const HEAVY_LOSS: f64 = 0.2;
/// A share of lost bytes that means congestion when a queue stands as well.
const LIGHT_LOSS: f64 = 0.02;
/// A larger share of a report's bytes lost while no queue stands is a path that was cut, not one
/// that is full: it says nothing about the rate.
const CUT_LOSS: f64 = 0.75;
/// How far the window may be above what is in flight: "Quite a lot of slack is allowed here".
const HEAD_ROOM: f64 = 1.5;
/// "Exponentially Weighted Moving Average (EWMA) factor for l4s_alpha increase", and decrease.
const ALPHA_UP: f64 = 1.0 / 8.0;
const ALPHA_DOWN: f64 = 1.0 / 128.0;
/// "l4s_alpha is updated at least every 10ms".
const ALPHA_EVERY_US: u64 = 10_000;
/// The round-trip time assumed before the first measurement.
const INITIAL_RTT_US: u64 = 100_000;
/// While the queue is emptied so much of what fits on the path is in flight.
const DRAINED: f64 = 0.75;
/// The shortest and longest round trip that growth is scaled by.
const GROWTH_RTT_US: std::ops::RangeInclusive<f64> = 10_000.0..=300_000.0;

/// Keeps the queue on the path short.
#[derive(Debug)]
pub struct ScreamController {
    /// "ref_wnd".
    window: f64,
    fast_start: bool,
    queue: QueueEstimate,
    rivals: Rivals,
    drain: Drain,
    marks: Marks,
    rtt_us: u64,
    is_rtt_known: bool,
    min_rtt: WindowMin,
    carried: Carried,
    /// Share of bytes that was lost of late.
    loss: f64,
    /// What the path is believed to carry, in bytes per second.
    rate: f64,
    stepped_us: u64,
    cut_us: u64,
    /// "last_congestion_detected_time".
    congested_us: u64,
}

impl Default for ScreamController {
    fn default() -> Self {
        Self::new()
    }
}

impl ScreamController {
    /// A controller that knows nothing of the path.
    pub fn new() -> Self {
        Self {
            window: INITIAL_WINDOW_BYTES,
            fast_start: true,
            queue: QueueEstimate::new(),
            rivals: Rivals::new(TARGET_US[1]),
            drain: Drain::default(),
            marks: Marks::default(),
            rtt_us: INITIAL_RTT_US,
            is_rtt_known: false,
            min_rtt: WindowMin::new(5_000_000, 6),
            carried: Carried::default(),
            loss: 0.0,
            rate: INITIAL_WINDOW_BYTES * 1e6 / INITIAL_RTT_US as f64,
            stepped_us: 0,
            cut_us: 0,
            congested_us: 0,
        }
    }

    fn measure(&mut self, now_us: u64, report: &Report<'_>) {
        if let Some(rtt_us) = report.rtt_us.map(|rtt_us| rtt_us.min(MAX_RTT_US)) {
            self.min_rtt.insert(now_us, rtt_us as i64);
            self.rtt_us = match std::mem::replace(&mut self.is_rtt_known, true) {
                true => (self.rtt_us * 7 + rtt_us) / 8,
                false => rtt_us,
            };
        }
        self.queue.insert(now_us, report.samples, self.min_rtt_us());
        report.samples.iter().take(MAX_SAMPLES).for_each(|sample| self.carried.insert(sample));
        self.marks.insert(now_us, report.samples.len() as u64, report.marked);
        let total = report.acked_bytes.saturating_add(report.lost_bytes);
        if total > 0 {
            let weight = (total as f64 / self.window).min(0.5);
            let share = report.lost_bytes as f64 / total as f64;
            let was_cut = share > CUT_LOSS && self.queue.average_us() < TARGET_US[0] / 2.0;
            self.loss += if was_cut { 0.0 } else { weight * (share - self.loss) };
        }
        let jitter_us = self.queue.spread_us().min(MAX_JITTER_US);
        let [short_us, long_us] = TARGET_US;
        let target_us = long_us + self.shortness() * (short_us - long_us);
        self.rivals.set_least(target_us + jitter_us);
        self.rivals.handle_wait(now_us, self.queue.standing_us(), self.rtt_us);
    }

    /// How short the round trip without queues is, 0 to 1.
    fn shortness(&self) -> f64 {
        let [short_us, long_us] = SHORT_RTT_US;
        ((long_us - self.min_rtt_us() as f64) / (long_us - short_us)).clamp(0.0, 1.0)
    }

    /// How strong the congestion is, 0 to 1: as a share of marked datagrams.
    fn congestion(&self, report: &Report<'_>) -> f64 {
        let half = self.rivals.target_us() / 2.0;
        // "l4s_alpha_v_t = min(1.0, max(0.0,
        //     (qdelay_avg - qdelay_target / 2) / (qdelay_target / 2)))"
        let by_delay = ((self.queue.average_us() - half) / half).clamp(0.0, 1.0);
        // "is_ce_t": old marks say how strong a new one is, and nothing without one.
        let by_marks = if report.marked > 0 { self.marks.alpha() } else { 0.0 };
        by_delay.max(by_marks)
    }

    /// Shrinks by half of the congestion in the reference time.
    fn shrink(&mut self, now_us: u64, step_us: f64, congestion: f64) {
        if congestion > 0.0 {
            self.congested_us = now_us;
            self.fast_start = false;
            self.window *= 1.0 - congestion / 2.0 * (step_us / REFERENCE_US);
        }
    }

    /// Cuts at most once a round trip: where the queue is far too long, to what the path carries.
    fn cut(&mut self, now_us: u64) {
        if now_us < self.cut_us.saturating_add(self.rtt_us.max(MIN_BACKOFF_US)) {
            return;
        }
        let (wait_us, target_us) = (self.queue.average_us(), self.rivals.target_us());
        let is_lossy =
            self.loss > HEAVY_LOSS || (self.loss > LIGHT_LOSS && wait_us > target_us / 2.0);
        if is_lossy {
            self.window *= BETA_LOSS;
        }
        let carried = self.carried.bytes_per_s() as f64;
        let is_long = wait_us > target_us && carried > 0.0;
        if is_long {
            let alone_us = (self.rtt_us as f64 - wait_us).max(self.min_rtt_us() as f64);
            let span_us = alone_us + target_us / 2.0;
            self.window = self.window.min((carried * span_us / 1e6).max(self.window / 2.0));
        }
        if is_lossy || is_long {
            (self.cut_us, self.congested_us, self.fast_start) = (now_us, now_us, false);
        }
    }

    /// Whether so much was in flight that the window mattered: "increase ref_wnd only if bytes in
    /// flight is large enough". An idle screen proves nothing about the path.
    fn is_limiting(&self, report: &Report<'_>) -> bool {
        self.window <= MSS_BYTES + report.in_flight_bytes as f64 * HEAD_ROOM
    }

    /// What arrives while the window is full and a queue stands is what the path carries. Else it
    /// carries that at the least, and before the first queue what the window let out.
    fn believe(&mut self, is_limiting: bool) {
        let stands = self.queue.average_us() > self.rivals.target_us() / 4.0;
        let arrived = self.carried.now_bytes_per_s().unwrap_or(self.carried.bytes_per_s()) as f64;
        if is_limiting && stands && arrived > 0.0 {
            self.rate = arrived;
        } else {
            let let_out = self.window * 1e6 / self.rtt_us.max(1_000) as f64;
            let least = if is_limiting && self.fast_start { let_out } else { arrived };
            self.rate = self.rate.max(least);
        }
    }

    /// The window, or less of it while the queue is emptied.
    fn allowed(&self) -> f64 {
        if !self.drain.is_on() {
            return self.window;
        }
        let fits = self.rate * self.min_rtt_us() as f64 / 1e6;
        (fits * DRAINED).clamp(MIN_WINDOW_BYTES, self.window.max(MIN_WINDOW_BYTES))
    }

    fn grow(&mut self, now_us: u64, step_us: f64, report: &Report<'_>) {
        if self.fast_start {
            self.fast_start = self.queue.average_us() < self.rivals.target_us() / 4.0;
            self.window += report.acked_bytes as f64;
            return;
        }
        let rtt_us = (self.rtt_us as f64).clamp(*GROWTH_RTT_US.start(), *GROWTH_RTT_US.end());
        let steps = step_us / REFERENCE_US;
        let additive = MSS_BYTES * steps * rtt_us / REFERENCE_RTT_US;
        // "post_congestion_scale_t".
        let since_us = now_us.saturating_sub(self.congested_us) as f64;
        let calm = (since_us / POST_CONGESTION_US - 1.0).clamp(0.0, 1.0);
        let is_empty = self.queue.average_us() < self.rivals.target_us() / 4.0;
        let multiplicative =
            if is_empty { self.window * MULTIPLICATIVE * steps * calm } else { 0.0 };
        let acked = report.acked_bytes as f64;
        let room = 1.0 - self.queue.average_us() / (self.rivals.target_us() / 2.0);
        let short = acked * SHORT_GROWTH * self.shortness() * room.max(0.0);
        // Whatever the clock says: what did not arrive lets nothing grow.
        self.window += (additive + multiplicative + short).min(acked);
    }
}

impl Controller for ScreamController {
    fn handle_report(&mut self, now_us: u64, report: &Report<'_>) {
        self.measure(now_us, report);
        let fills = self.is_limiting(report) && self.rivals.is_alone();
        self.drain.handle(now_us, self.queue.empty_us(), fills, self.rtt_us);
        if self.drain.is_on() {
            return;
        }
        let step_us = now_us.saturating_sub(self.stepped_us).min(MAX_STEP_US) as f64;
        self.stepped_us = now_us;
        self.shrink(now_us, step_us, self.congestion(report));
        self.cut(now_us);
        let is_limiting = self.is_limiting(report);
        if is_limiting {
            self.grow(now_us, step_us, report);
        }
        self.window = self.window.clamp(MIN_WINDOW_BYTES, MAX_WINDOW_BYTES);
        self.believe(is_limiting);
    }

    fn window_bytes(&self) -> u64 {
        self.allowed() as u64
    }

    fn pacing_bytes_per_s(&self) -> u64 {
        // A little faster than the window turns over, so that pacing is not what limits.
        (self.allowed() * 1.25 * 1e6 / self.rtt_us.max(1_000) as f64) as u64
    }

    fn carried_bytes_per_s(&self) -> u64 {
        self.rate as u64
    }

    fn queue_delay_us(&self) -> u64 {
        self.queue.standing_us() as u64
    }

    fn rtt_us(&self) -> u64 {
        self.rtt_us
    }

    fn min_rtt_us(&self) -> u64 {
        self.min_rtt.min().map_or(self.rtt_us, |least| least.max(0) as u64)
    }
}

/// "l4s_alpha": the share of datagrams that the network marked.
#[derive(Debug, Default)]
struct Marks {
    alpha: f64,
    updated_us: u64,
    delivered: u64,
    marked: u64,
}

impl Marks {
    fn insert(&mut self, now_us: u64, delivered: u64, marked: u64) {
        self.delivered += delivered;
        self.marked += marked.min(delivered);
        if now_us < self.updated_us.saturating_add(ALPHA_EVERY_US) || self.delivered == 0 {
            return;
        }
        // "Apply a fast attack slow decay EWMA".
        let fraction = self.marked as f64 / self.delivered as f64;
        self.alpha = match fraction >= self.alpha {
            true => self.alpha + ALPHA_UP * (fraction - self.alpha),
            false => self.alpha * (1.0 - ALPHA_DOWN),
        };
        (self.updated_us, self.delivered, self.marked) = (now_us, 0, 0);
    }

    fn alpha(&self) -> f64 {
        self.alpha
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial;

    #[test]
    fn links_from_1_to_100_mbit_are_filled_without_a_standing_queue() {
        trial::links_are_filled(ScreamController::new);
    }

    #[test]
    fn sparse_random_loss_does_not_starve() {
        trial::loss_does_not_starve(ScreamController::new());
    }

    #[test]
    fn silence_keeps_the_window() {
        trial::silence_keeps_the_window(ScreamController::new());
    }
}
