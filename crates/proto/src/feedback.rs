//! What a helper reports: which datagrams came, and when.

use crate::{Reader, WireError, Writer};

/// The most runs of received and lost datagrams in one report.
pub const MAX_RUNS: usize = 48;
/// The most datagrams a report looks back on. A sharer counts older ones that no report has
/// named as lost.
pub const MAX_HISTORY: u64 = 4_096;
/// The most arrival times in one report.
pub const MAX_ARRIVALS: usize = 128;

const KIND_FEEDBACK: u8 = 0x40;

/// A report. Each one repeats the fate of the last datagrams, so that a lost report costs
/// nothing when another follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Every datagram below this number has been received or given up.
    pub decided: u64,
    /// Lengths of runs that end just below `decided`, newest first: received, lost, received, ...
    /// The first may be 0. Datagrams below the last run were reported before.
    pub runs: Vec<u64>,
    /// The newest update whose last datagram arrived.
    pub update: u64,
    /// Microseconds from the newest arrival to the sending of this report.
    pub delay_us: u64,
    /// Packets that arrived marked by the network (CE, RFC 3168) since the connection began, as
    /// far as the helper's socket tells.
    pub marked: u64,
    /// Arrivals not reported before, by arrival: sequence number and time of the helper's clock.
    pub arrivals: Vec<Arrival>,
}

/// When a datagram arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Its sequence number.
    pub seq: u64,
    /// The helper's monotonic clock in microseconds; its origin is arbitrary.
    pub received_us: u64,
}

impl Feedback {
    /// Appends the report to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        w.u8(KIND_FEEDBACK);
        w.varint(self.decided);
        w.varint(self.update);
        w.varint(self.delay_us);
        w.varint(self.marked);
        w.varint(self.runs.len().min(MAX_RUNS) as u64);
        for run in self.runs.iter().take(MAX_RUNS) {
            w.varint(*run);
        }
        w.varint(self.arrivals.len().min(MAX_ARRIVALS) as u64);
        let mut last = Arrival { seq: self.decided, received_us: 0 };
        for arrival in self.arrivals.iter().take(MAX_ARRIVALS) {
            w.i32(arrival.seq.wrapping_sub(last.seq) as i32); // within MAX_HISTORY of each other
            w.varint(arrival.received_us.saturating_sub(last.received_us));
            last = *arrival;
        }
    }

    /// Reads a report.
    ///
    /// # Errors
    /// Anything that is not exactly one valid report.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        match r.u8("kind")? {
            KIND_FEEDBACK => {}
            kind => return Err(WireError::Kind { field: "report", value: u64::from(kind) }),
        }
        let decided = r.varint("decided")?;
        let update = r.varint("update")?;
        let delay_us = r.varint("delay")?;
        let marked = r.varint("marked")?;
        let runs = (0..r.bounded("runs", MAX_RUNS as u64)?)
            .map(|_| r.bounded("run", MAX_HISTORY))
            .collect::<Result<Vec<_>, _>>()?;
        let count = r.bounded("arrivals", MAX_ARRIVALS as u64)?;
        let mut arrivals = Vec::with_capacity(count as usize);
        let mut last = Arrival { seq: decided, received_us: 0 };
        for _ in 0..count {
            let seq = last.seq.wrapping_add_signed(i64::from(r.i32("arrival")?));
            let received_us = last.received_us.saturating_add(r.varint("arrival time")?);
            last = Arrival { seq, received_us };
            arrivals.push(last);
        }
        r.end()?;
        Ok(Self { decided, runs, update, delay_us, marked, arrivals })
    }

    /// The ranges the runs stand for, newest first: (first, one past the last, received).
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64, bool)> + '_ {
        let mut end = self.decided;
        self.runs.iter().enumerate().map_while(move |(i, run)| {
            let start = end.checked_sub(*run)?;
            let range = (start, end, i % 2 == 0);
            end = start;
            Some(range)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reports_come_back(
            head in (1u64 << 20..1 << 40, 0u64..1 << 40, 0u64..1 << 30, 0u64..1 << 40),
            runs in prop::collection::vec(0..MAX_HISTORY, 0..MAX_RUNS),
            deltas in prop::collection::vec((-1000i64..1000, 0u64..100_000), 0..MAX_ARRIVALS),
        ) {
            let mut last = Arrival { seq: head.0, received_us: 7 << 30 };
            let arrivals = deltas.into_iter().map(|(seq, us)| {
                last.seq = last.seq.wrapping_add_signed(seq);
                last.received_us += us;
                last
            }).collect();
            let (decided, update, delay_us, marked) = head;
            let report = Feedback { decided, runs, update, delay_us, marked, arrivals };
            let mut out = Vec::new();
            report.write(&mut out);
            prop_assert_eq!(Feedback::read(&out), Ok(report));
        }

        #[test]
        fn any_bytes_give_a_report_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            if let Ok(report) = Feedback::read(&bytes) {
                prop_assert!(report.ranges().count() <= MAX_RUNS);
            }
        }
    }

    #[test]
    fn ranges_walk_down_from_the_decided_number() {
        let report = Feedback { decided: 20, runs: vec![0, 3, 5, 1, 30], ..Feedback::default() };
        let ranges: Vec<_> = report.ranges().collect();
        assert_eq!(ranges, [(20, 20, true), (17, 20, false), (12, 17, true), (11, 12, false)]);
    }
}
