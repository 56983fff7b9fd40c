//! A rate that nothing changes, for comparison and for tests.

use crate::{Controller, Report};

/// Sends at one rate, whatever the path does.
#[derive(Debug)]
pub struct FixedController {
    bytes_per_s: u64,
    rtt_us: u64,
    min_rtt_us: u64,
}

impl FixedController {
    /// A controller that sends at `bytes_per_s`.
    pub fn new(bytes_per_s: u64) -> Self {
        Self { bytes_per_s, rtt_us: 100_000, min_rtt_us: u64::MAX }
    }
}

impl Controller for FixedController {
    fn handle_report(&mut self, _now_us: u64, report: &Report<'_>) {
        if let Some(rtt_us) = report.rtt_us {
            self.rtt_us = rtt_us;
            self.min_rtt_us = self.min_rtt_us.min(rtt_us);
        }
    }

    fn window_bytes(&self) -> u64 {
        // What goes out in two seconds: a bound for when no report comes at all.
        self.bytes_per_s.saturating_mul(2)
    }

    fn pacing_bytes_per_s(&self) -> u64 {
        self.bytes_per_s
    }

    fn carried_bytes_per_s(&self) -> u64 {
        self.bytes_per_s
    }

    fn queue_delay_us(&self) -> u64 {
        self.rtt_us.saturating_sub(self.min_rtt_us())
    }

    fn rtt_us(&self) -> u64 {
        self.rtt_us
    }

    fn min_rtt_us(&self) -> u64 {
        self.min_rtt_us.min(self.rtt_us)
    }
}
