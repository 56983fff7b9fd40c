//! How fast a link sends.

use crate::{MS, Ns, S};

/// A delivery opportunity of a trace carries this much, as in mahimahi.
const OPPORTUNITY_BYTES: u32 = 1_500;
/// The longest trace file: a day at 12 Mbit/s is larger, a bench is not.
const MAX_OPPORTUNITIES: usize = 10_000_000;

/// A link's rate over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Nothing waits.
    Unlimited,
    /// Bits per second from each time on, ascending; before the first, and at 0, nothing moves.
    /// The last rate stays.
    Steps(Vec<(Ns, u64)>),
    /// Opportunities to send 1,500 bytes each, at these times, again and again with this period.
    Trace {
        /// Ascending, below `period` or equal to it.
        at: Vec<Ns>,
        /// After this time the first comes again.
        period: Ns,
    },
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// Not a number of milliseconds.
    #[error("line {line}: expected a whole number of milliseconds, got \"{text}\"")]
    Number {
        /// From 1.
        line: usize,
        /// At most 40 characters of it.
        text: String,
    },
    /// Earlier than the line before.
    #[error("line {line}: {ms} ms is before the line above; times must not fall")]
    Order {
        /// From 1.
        line: usize,
        /// What it says.
        ms: u64,
    },
    /// No opportunity, or all at time 0.
    #[error("the trace has no time after 0 ms, so it would carry nothing or everything")]
    Empty,
    /// Too many lines.
    #[error("the trace has more than {MAX_OPPORTUNITIES} lines")]
    TooLong,
}

impl Rate {
    /// The same rate for ever.
    pub fn constant(bits_per_s: u64) -> Self {
        Self::Steps(vec![(0, bits_per_s)])
    }

    /// Reads a trace in mahimahi's format: a line for each opportunity to send 1,500 bytes, with
    /// its time in whole milliseconds; the last one is the period.
    ///
    /// # Errors
    /// The first line that is not such a number, or a trace without time.
    pub fn from_mahimahi(text: &str) -> Result<Self, TraceError> {
        let mut at: Vec<Ns> = Vec::new();
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        for (line, text) in lines.filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
            let ms: u64 = text
                .parse()
                .map_err(|_| TraceError::Number { line, text: text.chars().take(40).collect() })?;
            let time = ms.saturating_mul(MS);
            if at.last().is_some_and(|last| *last > time) {
                return Err(TraceError::Order { line, ms });
            }
            if at.len() == MAX_OPPORTUNITIES {
                return Err(TraceError::TooLong);
            }
            at.push(time);
        }
        match at.last() {
            Some(&period) if period > 0 => Ok(Self::Trace { at, period }),
            _ => Err(TraceError::Empty),
        }
    }

    /// The rate at a time in bits per second; of a trace, its mean.
    pub fn bits_per_s(&self, at: Ns) -> u64 {
        match self {
            Self::Unlimited => u64::MAX,
            Self::Steps(steps) => {
                let step = steps.partition_point(|(from, _)| *from <= at).checked_sub(1);
                step.map_or(0, |step| steps[step].1)
            }
            Self::Trace { period, .. } => {
                let bits = u128::from(self.capacity_bits(0, *period));
                (bits * u128::from(S) / u128::from(*period)) as u64
            }
        }
    }

    /// The bits that could be sent from `from` to `to`.
    pub fn capacity_bits(&self, from: Ns, to: Ns) -> u64 {
        match self {
            Self::Unlimited => u64::MAX,
            Self::Steps(steps) => {
                let ends = steps.iter().skip(1).map(|(at, _)| *at).chain([Ns::MAX]);
                let parts = steps.iter().zip(ends).map(|((start, rate), end)| {
                    let span = to.min(end).saturating_sub(from.max(*start));
                    u128::from(span) * u128::from(*rate) / u128::from(S)
                });
                parts.sum::<u128>() as u64
            }
            Self::Trace { at, period } => {
                let until = |t: Ns| {
                    let whole = t / period * at.len() as u64;
                    whole + at.partition_point(|a| *a <= t % period) as u64
                };
                (until(to) - until(from)) * u64::from(OPPORTUNITY_BYTES) * 8
            }
        }
    }
}

/// Sends packets one after the other at a rate.
#[derive(Debug)]
pub(crate) struct Transmitter {
    rate: Rate,
    /// When the opportunity in use is, and what is left of it.
    current: Ns,
    left_bytes: u32,
    /// The opportunity after it: how often the trace went by, and the place in it.
    next: (u64, usize),
}

impl Transmitter {
    pub(crate) fn new(rate: Rate) -> Self {
        Self { rate, current: 0, left_bytes: 0, next: (0, 0) }
    }

    /// When a packet that begins at `start` has been sent; `None`: never. Calls come in order.
    pub(crate) fn transmit(&mut self, start: Ns, bytes: u32) -> Option<Ns> {
        match &self.rate {
            Rate::Unlimited => Some(start),
            Rate::Steps(steps) => transmit_in_steps(steps, start, bytes),
            Rate::Trace { .. } => Some(self.transmit_in_trace(start, bytes)),
        }
    }

    fn transmit_in_trace(&mut self, start: Ns, bytes: u32) -> Ns {
        let Rate::Trace { at, period } = &self.rate else { return start };
        let time = |(round, place): (u64, usize)| round * period + at[place];
        let after = |(round, place): (u64, usize)| {
            if place + 1 < at.len() { (round, place + 1) } else { (round + 1, 0) }
        };
        if self.current < start {
            // What was not used in time is lost.
            self.left_bytes = 0;
            self.next = self.next.max((start.saturating_sub(1) / period, 0));
            while time(self.next) < start {
                self.next = after(self.next);
            }
        }
        let mut missing = bytes;
        while missing > 0 {
            if self.left_bytes == 0 {
                self.current = time(self.next);
                self.left_bytes = OPPORTUNITY_BYTES;
                self.next = after(self.next);
            }
            let used = missing.min(self.left_bytes);
            missing -= used;
            self.left_bytes -= used;
        }
        self.current
    }
}

fn transmit_in_steps(steps: &[(Ns, u64)], start: Ns, bytes: u32) -> Option<Ns> {
    let (mut now, mut missing) = (start, u128::from(bytes) * 8 * u128::from(S));
    let first = steps.partition_point(|(at, _)| *at <= start).saturating_sub(1);
    for (i, (at, rate)) in steps.iter().enumerate().skip(first) {
        now = now.max(*at);
        let end = steps.get(i + 1).map_or(Ns::MAX, |(at, _)| *at);
        let possible = u128::from(end - now) * u128::from(*rate);
        if missing <= possible {
            let takes = missing.div_ceil(u128::from((*rate).max(1)));
            return Some(now + takes as Ns);
        }
        missing -= possible;
        now = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_that_spans_a_step_takes_both_rates() {
        let steps = Rate::Steps(vec![(0, 8_000), (S, 0), (2 * S, 16_000)]);
        let mut transmitter = Transmitter::new(steps.clone());
        // 500 bytes go in the first half second, 500 wait for the end of the pause.
        assert_eq!(transmitter.transmit(S / 2, 1_000), Some(2 * S + S / 4));
        assert_eq!(steps.capacity_bits(S / 2, 2 * S + S / 4), 8_000);
        let mut dead = Transmitter::new(Rate::Steps(vec![(0, 8_000), (S, 0)]));
        assert_eq!(dead.transmit(0, 2_000), None);
    }

    #[test]
    fn a_trace_gives_its_opportunities_and_begins_again() {
        let rate = Rate::from_mahimahi("# two in 10 ms\n4\n4\n10\n").unwrap();
        let mut transmitter = Transmitter::new(rate.clone());
        let times: Vec<_> = (0..5).map(|_| transmitter.transmit(0, 1_500).unwrap() / MS).collect();
        assert_eq!(times, [4, 4, 10, 14, 14]);
        assert_eq!(rate.capacity_bits(0, 20 * MS), 6 * 12_000);
        // Small packets share one; what was not used in time is gone.
        let mut transmitter = Transmitter::new(rate);
        let small: Vec<_> = (0..6).map(|_| transmitter.transmit(0, 500).unwrap() / MS).collect();
        assert_eq!(small, [4, 4, 4, 4, 4, 4]);
        assert_eq!(transmitter.transmit(11 * MS, 100).unwrap() / MS, 14);
        assert_eq!(transmitter.transmit(995 * MS, 100).unwrap() / MS, 1_000);
    }

    #[test]
    fn what_is_no_trace_is_refused_with_its_line() {
        let error = |text: &str| Rate::from_mahimahi(text).unwrap_err().to_string();
        assert!(error("1\nx\n").starts_with("line 2: expected a whole number"));
        assert!(error("5\n\n4\n").starts_with("line 3: 4 ms is before"));
        assert!(error("").contains("no time after 0 ms"));
        assert!(error("0\n0\n").contains("no time after 0 ms"));
        assert!(error("-1\n").contains("\"-1\""));
    }
}
