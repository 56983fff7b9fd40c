//! The order of records: which are missing, moved or repeated.

use crate::audit::action::Action;
use crate::audit::anchor::Anchor;
use crate::audit::finding::{Finding, Note, Observation};
use crate::audit::key::Hash;
use crate::audit::record::{Outline, Record};

/// Most gaps that are remembered in case their records stand further on; a log with more has
/// them reported as removed at once.
const MAX_GAPS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The number that the first anchor begins with.
    first: Option<u64>,
    /// The number that comes next; 0 before anything was met.
    next: u64,
    /// The hash of the record before the next one, if it is known.
    previous: Option<Hash>,
    /// Damaged records since the last whole one: they stand where missing ones would.
    damaged: u64,
    /// Missing records, first and last.
    gaps: Vec<(u64, u64)>,
    /// The number of the whole record that was met last.
    behind: u64,
    time_us: u64,
    /// From where on records are kept, by the records' own account.
    kept_from: u64,
}

impl Walk {
    /// A segment begins whose anchor cannot be used.
    pub(super) fn begin_at(&mut self, number: u64) {
        if self.first.is_none() {
            self.first = Some(number);
            self.next = number;
        }
    }

    pub(super) fn anchor(&mut self, anchor: &Anchor, segment: u64) -> Option<Finding> {
        let begins = anchor.first_sequence;
        if self.first.is_none() {
            self.first = Some(begins);
            self.next = begins;
            self.previous = Some(anchor.previous);
            let is_first = begins <= 1;
            let wrong = is_first && anchor.previous != anchor.key.genesis() || begins == 0;
            return wrong.then_some(Finding::WrongAnchor { segment });
        }
        let log = anchor.key.log_id();
        if begins < self.next {
            // Its records will be found to be moved or repeated.
            return None;
        }
        let is_known = begins == self.next && self.damaged == 0;
        let forked = is_known && self.previous.is_some_and(|hash| hash != anchor.previous);
        let removed = self.skip_to(begins);
        self.previous = Some(anchor.previous);
        forked.then_some(Finding::Forked { log, sequence: begins - 1 }).or(removed)
    }

    /// A record cannot be read; the number that it should have.
    pub(super) fn damaged(&mut self) -> u64 {
        let sequence = self.next.saturating_add(self.damaged);
        self.damaged += 1;
        sequence
    }

    /// A record with this number is not the log's.
    pub(super) fn forged(&mut self, sequence: u64) {
        if sequence == self.next.saturating_add(self.damaged) {
            self.damaged += 1;
        }
    }

    /// A record that the log's key signed.
    pub(super) fn record(&mut self, outline: &Outline<'_>) -> Vec<Observation> {
        let (log, sequence, time_us) = (outline.log, outline.sequence, outline.time_us);
        let after = std::mem::replace(&mut self.behind, sequence);
        if sequence < self.next {
            return vec![Observation::Finding(self.out_of_order(outline, after))];
        }
        let mut told = Vec::new();
        let is_linked = self.previous.is_none_or(|hash| hash == outline.previous);
        if sequence == self.next && !is_linked {
            let sequence = sequence.saturating_sub(1);
            told.push(Observation::Finding(Finding::Forked { log, sequence }));
        }
        told.extend(self.skip_to(sequence).map(Observation::Finding));
        if time_us < self.time_us {
            let by_us = self.time_us - time_us;
            told.push(Observation::Note(Note::ClockSetBack { sequence, by_us }));
        }
        self.time_us = time_us;
        self.next = sequence.saturating_add(1);
        self.previous = Some(outline.hash);
        told
    }

    /// What a record says of the log itself.
    pub(super) fn tell_of(&mut self, record: &Record) -> Option<Note> {
        match record.entry.action {
            Action::LogCut { bytes } => Some(Note::Cut { sequence: record.sequence, bytes }),
            Action::LogDropped { first_kept } => {
                // It cannot speak of what comes after it.
                self.kept_from = self.kept_from.max(first_kept.min(record.sequence));
                Some(Note::Dropped { first_kept })
            }
            _ => None,
        }
    }

    pub(super) fn first(&self) -> u64 {
        self.first.unwrap_or(0)
    }

    /// The number of the last record, whole or not.
    pub(super) fn last(&self) -> u64 {
        self.next.saturating_add(self.damaged).saturating_sub(1)
    }

    pub(super) fn finish(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.gaps.sort_unstable();
        // A gap that goes beyond a segment was met in parts.
        for (first, last) in std::mem::take(&mut self.gaps) {
            match findings.last_mut() {
                Some(Finding::Removed { last: before, .. })
                    if before.checked_add(1) == Some(first) =>
                {
                    *before = last;
                }
                _ => findings.push(Finding::Removed { first, last }),
            }
        }
        let expected = self.kept_from.max(1);
        if let Some(first) = self.first.filter(|first| *first > expected) {
            findings.push(Finding::StartRemoved { first, expected });
        }
        findings
    }

    /// Passes over what is missing before `sequence`.
    fn skip_to(&mut self, sequence: u64) -> Option<Finding> {
        let missing = self.next.saturating_add(self.damaged);
        self.damaged = 0;
        let last = sequence.checked_sub(1).filter(|last| *last >= missing);
        self.next = self.next.max(sequence);
        let gap = (missing, last?);
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
            return None;
        }
        Some(Finding::Removed { first: gap.0, last: gap.1 })
    }

    fn out_of_order(&mut self, outline: &Outline<'_>, after: u64) -> Finding {
        let sequence = outline.sequence;
        let gap = self.gaps.iter().position(|(first, last)| (*first..=*last).contains(&sequence));
        let Some(gap) = gap else {
            let is_last = sequence.checked_add(1) == Some(self.next) && self.damaged == 0;
            if is_last && self.previous.is_some_and(|hash| hash != outline.hash) {
                return Finding::Forked { log: outline.log, sequence };
            }
            if self.first.is_some_and(|first| sequence < first) {
                return Finding::Reordered { sequence, after };
            }
            return Finding::Repeated { sequence };
        };
        let (first, last) = self.gaps.remove(gap);
        if sequence > first {
            self.gaps.push((first, sequence - 1));
        }
        if sequence < last {
            self.gaps.push((sequence + 1, last));
        }
        Finding::Reordered { sequence, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_beyond_the_bound_are_told_at_once() {
        let mut walk = Walk::default();
        walk.begin_at(1);
        for gap in 0..MAX_GAPS as u64 {
            assert_eq!(walk.skip_to(2 * gap + 2), None, "its record may stand further on");
            walk.next += 1;
        }
        let first = walk.next;
        assert_eq!(walk.skip_to(first + 1), Some(Finding::Removed { first, last: first }));
        assert_eq!(walk.finish().len(), MAX_GAPS);
    }
}
