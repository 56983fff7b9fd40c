//! Google congestion control, for comparison: the gradient of delay and a share of losses.
//!
//! draft-ietf-rmcat-gcc-02, with the trendline estimator that WebRTC has put in place of the
//! draft's Kalman filter: packet groups of 5 ms, the slope of a line through the last 20 smoothed
//! delays, an adaptive threshold (section 5.4), a rate that grows until the slope says that a
//! queue builds (5.5), and a bound by losses (6).

use crate::window_min::WindowMin;
use crate::{Controller, MAX_RTT_US, MAX_SAMPLES, Report, Sample};
use std::collections::VecDeque;

/// "burst_time": datagrams sent within it are one group.
const BURST_US: u64 = 5_000;
/// Groups that the line goes through, and how much of the last delay the smoothing keeps.
const TREND_GROUPS: usize = 20;
const TREND_SMOOTHING: f64 = 0.9;
/// The slope is multiplied by the groups seen, up to this many, and this gain (WebRTC).
const TREND_MAX_GROUPS: f64 = 60.0;
const TREND_GAIN: f64 = 4.0;
/// "del_var_th(0)", and its bounds, in milliseconds.
const THRESHOLD_MS: f64 = 12.5;
const THRESHOLD_BOUNDS_MS: std::ops::RangeInclusive<f64> = 6.0..=600.0;
/// "K_u" and "K_d", per millisecond.
const THRESHOLD_UP: f64 = 0.01;
const THRESHOLD_DOWN: f64 = 0.000_18;
/// "overuse_time_th".
const OVERUSE_US: u64 = 10_000;
/// "alpha" and "beta" of section 5.5; growth a second where the link's rate is not known.
const BETA: f64 = 0.85;
const MULTIPLICATIVE_A_SECOND: f64 = 1.08;
/// A rate is measured over this time.
const RATE_WINDOW_US: u64 = 500_000;
/// The rate at the start, and its bounds, in bytes per second.
const START_BYTES_PER_S: f64 = 37_500.0;
const RATE_BOUNDS: std::ops::RangeInclusive<f64> = 6_250.0..=12_500_000.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    Normal,
    Over,
    Under,
}

/// Controls a rate by the gradient of delay.
#[derive(Debug)]
pub struct GccController {
    group: Option<Group>,
    last: Option<Group>,
    trend: Trend,
    threshold_ms: f64,
    threshold_us: u64,
    over_since_us: Option<u64>,
    last_slope_ms: f64,
    /// "A_hat" by delay and by losses, in bytes per second.
    delay_rate: f64,
    loss_rate: f64,
    holds: bool,
    updated_us: u64,
    /// Where the rate was reduced last: mean and deviation of the rate received then.
    link_rate: Option<f64>,
    received: VecDeque<(u64, u32)>,
    losses: (u64, u64, u64),
    rtt_us: u64,
    min_rtt: WindowMin,
    queue_us: u64,
    base: WindowMin,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent_us: u64,
    sent_us: u64,
    received_us: u64,
}

impl Default for GccController {
    fn default() -> Self {
        Self::new()
    }
}

impl GccController {
    /// A controller that knows nothing of the path; it begins at 300 kbit/s.
    pub fn new() -> Self {
        Self {
            group: None,
            last: None,
            trend: Trend::default(),
            threshold_ms: THRESHOLD_MS,
            threshold_us: 0,
            over_since_us: None,
            last_slope_ms: 0.0,
            delay_rate: START_BYTES_PER_S,
            loss_rate: *RATE_BOUNDS.end(),
            holds: false,
            updated_us: 0,
            link_rate: None,
            received: VecDeque::new(),
            losses: (0, 0, 0),
            rtt_us: 100_000,
            min_rtt: WindowMin::new(5_000_000, 6),
            queue_us: 0,
            base: WindowMin::new(5_000_000, 6),
        }
    }

    /// Takes a datagram in; the slope when it ended a group.
    fn insert(&mut self, sample: &Sample) -> Option<f64> {
        let Sample { sent_us, received_us, .. } = *sample;
        let group =
            self.group.get_or_insert(Group { first_sent_us: sent_us, sent_us, received_us });
        if sent_us < group.first_sent_us.saturating_add(BURST_US) {
            group.sent_us = group.sent_us.max(sent_us);
            group.received_us = group.received_us.max(received_us);
            return None;
        }
        let done = *group;
        self.group = Some(Group { first_sent_us: sent_us, sent_us, received_us });
        let before = self.last.replace(done)?;
        let span = |a: u64, b: u64| (a as f64 - b as f64) / 1e3;
        let variation_ms =
            span(done.received_us, before.received_us) - span(done.sent_us, before.sent_us);
        Some(self.trend.insert(done.received_us, variation_ms))
    }

    /// "Over-use detector" (5.4).
    fn detect(&mut self, now_us: u64, slope_ms: f64) -> Usage {
        let usage = if slope_ms > self.threshold_ms {
            let since_us = *self.over_since_us.get_or_insert(now_us);
            let is_long = now_us.saturating_sub(since_us) >= OVERUSE_US;
            if is_long && slope_ms >= self.last_slope_ms { Usage::Over } else { Usage::Normal }
        } else {
            self.over_since_us = None;
            if slope_ms < -self.threshold_ms { Usage::Under } else { Usage::Normal }
        };
        self.last_slope_ms = slope_ms;
        // "del_var_th(i) = del_var_th(i-1) + (t(i)-t(i-1)) * K(i) * (|m(i)|-del_var_th(i-1))"
        let elapsed_ms = (now_us.saturating_sub(self.threshold_us) as f64 / 1e3).min(100.0);
        self.threshold_us = now_us;
        let distance = slope_ms.abs() - self.threshold_ms;
        if distance <= 15.0 {
            let gain = if distance < 0.0 { THRESHOLD_DOWN } else { THRESHOLD_UP };
            self.threshold_ms += elapsed_ms * gain * distance;
        }
        let (least, most) = (*THRESHOLD_BOUNDS_MS.start(), *THRESHOLD_BOUNDS_MS.end());
        self.threshold_ms = self.threshold_ms.clamp(least, most);
        usage
    }

    /// "Rate control" (5.5).
    fn control(&mut self, now_us: u64, usage: Usage) {
        let elapsed_s = (now_us.saturating_sub(self.updated_us) as f64 / 1e6).min(1.0);
        self.updated_us = now_us;
        let received = self.received_bytes_per_s();
        match usage {
            Usage::Over if !self.holds || received < self.delay_rate => {
                self.link_rate = Some(match self.link_rate {
                    Some(rate) if (received - rate).abs() < rate / 2.0 => {
                        0.95 * rate + 0.05 * received
                    }
                    _ => received,
                });
                self.delay_rate = self.delay_rate.min(BETA * received);
                self.holds = true;
            }
            Usage::Over | Usage::Under => self.holds = true,
            Usage::Normal => {
                self.holds = false;
                if self.link_rate.is_some_and(|rate| received > 1.2 * rate) {
                    self.link_rate = None;
                }
                self.delay_rate = match self.link_rate {
                    // "alpha = 0.5 * min(time_since_last_update_ms / response_time_ms, 1.0)"
                    Some(_) => {
                        let response_s = 0.1 + self.rtt_us as f64 / 1e6;
                        self.delay_rate + elapsed_s / response_s * 600.0 / response_s
                    }
                    None => self.delay_rate * MULTIPLICATIVE_A_SECOND.powf(elapsed_s),
                };
                // "the sending rate is limited to 1.5 times the received rate"
                self.delay_rate = self.delay_rate.min(1.5 * received + 1_250.0);
            }
        }
    }

    fn received_bytes_per_s(&self) -> f64 {
        let (Some((from, _)), Some((until, _))) = (self.received.front(), self.received.back())
        else {
            return self.delay_rate;
        };
        let span_us = until.saturating_sub(*from);
        if span_us < RATE_WINDOW_US / 4 {
            return self.delay_rate;
        }
        self.received.iter().map(|(_, bytes)| f64::from(*bytes)).sum::<f64>() * 1e6 / span_us as f64
    }

    /// "Loss-based control" (6), once a second.
    fn control_by_losses(&mut self, now_us: u64, report: &Report<'_>) {
        let (since_us, acked, lost) = &mut self.losses;
        *acked = acked.saturating_add(report.acked_bytes);
        *lost = lost.saturating_add(report.lost_bytes);
        if now_us < since_us.saturating_add(1_000_000) || acked.saturating_add(*lost) == 0 {
            return;
        }
        let share = *lost as f64 / (*acked as f64 + *lost as f64);
        self.losses = (now_us, 0, 0);
        if share > 0.1 {
            self.loss_rate = self.loss_rate.min(self.delay_rate) * (1.0 - 0.5 * share);
        } else if share < 0.02 {
            self.loss_rate *= 1.05;
        }
        self.loss_rate = self.loss_rate.clamp(*RATE_BOUNDS.start(), *RATE_BOUNDS.end());
    }

    fn bytes_per_s(&self) -> f64 {
        self.delay_rate.min(self.loss_rate)
    }
}

impl Controller for GccController {
    fn handle_report(&mut self, now_us: u64, report: &Report<'_>) {
        if let Some(rtt_us) = report.rtt_us.map(|rtt_us| rtt_us.min(MAX_RTT_US)) {
            self.rtt_us = (self.rtt_us * 7 + rtt_us) / 8;
            self.min_rtt.insert(now_us, rtt_us as i64);
        }
        let mut usage = None;
        for sample in report.samples.iter().take(MAX_SAMPLES) {
            self.received.push_back((sample.received_us, sample.bytes));
            let oldest = sample.received_us.saturating_sub(RATE_WINDOW_US);
            while self.received.len() > MAX_SAMPLES
                || self.received.front().is_some_and(|(at, _)| *at < oldest)
            {
                self.received.pop_front();
            }
            let delay = sample.received_us.wrapping_sub(sample.sent_us) as i64;
            self.base.insert(now_us, delay);
            let base = self.base.min().unwrap_or(delay);
            self.queue_us = delay.saturating_sub(base).max(0) as u64;
            if let Some(slope_ms) = self.insert(sample) {
                usage = Some(self.detect(sample.received_us, slope_ms));
            }
        }
        if let Some(usage) = usage {
            self.control(now_us, usage);
        }
        self.control_by_losses(now_us, report);
        self.delay_rate = self.delay_rate.clamp(*RATE_BOUNDS.start(), *RATE_BOUNDS.end());
    }

    fn window_bytes(&self) -> u64 {
        // A rate has no window; this bounds what a silent receiver costs.
        let span_us = 2 * self.rtt_us.min(2_000_000) + 200_000;
        (self.bytes_per_s() * span_us as f64 / 1e6) as u64
    }

    fn pacing_bytes_per_s(&self) -> u64 {
        self.bytes_per_s() as u64
    }

    fn carried_bytes_per_s(&self) -> u64 {
        self.bytes_per_s() as u64
    }

    fn queue_delay_us(&self) -> u64 {
        self.queue_us
    }

    fn rtt_us(&self) -> u64 {
        self.rtt_us
    }

    fn min_rtt_us(&self) -> u64 {
        self.min_rtt.min().map_or(self.rtt_us, |least| least.max(0) as u64)
    }
}

/// A line through smoothed delays.
#[derive(Debug, Default)]
struct Trend {
    groups: f64,
    delay_ms: f64,
    smoothed_ms: f64,
    first_us: Option<u64>,
    points: VecDeque<(f64, f64)>,
}

impl Trend {
    /// Takes the delay variation of a group in; the slope, scaled for the threshold.
    fn insert(&mut self, received_us: u64, variation_ms: f64) -> f64 {
        let first_us = *self.first_us.get_or_insert(received_us);
        self.groups = (self.groups + 1.0).min(TREND_MAX_GROUPS);
        self.delay_ms = (self.delay_ms + variation_ms).clamp(-1e6, 1e6);
        self.smoothed_ms += (1.0 - TREND_SMOOTHING) * (self.delay_ms - self.smoothed_ms);
        if self.points.len() == TREND_GROUPS {
            self.points.pop_front();
        }
        let at_ms = received_us.saturating_sub(first_us) as f64 / 1e3;
        self.points.push_back((at_ms, self.smoothed_ms));
        let count = self.points.len() as f64;
        let (x, y) = self.points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0, y + p.1));
        let (mean_x, mean_y) = (x / count, y / count);
        let (over, under) = self.points.iter().fold((0.0, 0.0), |(over, under), (x, y)| {
            (over + (x - mean_x) * (y - mean_y), under + (x - mean_x) * (x - mean_x))
        });
        let slope = if under > 0.0 { over / under } else { 0.0 };
        slope * self.groups * TREND_GAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends at the controller's rate for 20 s over a link; the last 10 s' mean rate and the
    /// longest wait in them.
    fn run(bytes_per_s: u64) -> (f64, u64) {
        let mut controller = GccController::new();
        let (mut free_us, mut sum, mut longest) = (0u64, 0u64, 0u64);
        let mut credit = 0.0;
        for round in 0..1_000u64 {
            let now_us = round * 20_000;
            credit += controller.pacing_bytes_per_s() as f64 * 0.02;
            let count = (credit / 1_000.0) as u64;
            credit -= count as f64 * 1_000.0;
            let samples: Vec<Sample> = (0..count)
                .map(|i| {
                    let sent_us = now_us + i * 20_000 / count;
                    free_us = free_us.max(sent_us) + 1_000_000_000 / bytes_per_s;
                    Sample { sent_us, received_us: free_us + 20_000, bytes: 1_000 }
                })
                .collect();
            if now_us > 10_000_000 {
                sum += count * 1_000;
                longest = longest.max(free_us.saturating_sub(now_us));
            }
            let acked_bytes = count * 1_000;
            let (rtt_us, samples) = (Some(40_000), &samples[..]);
            let report = Report { samples, acked_bytes, rtt_us, ..Report::default() };
            controller.handle_report(now_us + 40_000, &report);
        }
        (sum as f64 / 10.0, longest)
    }

    #[test]
    fn a_link_is_used_and_its_queue_drained() {
        let (rate, longest) = run(125_000);
        assert!((80_000.0..130_000.0).contains(&rate), "{rate}");
        assert!(longest < 400_000, "{longest}");
    }
}
