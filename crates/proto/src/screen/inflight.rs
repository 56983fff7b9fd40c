//! Batches on their way to the helper.

use super::erasure;
use crate::datagram::Order;
use bytes::Bytes;
use farpane_frame::{Move, Rect};
use std::collections::VecDeque;

/// The largest batch without an access unit.
pub const MAX_BATCH_BYTES: usize = 64 << 10;
/// A lost part is repeated only while the batches from its own on take at most this many bytes:
/// so much the helper keeps of incomplete batches, at the least.
pub(super) const RETAIN_BYTES: u64 = 4 << 20;
/// And only while they are at most this many, for the same reason.
pub(super) const RETAIN_BATCHES: u64 = 2_048;

/// Names a batch. Batches are numbered in the order in which the helper is to apply them.
pub type BatchId = u64;

/// What the sender must know of a batch it is given.
#[derive(Clone, Debug, Default)]
pub struct BatchInfo {
    /// The encoded operations, at most [`MAX_BATCH_BYTES`].
    pub data: Bytes,
    /// The parts of tiles whose pixels it carries: tile index and area.
    pub writes: Vec<(u32, Rect)>,
    /// The copies in it.
    pub copies: Vec<Move>,
    /// The tiles that it stores in the helper's cache.
    pub stores: Vec<u32>,
    /// When its parts may be sent again.
    pub repeat: Repeat,
    /// Whether what it writes is only like the screen.
    pub lossy: bool,
    /// Whether the helper has, or is about to get, all that it writes, only worse. Then nothing is
    /// stale when it fails. It must be lossy, and nothing that it writes stale.
    pub optional: bool,
}

/// When a lost part of a batch may be sent again, so that the batch is applied later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Never: what it writes is stale when it is lost.
    #[default]
    Never,
    /// Always, as all that touches the same tiles waits for it: it has copies or cache slots, which
    /// mean something else later.
    InOrder,
    /// As long as no tile in `writes` has changed: it carries pixels alone.
    WhileUnchanged,
    /// It carries an access unit. As long as no other batch but
    /// access units wrote to a tile in `writes`: what the helper must keep would be overwritten.
    WhileVideo,
}

/// A batch whose fate is not known.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) info: BatchInfo,
    pub(super) update: u64,
    /// The captured state it was encoded from.
    pub(super) state: u64,
    /// Whether its last part ends the update.
    pub(super) ends_update: bool,
    /// Whether a part of it was lost and goes out again.
    pub(super) repaired: bool,
    /// Whether it brings what was lost before.
    pub(super) mends: bool,
    /// Its place in the chain.
    pub(super) order: Option<Order>,
    /// Whether all of it arrived.
    pub(super) arrived: bool,
    pub(super) parts: u32,
    pub(super) part_bytes: usize,
    /// Parts of parity: any `parts` of both kinds are enough.
    pub(super) parity: Vec<Bytes>,
    /// How many more parts may be lost.
    pub(super) spare: u32,
    /// A bit for each part.
    acked: Vec<u64>,
    missing: u32,
    /// Bytes of all batches before this one.
    offset: u64,
}

impl Batch {
    /// How many parts it has with those of parity, which have the last numbers.
    pub(super) fn all_parts(&self) -> u32 {
        self.parts + self.parity.len() as u32
    }

    /// The bytes of part `index`.
    pub(super) fn part(&self, index: u32) -> Bytes {
        if let Some(parity) = index.checked_sub(self.parts) {
            return self.parity[parity as usize].clone();
        }
        let from = index as usize * self.part_bytes;
        self.info.data.slice(from..(from + self.part_bytes).min(self.info.data.len()))
    }

    /// Whether a part is known to have arrived.
    pub(super) fn has(&self, index: u32) -> bool {
        self.acked[index as usize / 64] & 1 << (index % 64) != 0
    }

    /// Notes that a part arrived; true when it was the last that is needed.
    pub(super) fn ack(&mut self, index: u32) -> bool {
        let word = &mut self.acked[index as usize / 64];
        let bit = 1 << (index % 64);
        self.missing = self.missing.saturating_sub(u32::from(*word & bit == 0));
        *word |= bit;
        self.missing == 0
    }

    /// Notes that a part was lost; whether those that are left are enough.
    pub(super) fn lose(&mut self) -> bool {
        let is_enough = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        is_enough
    }
}

/// All batches in flight, by number.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    first: BatchId,
    batches: VecDeque<Option<Batch>>,
    copies: VecDeque<(BatchId, Move)>,
    offset: u64,
}

impl InFlight {
    /// Forgets all batches; numbers go on.
    pub(super) fn clear(&mut self) {
        self.first += self.batches.len() as u64;
        self.batches.clear();
        self.copies.clear();
    }

    /// Takes a batch in, with so many parts of parity, and numbers it.
    pub(super) fn push(
        &mut self,
        info: BatchInfo,
        (update, state): (u64, u64),
        part_bytes: usize,
        parity: u32,
    ) -> BatchId {
        let id = self.first + self.batches.len() as u64;
        let parts = info.data.len().div_ceil(part_bytes).max(1) as u32;
        let parity = match parity {
            0 => Vec::new(),
            count => erasure::parity(&info.data, part_bytes, count),
        };
        let spare = parity.len() as u32;
        self.copies.extend(info.copies.iter().map(|m| (id, *m)));
        let offset = self.offset;
        self.offset += info.data.len() as u64;
        self.batches.push_back(Some(Batch {
            info,
            update,
            state,
            ends_update: false,
            repaired: false,
            mends: false,
            order: None,
            arrived: false,
            parts,
            part_bytes,
            parity,
            spare,
            acked: vec![0; (parts + spare).div_ceil(64) as usize],
            missing: parts,
            offset,
        }));
        id
    }

    pub(super) fn get_mut(&mut self, id: BatchId) -> Option<&mut Batch> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.batches.get_mut(index)?.as_mut()
    }

    pub(super) fn get(&self, id: BatchId) -> Option<&Batch> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        self.batches.get(index)?.as_ref()
    }

    /// The batches, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (BatchId, &Batch)> {
        (self.first..).zip(&self.batches).filter_map(|(id, batch)| Some((id, batch.as_ref()?)))
    }

    /// Whether the helper still keeps what it has of this batch.
    pub(super) fn is_retained(&self, id: BatchId, batch: &Batch) -> bool {
        let next = self.first + self.batches.len() as u64;
        self.offset - batch.offset <= RETAIN_BYTES && next - id <= RETAIN_BATCHES
    }

    /// Takes a batch out, delivered or given up.
    pub(super) fn remove(&mut self, id: BatchId) -> Option<Batch> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        let batch = self.batches.get_mut(index)?.take();
        while let Some(None) = self.batches.front() {
            self.batches.pop_front();
            self.first += 1;
        }
        while self.copies.front().is_some_and(|(id, _)| *id < self.first) {
            self.copies.pop_front();
        }
        batch
    }

    /// Calls `spoiled(copy's batch, area)` for everything that copies after `batch` took,
    /// directly or through each other, from `areas`.
    pub(super) fn spoiled_by(
        &self,
        batch: BatchId,
        mut areas: Vec<Rect>,
        mut spoiled: impl FnMut(BatchId, Rect),
    ) {
        for (id, m) in self.copies.iter().filter(|(id, _)| *id > batch) {
            for i in 0..areas.len() {
                let taken = areas[i].intersect(m.src());
                let moved = (!taken.is_empty()).then(|| taken.translate(m.dx(), m.dy()));
                if let Some(area) = moved.flatten() {
                    spoiled(*id, area);
                    areas.push(area);
                }
            }
            if areas.len() > MAX_SPOILED {
                let all = areas.iter().fold(Rect::default(), |a, b| a.union(*b));
                areas = vec![all];
            }
        }
    }
}

/// Areas followed through copies apart; more are taken together.
const MAX_SPOILED: usize = 256;
