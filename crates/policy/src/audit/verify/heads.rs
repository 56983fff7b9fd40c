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
