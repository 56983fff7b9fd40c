//! How fast data arrived over the last busy while.

use crate::Sample;

/// A rate is taken over at least this time, and over so many bytes while that takes no longer than
/// the second: two datagrams more or less in a short time say nothing.
const SPAN_US: u64 = 20_000;
const SPAN_BYTES: u64 = 12_000;
const MAX_SPAN_US: u64 = 200_000;
/// A longer pause begins a new measurement: the sender was idle.
const PAUSE_US: u64 = 50_000;

/// The rate at which the path carried datagrams.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    start_us: u64,
    end_us: u64,
    bytes: u64,
    last_bytes_per_s: u64,
}

impl Carried {
    /// Takes an arrival in.
    pub(crate) fn insert(&mut self, sample: &Sample) {
        let received_us = sample.received_us;
        if received_us > self.end_us.saturating_add(PAUSE_US) || received_us < self.start_us {
            (self.start_us, self.end_us, self.bytes) = (received_us, received_us, 0);
            return;
        }
        self.end_us = self.end_us.max(received_us);
        self.bytes += u64::from(sample.bytes);
        let span_us = self.end_us - self.start_us;
        if span_us >= SPAN_US && (self.bytes >= SPAN_BYTES || span_us >= MAX_SPAN_US) {
            self.last_bytes_per_s = self.bytes.saturating_mul(1_000_000) / span_us;
            (self.start_us, self.bytes) = (self.end_us, 0);
        }
    }

    /// That of the while that has begun, when it is long enough to say something.
    pub(crate) fn now_bytes_per_s(&self) -> Option<u64> {
        let span_us = self.end_us - self.start_us;
        (span_us >= SPAN_US).then(|| self.bytes.saturating_mul(1_000_000) / span_us)
    }

    /// In bytes per second; 0 when nothing was measured yet.
    pub(crate) fn bytes_per_s(&self) -> u64 {
        self.last_bytes_per_s
    }
}
