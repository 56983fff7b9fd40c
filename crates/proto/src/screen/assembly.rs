//! Puts batches together from their parts.

use super::erasure;
use crate::datagram::{Code, Part};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, VecDeque};

/// Memory of incomplete batches kept at most; beyond it the oldest are dropped. More than what a
/// sharer relies on ([`super::inflight::RETAIN_BYTES`]) takes.
const MAX_OPEN_BYTES: usize = 8 << 20;
/// What a part and a batch take beside their bytes: places in maps, and what the allocator adds.
const PART_BYTES: usize = 128;
const BATCH_BYTES: usize = 384;
/// Incomplete batches kept at most. Twice what a sharer relies on
/// ([`super::inflight::RETAIN_BATCHES`]).
const MAX_OPEN: usize = 4_096;

/// Completed batches remembered.
const MAX_DONE: usize = 256;

/// The batches of which some parts have come.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    open: BTreeMap<u64, Open>,
    bytes: usize,
    /// The batches that were completed last: parts of them may come twice.
    done: VecDeque<u64>,
}

#[derive(Debug)]
struct Open {
    count: u32,
    parts: BTreeMap<u32, Bytes>,
    /// Parts of parity, and what they stand for.
    parity: BTreeMap<u32, Bytes>,
    code: Option<Code>,
    /// The memory it takes.
    bytes: usize,
}

impl Open {
    fn new(count: u32) -> Self {
        let (parts, parity) = Default::default();
        Self { count, parts, parity, code: None, bytes: BATCH_BYTES }
    }

    /// Takes a part in, unless it is here already; gives the memory that this takes. Parts of one
    /// batch agree on what it is, or the sharer contradicts itself.
    fn take(&mut self, part: &Part) -> Option<usize> {
        let code = self.code.or(part.code);
        if self.count != part.count || (part.code.is_some() && part.code != code) {
            return None;
        }
        self.code = code;
        let parts = if part.code.is_some() { &mut self.parity } else { &mut self.parts };
        if parts.contains_key(&part.index) {
            return None;
        }
        // A part shares its packet's memory, and packets that arrived together share theirs.
        parts.insert(part.index, Bytes::copy_from_slice(&part.data));
        let bytes = part.data.len() + PART_BYTES;
        self.bytes += bytes;
        Some(bytes)
    }

    fn is_whole(&self) -> bool {
        self.parts.len() + self.parity.len() >= self.count as usize
    }

    /// The whole batch; `None` when its parts contradict each other.
    fn data(self) -> Option<Bytes> {
        if self.parts.len() < self.count as usize {
            return erasure::restore(self.count, self.code?, &self.parts, &self.parity);
        }
        let mut data = BytesMut::with_capacity(self.parts.values().map(Bytes::len).sum());
        self.parts.values().for_each(|bytes| data.extend_from_slice(bytes));
        Some(data.freeze())
    }
}

impl Assembly {
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.done.clear();
        self.bytes = 0;
    }

    /// Takes a part in; gives the whole batch when this was its last missing part.
    pub(super) fn insert(&mut self, part: &Part) -> Option<Bytes> {
        if self.done.contains(&part.batch) {
            return None;
        }
        if part.count == 1 && part.code.is_none() {
            self.note_done(part.batch);
            return Some(part.data.clone());
        }
        let open = self.open.entry(part.batch).or_insert_with(|| {
            self.bytes += BATCH_BYTES;
            Open::new(part.count)
        });
        self.bytes += open.take(part)?;
        if !open.is_whole() {
            self.evict();
            return None;
        }
        let whole = self.open.remove(&part.batch)?;
        self.bytes -= whole.bytes;
        self.note_done(part.batch);
        whole.data()
    }

    fn note_done(&mut self, batch: u64) {
        if self.done.len() == MAX_DONE {
            self.done.pop_front();
        }
        self.done.push_back(batch);
    }

    fn evict(&mut self) {
        while self.bytes > MAX_OPEN_BYTES || self.open.len() > MAX_OPEN {
            let Some((_, oldest)) = self.open.pop_first() else { return };
            self.bytes -= oldest.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::inflight::{RETAIN_BATCHES, RETAIN_BYTES};
    use super::*;

    fn part(batch: u64, index: u32, count: u32, data: &[u8]) -> Part {
        Part {
            generation: 0,
            size: None,
            update: 0,
            ends_update: false,
            batch,
            index,
            count,
            code: None,
            order: None,
            data: Bytes::copy_from_slice(data),
        }
    }

    #[test]
    fn parity_stands_for_parts_that_are_missing() {
        let data: Vec<u8> = (0..10).collect();
        let whole = Bytes::from(data.clone());
        let code = Some(Code { parity: 2, bytes: 10 });
        let parity = erasure::parity(&data, 4, 2);
        let of = |batch, index| Part { code, ..part(batch, index, 3, &parity[index as usize]) };
        let mut a = Assembly::default();
        assert_eq!(a.insert(&of(1, 1)), None);
        assert_eq!(a.insert(&of(1, 1)), None);
        assert_eq!(a.insert(&part(1, 2, 3, &data[8..])), None);
        assert_eq!(a.insert(&of(1, 0)), Some(whole.clone()));
        assert_eq!(a.insert(&part(1, 0, 3, &data[..4])), None, "it is done");
        // One that contradicts the others changes nothing.
        let other = Part { code: Some(Code { parity: 2, bytes: 9 }), ..of(2, 0) };
        assert_eq!(a.insert(&of(2, 1)), None);
        assert_eq!(a.insert(&other), None);
        assert_eq!(a.insert(&part(2, 0, 3, &data[..4])), None);
        assert_eq!(a.insert(&part(2, 1, 3, &data[4..8])), Some(whole));
        assert_eq!((a.open.len(), a.bytes), (0, 0));
    }

    #[test]
    fn parts_in_any_order_make_the_batch_once() {
        let mut a = Assembly::default();
        assert_eq!(a.insert(&part(1, 2, 3, b"c")), None);
        assert_eq!(a.insert(&part(1, 0, 3, b"a")), None);
        assert_eq!(a.insert(&part(1, 0, 3, b"a")), None);
        assert_eq!(a.insert(&part(1, 1, 3, b"b")).as_deref(), Some(&b"abc"[..]));
        assert_eq!(a.insert(&part(2, 0, 1, b"x")).as_deref(), Some(&b"x"[..]));
        assert_eq!((a.open.len(), a.bytes), (0, 0));
    }

    #[test]
    fn incomplete_batches_are_bounded_and_the_oldest_go_first() {
        let mut a = Assembly::default();
        let data = vec![0u8; 1_200];
        for batch in 0..20_000 {
            assert_eq!(a.insert(&part(batch, 0, 2, &data)), None);
            assert!(a.bytes <= MAX_OPEN_BYTES && a.open.len() <= MAX_OPEN);
        }
        assert!(a.insert(&part(19_999, 1, 2, &data)).is_some());
        assert_eq!(a.insert(&part(0, 1, 2, &data)), None);
    }

    #[test]
    fn tiny_parts_are_counted_with_what_they_take() {
        let mut a = Assembly::default();
        // Of empty parts a batch would never be full.
        for part_of in (0..200).flat_map(|batch| (0..1_000).map(move |index| (batch, index))) {
            assert_eq!(a.insert(&part(part_of.0, part_of.1, 1_024, b"")), None);
            let parts = a.open.values().map(|open| open.parts.len()).sum::<usize>();
            assert!(parts * PART_BYTES + a.open.len() * BATCH_BYTES <= MAX_OPEN_BYTES);
        }
        assert!(a.bytes > MAX_OPEN_BYTES / 2);
    }

    #[test]
    fn what_a_sharer_relies_on_is_kept() {
        let mut a = Assembly::default();
        let (batches, data) = (RETAIN_BATCHES, vec![0u8; RETAIN_BYTES as usize / 2_048 / 2]);
        for batch in 0..batches {
            for index in 0..2 {
                assert_eq!(a.insert(&part(batch, index, 3, &data)), None);
            }
        }
        for batch in 0..batches {
            assert!(a.insert(&part(batch, 2, 3, b"end")).is_some());
        }
        assert_eq!((a.open.len(), a.bytes), (0, 0));
    }

    #[test]
    fn a_contradicting_count_changes_nothing() {
        let mut a = Assembly::default();
        assert_eq!(a.insert(&part(1, 0, 2, b"a")), None);
        assert_eq!(a.insert(&part(1, 5, 9, b"z")), None);
        assert_eq!(a.insert(&part(1, 1, 2, b"b")).as_deref(), Some(&b"ab"[..]));
    }
}
