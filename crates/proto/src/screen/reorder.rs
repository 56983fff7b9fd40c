//! Puts datagrams in the order of their numbers and decides which are lost.

use crate::feedback::{Arrival, Feedback, MAX_ARRIVALS, MAX_HISTORY, MAX_RUNS};
use std::collections::{BTreeMap, VecDeque};

/// How long a gap is held open for a datagram that was overtaken: on a path that keeps the order,
/// and on one where some came out of it within the last time (RFC 8985, section 6.2, adapts as
/// well). Longer costs delay after each loss, shorter costs repeats after each reordering.
const HOLD_US: u64 = 1_000;
const LONG_HOLD_US: u64 = 4_000;
const UNORDERED_US: u64 = 60_000_000;
/// Datagrams held behind a gap at most; one more closes the gap at once.
const MAX_HELD: usize = 1_024;
/// A jump further ahead than this is not a gap but nonsense.
const MAX_JUMP: u64 = 1 << 20;

/// Orders items by sequence number. Each number is released once or given up once.
#[derive(Debug)]
pub(super) struct Reorder<T> {
    next: u64,
    /// What came behind a gap, with its time of arrival.
    held: BTreeMap<u64, (u64, T)>,
    /// Runs of fates below `next`, newest last.
    runs: VecDeque<(bool, u64)>,
    arrivals: VecDeque<Arrival>,
    /// When a datagram came after one with a higher number.
    unordered_us: Option<u64>,
}

impl<T> Reorder<T> {
    pub(super) fn new() -> Self {
        Self {
            next: 0,
            held: BTreeMap::new(),
            runs: VecDeque::new(),
            arrivals: VecDeque::new(),
            unordered_us: None,
        }
    }

    /// Whether a datagram of this number would be released at once.
    pub(super) fn is_next(&self, seq: u64) -> bool {
        seq == self.next
    }

    /// Takes a datagram in; false when it is a duplicate, too late, or absurdly far ahead.
    pub(super) fn insert(&mut self, now_us: u64, seq: u64, item: T) -> bool {
        let is_late = seq < self.next;
        let overtaken = self.held.last_key_value().is_some_and(|(last, _)| *last > seq);
        let known = self.held.contains_key(&seq);
        if (is_late && self.was_given_up(seq)) || (overtaken && !is_late && !known) {
            self.unordered_us = Some(now_us);
        }
        if is_late || known || seq - self.next > MAX_JUMP {
            return false;
        }
        self.held.insert(seq, (now_us, item));
        if self.arrivals.len() == MAX_ARRIVALS {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back(Arrival { seq, received_us: now_us });
        true
    }

    /// The next item in order with its time of arrival, if it is here or the gap before it has
    /// been given up.
    pub(super) fn pop(&mut self, now_us: u64) -> Option<(u64, T)> {
        let (&seq, _) = self.held.first_key_value()?;
        if seq > self.next {
            let expired = self.gap_until_us().is_some_and(|until| now_us >= until);
            if !expired && self.held.len() <= MAX_HELD {
                return None;
            }
            self.decide(false, seq - self.next);
        }
        self.decide(true, 1);
        self.held.pop_first().map(|(_, item)| item)
    }

    /// When [`Reorder::pop`] will give up the gap before the next item, if there is one.
    pub(super) fn gap_until_us(&self) -> Option<u64> {
        let (seq, (arrived_us, _)) = self.held.first_key_value()?;
        let unordered = self.unordered_us.is_some_and(|at_us| *arrived_us < at_us + UNORDERED_US);
        let hold_us = if unordered { LONG_HOLD_US } else { HOLD_US };
        (*seq > self.next).then_some(arrived_us + hold_us)
    }

    /// Whether a decided number was decided to be lost, as far as is remembered.
    fn was_given_up(&self, seq: u64) -> bool {
        let mut from = self.next;
        let run = self.runs.iter().rev().find(|(_, run)| {
            from = from.saturating_sub(*run);
            from <= seq
        });
        run.is_some_and(|(received, _)| !received)
    }

    fn decide(&mut self, received: bool, count: u64) {
        self.next += count;
        match self.runs.back_mut() {
            Some((fate, run)) if *fate == received => *run += count,
            _ => self.runs.push_back((received, count)),
        }
        let mut excess = self.runs.iter().map(|(_, run)| run).sum::<u64>();
        while excess > MAX_HISTORY || self.runs.len() > MAX_RUNS {
            let (_, oldest) = self.runs[0];
            let cut = match self.runs.len() > MAX_RUNS {
                true => oldest,
                false => oldest.min(excess - MAX_HISTORY),
            };
            excess -= cut;
            self.runs[0].1 -= cut;
            if self.runs[0].1 == 0 {
                self.runs.pop_front();
            }
        }
    }

    /// A report of all fates still remembered and of the arrivals since the last report.
    pub(super) fn report(&mut self, now_us: u64, update: u64) -> Feedback {
        let mut runs = Vec::with_capacity(self.runs.len() + 1);
        if self.runs.back().is_some_and(|(received, _)| !received) {
            runs.push(0);
        }
        runs.extend(self.runs.iter().rev().map(|(_, run)| *run));
        runs.truncate(MAX_RUNS);
        let delay_us = self.arrivals.back().map_or(0, |a| now_us.saturating_sub(a.received_us));
        let arrivals = self.arrivals.drain(..).collect();
        Feedback { decided: self.next, runs, update, delay_us, arrivals, ..Feedback::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(r: &mut Reorder<u64>, now_us: u64) -> Vec<u64> {
        std::iter::from_fn(|| r.pop(now_us)).map(|(_, item)| item).collect()
    }

    #[test]
    fn order_is_restored_within_the_hold() {
        let mut r = Reorder::new();
        for seq in [0, 2, 3, 1] {
            assert!(r.insert(10, seq, seq));
        }
        assert!(!r.insert(11, 2, 2), "a duplicate");
        assert_eq!(drain(&mut r, 12), [0, 1, 2, 3]);
        assert_eq!(r.gap_until_us(), None);
        assert!(!r.insert(13, 3, 3), "released before");
    }

    #[test]
    fn a_gap_is_given_up_for_good() {
        let mut r = Reorder::new();
        for seq in [0, 2] {
            r.insert(10, seq, seq);
        }
        assert_eq!(drain(&mut r, 10), [0]);
        let until = r.gap_until_us().unwrap();
        assert_eq!(drain(&mut r, until - 1), [0; 0]);
        assert_eq!(drain(&mut r, until), [2]);
        assert!(!r.insert(until, 1, 1), "too late");
        let report = r.report(until, 0);
        assert_eq!((report.decided, report.runs), (3, vec![1, 1, 1]));
    }

    #[test]
    fn gaps_are_held_longer_for_a_minute_after_a_datagram_was_overtaken() {
        let mut r = Reorder::new();
        let mut now_us = 0;
        let mut hold_us = |r: &mut Reorder<u64>, at_us: u64, lost: u64| {
            now_us = at_us;
            r.insert(now_us, lost + 1, 0);
            let hold_us = r.gap_until_us().unwrap() - now_us;
            drain(r, now_us + hold_us);
            hold_us
        };
        assert_eq!(hold_us(&mut r, 0, 0), HOLD_US);
        assert!(!r.insert(2_000, 1, 0), "a duplicate proves nothing");
        assert_eq!(hold_us(&mut r, 10_000, 2), HOLD_US);
        assert!(!r.insert(20_000, 0, 0), "it was not lost but late");
        assert_eq!(hold_us(&mut r, 30_000, 4), LONG_HOLD_US);
        assert_eq!(hold_us(&mut r, 20_000 + UNORDERED_US, 6), HOLD_US);
        // One that comes while its gap is held counts, too.
        r.insert(90_000_000, 9, 0);
        r.insert(90_000_500, 8, 0);
        drain(&mut r, 90_000_500);
        assert_eq!(hold_us(&mut r, 90_001_000, 10), LONG_HOLD_US);
    }

    #[test]
    fn memory_is_bounded_whatever_arrives() {
        let mut r = Reorder::new();
        for i in 0..10_000u64 {
            r.insert(5, i * 2 + 1, i);
            if i % 7 == 0 {
                let _ = drain(&mut r, 5);
            }
            assert!(r.held.len() <= MAX_HELD + 8 && r.runs.len() <= MAX_RUNS);
            assert!(r.arrivals.len() <= MAX_ARRIVALS);
        }
        assert!(!r.insert(5, u64::MAX, 0), "absurdly far ahead");
        assert!(r.report(5, 0).runs.len() <= MAX_RUNS);
    }
}
