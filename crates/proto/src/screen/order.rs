//! The helper's side of order among batches.

use crate::datagram::Order;
use bytes::Bytes;
use std::collections::BTreeMap;

/// Memory of batches held back at most; beyond it the oldest are dropped. More than what a sharer
/// relies on ([`super::inflight::RETAIN_BYTES`]) takes.
const MAX_HELD_BYTES: usize = 8 << 20;
/// What a batch takes beside its bytes: a place in a map, and what the allocator adds.
const BATCH_BYTES: usize = 256;
/// Batches held back at most. Twice what a sharer relies on
/// ([`super::inflight::RETAIN_BATCHES`]).
const MAX_HELD: usize = 4_096;

/// A batch that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) update: u64,
    pub(super) data: Bytes,
    pub(super) received_us: u64,
    pub(super) order: Option<Order>,
}

impl Whole {
    /// The memory it takes while it is held back.
    fn bytes(&self) -> usize {
        self.data.len() + BATCH_BYTES
    }
}

/// Holds back what follows a batch that is missing.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    /// The newest member of a chain that was applied.
    applied: Option<u64>,
    held: BTreeMap<u64, Whole>,
    bytes: usize,
}

impl Ordered {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes a batch in; gives what may be applied now, in order.
    pub(super) fn insert(&mut self, id: u64, whole: Whole) -> Vec<Whole> {
        let is_member = whole.order.is_some_and(|order| order.is_member);
        // A sharer that missed reports repeats what was applied.
        let is_known = is_member && self.applied.is_some_and(|applied| applied >= id);
        if is_known || self.held.contains_key(&id) {
            return Vec::new();
        }
        if is_member && whole.order.is_some_and(|order| order.after.is_none()) {
            // A new chain: what waits for the one before waits in vain.
            let later = self.held.split_off(&id);
            self.held = later;
            self.bytes = self.held.values().map(Whole::bytes).sum();
        }
        if !self.is_ready(&whole) {
            self.hold(id, whole);
            return Vec::new();
        }
        let mut ready = vec![whole];
        if is_member {
            self.applied = self.applied.max(Some(id));
            self.release(&mut ready);
        }
        ready
    }

    fn is_ready(&self, whole: &Whole) -> bool {
        let after = whole.order.and_then(|order| order.after);
        after.is_none_or(|after| self.applied.is_some_and(|applied| applied >= after))
    }

    /// Everything only waits for batches with lower numbers, so one pass finds all.
    fn release(&mut self, ready: &mut Vec<Whole>) {
        for (id, whole) in std::mem::take(&mut self.held) {
            if self.is_ready(&whole) {
                if whole.order.is_some_and(|order| order.is_member) {
                    self.applied = self.applied.max(Some(id));
                }
                self.bytes -= whole.bytes();
                ready.push(whole);
            } else {
                self.held.insert(id, whole);
            }
        }
    }

    fn hold(&mut self, id: u64, whole: Whole) {
        // The bytes of a batch of one part share the memory of packets.
        let whole = Whole { data: Bytes::copy_from_slice(&whole.data), ..whole };
        self.bytes += whole.bytes();
        self.held.insert(id, whole);
        while self.bytes > MAX_HELD_BYTES || self.held.len() > MAX_HELD {
            let Some((_, oldest)) = self.held.pop_first() else { return };
            self.bytes -= oldest.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(update: u64, is_member: bool, after: Option<u64>) -> Whole {
        let data = Bytes::from_static(&[0; 1_000]);
        Whole { update, data, received_us: 0, order: Some(Order { is_member, after }) }
    }

    fn numbers(ready: Vec<Whole>) -> Vec<u64> {
        ready.into_iter().map(|whole| whole.update).collect()
    }

    #[test]
    fn what_follows_waits_and_what_does_not_goes_on() {
        let mut ordered = Ordered::default();
        assert_eq!(numbers(ordered.insert(1, whole(1, true, None))), [1]);
        assert_eq!(numbers(ordered.insert(3, whole(3, true, Some(2)))), [0; 0]);
        assert_eq!(numbers(ordered.insert(4, whole(4, false, Some(3)))), [0; 0]);
        let free = Whole { order: None, ..whole(5, false, None) };
        assert_eq!(numbers(ordered.insert(5, free)), [5]);
        assert_eq!(numbers(ordered.insert(6, whole(6, false, Some(1)))), [6]);
        assert_eq!(numbers(ordered.insert(2, whole(2, true, Some(1)))), [2, 3, 4]);
        assert_eq!((ordered.held.len(), ordered.bytes), (0, 0));
    }

    #[test]
    fn a_new_chain_ends_all_waiting() {
        let mut ordered = Ordered::default();
        ordered.insert(2, whole(2, true, Some(1)));
        ordered.insert(3, whole(3, false, Some(2)));
        assert_eq!(numbers(ordered.insert(4, whole(4, true, None))), [4]);
        assert_eq!(numbers(ordered.insert(5, whole(5, true, Some(4)))), [5]);
        assert!(ordered.held.is_empty());
    }

    #[test]
    fn a_member_is_applied_once() {
        let mut ordered = Ordered::default();
        assert_eq!(numbers(ordered.insert(1, whole(1, true, None))), [1]);
        assert_eq!(numbers(ordered.insert(2, whole(2, true, Some(1)))), [2]);
        for id in [1, 2] {
            assert_eq!(numbers(ordered.insert(id, whole(id, true, None))), [0; 0]);
        }
    }

    #[test]
    fn memory_is_bounded_whatever_waits() {
        let mut ordered = Ordered::default();
        for id in 2..20_000 {
            assert!(ordered.insert(id, whole(id, id % 3 == 0, Some(1))).is_empty());
            assert!(ordered.bytes <= MAX_HELD_BYTES && ordered.held.len() <= MAX_HELD);
        }
    }
}
