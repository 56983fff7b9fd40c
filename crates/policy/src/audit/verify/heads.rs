//! The heads that a log is compared with.

use crate::audit::finding::Finding;
use crate::audit::head::SignedHead;
use crate::audit::key::{Hash, LogId};
use std::collections::BTreeMap;

/// Most heads that are kept at a time: 64 bytes each, and as many again for their order.
pub const MAX_HEADS: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct Heads {
    known: BTreeMap<(LogId, u64), Known>,
    is_full: bool,
}

#[derive(Debug)]
struct Known {
    hash: Hash,
    is_cross_signed: bool,
}

impl Heads {
    /// Takes in a genuine head.
    pub(super) fn add(&mut self, head: &SignedHead, is_cross_signed: bool) -> Result<(), Finding> {
        let (log, sequence) = (head.key.log_id(), head.sequence);
        if let Some(known) = self.known.get_mut(&(log, sequence)) {
            known.is_cross_signed |= is_cross_signed;
            return match known.hash == head.hash {
                true => Ok(()),
                false => Err(Finding::Forked { log, sequence }),
            };
        }
        if self.known.len() >= MAX_HEADS {
            self.is_full = true;
            return Ok(());
        }
        self.known.insert((log, sequence), Known { hash: head.hash, is_cross_signed });
        Ok(())
    }

    pub(super) fn hash(&self, log: LogId, sequence: u64) -> Option<Hash> {
        self.known.get(&(log, sequence)).map(|known| known.hash)
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn count(&self, log: LogId) -> u64 {
        self.of(log).count() as u64
    }

    /// The last record that the log's own key confirms.
    pub(super) fn last(&self, log: LogId) -> Option<u64> {
        self.of(log).next_back().map(|(sequence, _)| sequence)
    }

    /// The last record that a peer confirms; 0 without one.
    pub(super) fn confirmed(&self, log: LogId) -> u64 {
        let mut crossed = self.of(log).rev().filter(|(_, known)| known.is_cross_signed);
        crossed.next().map_or(0, |(sequence, _)| sequence)
    }

    fn of(&self, log: LogId) -> impl DoubleEndedIterator<Item = (u64, &Known)> {
        let all = self.known.range((log, 0)..=(log, u64::MAX));
        all.map(|((_, sequence), known)| (*sequence, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Signer;

    #[test]
    fn heads_beyond_the_bound_are_not_looked_at_and_that_is_told() {
        let key = Signer::from_seed(&[1; 32]).unwrap().key();
        let head = |sequence, hash| SignedHead {
            key,
            sequence,
            hash: [hash; 32],
            time_us: 0,
            signature: [0; 64],
        };
        let (log, count) = (key.log_id(), MAX_HEADS as u64);
        let mut heads = Heads::default();
        for sequence in 1..=count {
            assert_eq!(heads.add(&head(sequence, 0), false), Ok(()));
        }
        assert!(!heads.is_full());
        assert_eq!(heads.add(&head(count + 1, 0), true), Ok(()));
        assert!(heads.is_full());
        assert_eq!((heads.count(log), heads.last(log)), (65_536, Some(count)));
        // What is known is still compared and confirmed.
        assert_eq!(heads.add(&head(9, 1), false), Err(Finding::Forked { log, sequence: 9 }));
        assert_eq!(heads.confirmed(log), 0);
        for _ in 0..2 {
            assert_eq!(heads.add(&head(8, 0), true), Ok(()));
            assert_eq!(heads.confirmed(log), 8, "once confirmed is confirmed");
        }
        assert_eq!(heads.add(&head(8, 0), false), Ok(()));
        assert_eq!(heads.confirmed(log), 8);
    }
}
