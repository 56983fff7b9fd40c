//! How long datagrams wait in queues on the way, from the times of their arrivals.

use crate::window_min::WindowMin;
use crate::{MAX_SAMPLES, Sample};
use std::collections::VecDeque;

/// A path's delay without queues is the least of so many spans.
const BASE_SPAN_US: u64 = 5_000_000;
const BASE_SPANS: usize = 6;
/// The least wait is taken over a part of the round trip within these bounds: jitter of single
/// datagrams is no queue.
const STANDING_US: std::ops::RangeInclusive<u64> = 5_000..=25_000;
/// A wait below this is none.
const EMPTY_US: i64 = 2_000;
/// How much of a longer wait the average takes in at once; a shorter one replaces it.
const ATTACK: f64 = 0.25;
/// How much of a report's spread the average takes in.
const SPREAD_WEIGHT: f64 = 1.0 / 32.0;
/// The average moves at most this often.
const VIRTUAL_RTT_US: u64 = 25_000;

/// One-way delay above its recent minimum (RFC 6817, section 2.1).
#[derive(Debug)]
pub(crate) struct QueueEstimate {
    base: WindowMin,
    /// Arrivals of late that a later one did not undercut: time of arrival, delay.
    recent: VecDeque<(u64, i64)>,
    standing_us: f64,
    /// How much longer than the least datagrams took, on average.
    spread_us: f64,
    average_us: f64,
    averaged_us: u64,
    /// When a datagram found no queue.
    empty_us: u64,
}

impl QueueEstimate {
    pub(crate) fn new() -> Self {
        Self {
            base: WindowMin::new(BASE_SPAN_US, BASE_SPANS),
            recent: VecDeque::new(),
            standing_us: 0.0,
            spread_us: 0.0,
            average_us: 0.0,
            averaged_us: 0,
            empty_us: 0,
        }
    }

    /// Takes arrivals in. `rtt_us` is that of the path without queues.
    pub(crate) fn insert(&mut self, now_us: u64, samples: &[Sample], rtt_us: u64) {
        let window_us = (rtt_us / 4).clamp(*STANDING_US.start(), *STANDING_US.end());
        for sample in samples.iter().take(MAX_SAMPLES) {
            let delay = sample.received_us.wrapping_sub(sample.sent_us) as i64;
            self.base.insert(now_us, delay);
            while self.recent.back().is_some_and(|(_, last)| *last >= delay) {
                self.recent.pop_back();
            }
            self.recent.push_back((sample.received_us, delay));
            let oldest = sample.received_us.saturating_sub(window_us);
            while self.recent.front().is_some_and(|(at, _)| *at < oldest) {
                self.recent.pop_front();
            }
            if self.recent.len() > MAX_SAMPLES {
                self.recent.pop_front();
            }
        }
        let (Some((_, least)), Some(base)) = (self.recent.front(), self.base.min()) else { return };
        let least = *least;
        if least.saturating_sub(base) <= EMPTY_US {
            self.empty_us = now_us;
        }
        self.standing_us = least.saturating_sub(base).max(0) as f64;
        for sample in samples.iter().take(MAX_SAMPLES) {
            let delay = sample.received_us.wrapping_sub(sample.sent_us) as i64;
            let above = delay.saturating_sub(least).max(0) as f64;
            self.spread_us += SPREAD_WEIGHT * (above - self.spread_us);
        }
        // draft-ietf-ccwg-rfc8298bis-screamv2, "Detecting Increased Queue Delay": "updated with a
        // slow attack, fast decay EWMA filter".
        if self.standing_us < self.average_us {
            self.average_us = self.standing_us;
        } else if now_us >= self.averaged_us.saturating_add(rtt_us.min(VIRTUAL_RTT_US)) {
            self.average_us += ATTACK * (self.standing_us - self.average_us);
            self.averaged_us = now_us;
        }
    }

    /// The least wait of late in microseconds.
    pub(crate) fn standing_us(&self) -> f64 {
        self.standing_us
    }

    /// How much longer than the least of their time datagrams wait on average: jitter, and bursts
    /// of our own.
    pub(crate) fn spread_us(&self) -> f64 {
        self.spread_us
    }

    /// When the queue was last seen empty.
    pub(crate) fn empty_us(&self) -> u64 {
        self.empty_us
    }

    /// Its average, which follows quickly downwards and slowly upwards.
    pub(crate) fn average_us(&self) -> f64 {
        self.average_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(queue_us: u64, from_us: u64, jitter: impl Fn(u64) -> u64) -> Vec<Sample> {
        let sample = |i: u64| {
            let sent_us = from_us + i * 2_000;
            let received_us = sent_us + 7_000_000 + queue_us + jitter(i);
            Sample { sent_us, received_us, bytes: 1_200 }
        };
        (0..100).map(sample).collect()
    }

    #[test]
    fn jitter_is_no_queue_and_a_queue_is_one() {
        let mut estimate = QueueEstimate::new();
        let jitter = |i: u64| (i * 7_919 % 11) * 3_000;
        estimate.insert(200_000, &arrivals(0, 0, jitter), 100_000);
        assert!(estimate.average_us() < 1_000.0, "{}", estimate.average_us());
        for i in 1..20 {
            let now_us = 200_000 * (i + 1);
            estimate.insert(now_us, &arrivals(40_000, 200_000 * i, jitter), 100_000);
        }
        assert!((39_000.0..46_000.0).contains(&estimate.average_us()), "{}", estimate.average_us());
        estimate.insert(9_000_000, &arrivals(0, 8_800_000, jitter), 100_000);
        assert!(estimate.average_us() < 1_000.0);
    }

    #[test]
    fn clocks_that_lie_take_no_memory_and_no_panic() {
        let mut estimate = QueueEstimate::new();
        for i in 0..50_000u64 {
            let at = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let sample = Sample { sent_us: at >> 7, received_us: at, bytes: 1 };
            estimate.insert(i, &[sample], at >> 3);
        }
        assert!(estimate.recent.len() <= MAX_SAMPLES);
        assert!(estimate.average_us().is_finite());
    }
}
