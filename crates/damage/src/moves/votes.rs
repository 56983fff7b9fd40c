//! Displacements and who is for them.

use super::Shift;
use super::index::{Index, MAX_ANCHORS, MAX_LOOKALIKES};
use std::cmp::Reverse;

/// Hits kept at most.
const MAX_HITS: usize = MAX_ANCHORS * MAX_LOOKALIKES as usize;
/// Displacements counted at most; a moved area has one, chance hits have one each.
const MAX_SHIFTS: usize = 2048;
const SLOTS: usize = 2 * MAX_SHIFTS;
/// Anchors that a displacement needs, and a move beyond the first must still have.
pub(super) const MIN_SUPPORTERS: usize = 2;
/// The weight of an anchor that is found once; divisible by each smaller number of finds.
const WEIGHT: u32 = 12;

/// Collects hits, then counts and ranks displacements.
#[derive(Debug)]
pub(super) struct Votes {
    hits: Vec<Hit>,
    slots: Vec<Count>,
    strong: Vec<Count>,
    ranked: Vec<Shift>,
}

#[derive(Clone, Copy, Debug)]
struct Hit {
    anchor: u32,
    key: u32,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    key: u32,
    weight: u32,
}

const EMPTY: Count = Count { key: 0, weight: 0 };

impl Votes {
    pub(super) fn new() -> Self {
        let (hits, ranked) = (Vec::with_capacity(MAX_HITS), Vec::with_capacity(64));
        let strong = Vec::with_capacity(MAX_SHIFTS);
        Self { hits, slots: vec![EMPTY; SLOTS], strong, ranked }
    }

    pub(super) fn clear(&mut self) {
        self.hits.clear();
        self.ranked.clear();
    }

    pub(super) fn hits(&self) -> usize {
        self.hits.len()
    }

    /// Counts a place of the old frame. One that has not moved puts its anchor out.
    pub(super) fn add(&mut self, index: &mut Index, x: u32, y: u32, sign: u64) {
        let Some(number) = index.find(sign) else { return };
        let anchor = index.anchor_mut(number);
        let key = pack(i32::from(anchor.x) - x as i32, i32::from(anchor.y) - y as i32);
        if key == pack(0, 0) {
            anchor.put_out();
        }
        if anchor.is_out() || self.hits.len() == MAX_HITS {
            return;
        }
        let same = |hit: &Hit| hit.anchor == number && hit.key == key;
        if anchor.lookalikes > 0 && self.hits.iter().rev().take(64).any(same) {
            return;
        }
        anchor.lookalikes += 1;
        self.hits.push(Hit { anchor: number, key });
    }

    /// Ranks the displacements with enough votes, the strongest first, and tells how many, at
    /// most `most`, there are.
    pub(super) fn rank(&mut self, index: &Index, most: usize) -> usize {
        self.slots.fill(EMPTY);
        let mut used = 0;
        for hit in self.hits.iter().filter(|hit| !index.anchor(hit.anchor).is_out()) {
            let mut slot = (hit.key.wrapping_mul(0x9e37_79b1) >> 20) as usize % SLOTS;
            while self.slots[slot].weight != 0 && self.slots[slot].key != hit.key {
                slot = (slot + 1) % SLOTS;
            }
            if self.slots[slot].weight == 0 {
                if used == MAX_SHIFTS {
                    continue;
                }
                used += 1;
            }
            self.slots[slot].key = hit.key;
            self.slots[slot].weight += WEIGHT / u32::from(index.anchor(hit.anchor).lookalikes);
        }
        self.strong.clear();
        let is_strong = |count: &Count| count.weight >= WEIGHT * MIN_SUPPORTERS as u32;
        self.strong.extend(self.slots.iter().copied().filter(is_strong));
        self.strong.sort_unstable_by_key(|count| Reverse((count.weight, count.key)));
        self.ranked.clear();
        self.ranked.extend(self.strong.iter().take(most).map(|count| unpack(count.key)));
        self.ranked.len()
    }

    pub(super) fn candidates(&self) -> &[Shift] {
        &self.ranked
    }

    /// The places in the new frame of the anchors that voted for `shift`.
    pub(super) fn supporters<'a>(
        &'a self,
        index: &'a Index,
        shift: Shift,
    ) -> impl Iterator<Item = (u32, u32)> + 'a {
        let key = pack(shift.dx, shift.dy);
        let hits = self.hits.iter().filter(move |hit| hit.key == key);
        let anchors = hits.map(|hit| index.anchor(hit.anchor)).filter(|anchor| !anchor.is_out());
        anchors.map(|anchor| (u32::from(anchor.x), u32::from(anchor.y)))
    }
}

/// Both displacements are within 15 bits and a sign.
fn pack(dx: i32, dy: i32) -> u32 {
    u32::from(dx as i16 as u16) << 16 | u32::from(dy as i16 as u16)
}

fn unpack(key: u32) -> Shift {
    Shift { dx: i32::from((key >> 16) as u16 as i16), dy: i32::from(key as u16 as i16) }
}
