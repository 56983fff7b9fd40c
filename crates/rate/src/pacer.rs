//! Spreads datagrams over time, so that a burst does not build a queue at the narrow link.

/// A token bucket that lets out a packet or two, or half a millisecond's worth, at a time.
#[derive(Debug)]
pub struct Pacer {
    bytes_per_s: u64,
    credit_bytes: i64,
    last_us: u64,
}

/// What may leave back to back at any rate: two full Ethernet frames.
const MIN_BURST_BYTES: u64 = 3_000;
/// What may leave back to back at high rates: this much time's worth.
const BURST_US: u64 = 500;

impl Pacer {
    /// A pacer at `bytes_per_s`, with a full bucket.
    pub fn new(now_us: u64, bytes_per_s: u64) -> Self {
        let mut pacer = Self { bytes_per_s: bytes_per_s.max(1), credit_bytes: 0, last_us: now_us };
        pacer.credit_bytes = pacer.burst_bytes();
        pacer
    }

    /// Changes the rate; credit earned at the old one is kept.
    pub fn set_rate(&mut self, now_us: u64, bytes_per_s: u64) {
        self.refill(now_us);
        self.bytes_per_s = bytes_per_s.max(1);
    }

    /// Whether a datagram may leave now.
    pub fn is_open(&mut self, now_us: u64) -> bool {
        self.refill(now_us);
        self.credit_bytes > 0
    }

    /// Accounts for a datagram that left.
    pub fn handle_sent(&mut self, bytes: u64) {
        self.credit_bytes -= bytes as i64;
    }

    /// When the next datagram may leave; in the past when one may leave now.
    pub fn open_at_us(&self) -> u64 {
        if self.credit_bytes > 0 {
            return self.last_us;
        }
        let missing = (1 - self.credit_bytes) as u64;
        self.last_us + (missing * 1_000_000).div_ceil(self.bytes_per_s)
    }

    fn burst_bytes(&self) -> i64 {
        (self.bytes_per_s * BURST_US / 1_000_000).max(MIN_BURST_BYTES) as i64
    }

    fn refill(&mut self, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.last_us).min(1_000_000);
        let earned = self.bytes_per_s.saturating_mul(elapsed_us) / 1_000_000;
        if earned == 0 && elapsed_us < 1_000_000 {
            return; // too little time for a byte: it stays on the account
        }
        self.last_us = now_us;
        self.credit_bytes = (self.credit_bytes + earned as i64).min(self.burst_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends 1200-byte datagrams as fast as the pacer lets, for `span_us`.
    fn sent_in(rate: u64, span_us: u64) -> (u64, u64) {
        let (mut pacer, mut now, mut sent, mut burst, mut longest) =
            (Pacer::new(0, rate), 0, 0, 0, 0);
        while now < span_us {
            if pacer.is_open(now) {
                pacer.handle_sent(1_200);
                sent += 1_200;
                burst += 1_200;
                longest = burst.max(longest);
            } else {
                burst = 0;
                now = pacer.open_at_us().max(now + 1);
            }
        }
        (sent, longest)
    }

    #[test]
    fn the_rate_is_kept_and_bursts_are_small() {
        for rate in [50_000, 1_250_000, 12_500_000, 125_000_000] {
            let (sent, longest) = sent_in(rate, 2_000_000);
            let expected = rate * 2;
            assert!(sent.abs_diff(expected) < expected / 20 + 5_000, "{sent} of {expected}");
            assert!(longest <= (rate / 2_000).max(MIN_BURST_BYTES) + 2_400, "{longest} at {rate}");
        }
    }

    #[test]
    fn a_wait_ends_when_it_said() {
        let mut pacer = Pacer::new(0, 1_000_000);
        while pacer.is_open(0) {
            pacer.handle_sent(1_000);
        }
        let at = pacer.open_at_us();
        assert!(!pacer.is_open(at - 1) && pacer.is_open(at));
    }
}
