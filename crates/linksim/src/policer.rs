//! Token buckets that drop what comes too fast, without a queue.

use crate::{Ns, S};

/// A policer: as operators limit a subscriber's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicerConfig {
    /// Bits per second that pass for long.
    pub bits_per_s: u64,
    /// Bytes that pass at once after a pause.
    pub burst_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Policer {
    config: PolicerConfig,
    /// Billionths of a bit, so that no time is rounded away.
    tokens: u128,
    last: Ns,
}

impl Policer {
    pub(crate) fn new(config: PolicerConfig) -> Self {
        Self { tokens: Self::full(&config), config, last: 0 }
    }

    fn full(config: &PolicerConfig) -> u128 {
        u128::from(config.burst_bytes) * 8 * u128::from(S)
    }

    /// Whether a packet passes.
    pub(crate) fn passes(&mut self, now: Ns, bytes: u32) -> bool {
        let earned = u128::from(now.saturating_sub(self.last)) * u128::from(self.config.bits_per_s);
        self.last = self.last.max(now);
        self.tokens = (self.tokens + earned).min(Self::full(&self.config));
        let needed = u128::from(bytes) * 8 * u128::from(S);
        let passes = needed <= self.tokens;
        if passes {
            self.tokens -= needed;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MS;

    #[test]
    fn the_rate_and_the_burst_pass_and_the_rest_is_dropped() {
        let config = PolicerConfig { bits_per_s: 1_000_000, burst_bytes: 10_000 };
        let mut policer = Policer::new(config);
        assert_eq!((0..20).filter(|_| policer.passes(0, 1_000)).count(), 10);
        // 2 Mbit/s are offered for a second, half of them pass.
        let passed = (1..=250u64).filter(|i| policer.passes(i * 4 * MS, 1_000)).count();
        assert_eq!(passed, 125);
    }
}
