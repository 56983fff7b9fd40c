//! What the helper's tile cache holds, mirrored at the sharer.
//!
//! The sharer alone decides what is stored where, and refers only to what the helper has
//! confirmed. It keeps the stored pixels too: a part of a tile is found again by comparing, so
//! uncovered background and windows that come back cost a few bytes.

use farpane_frame::{COLOURS, FrameRef, Rect, TILE_PX, TileGrid, same_colours};
use farpane_proto::screen::BatchId;
use std::collections::{HashMap, VecDeque};
use xxhash_rust::xxh3::xxh3_64;

/// Slots of the helper's cache.
const SLOTS: usize = farpane_codec::CACHE_SLOTS as usize;
/// Slots remembered per place on the screen: what was there lately.
const RECENT: usize = 4;
/// Rows of a tile that make its sample: the fifth and every eighth after it.
const SAMPLED_FROM: u32 = 4;
const SAMPLED_EVERY: u32 = 8;
const SAMPLED_ROWS: usize = TILE_PX.div_ceil(SAMPLED_EVERY) as usize;

#[derive(Debug)]
struct Slot {
    sample: u64,
    /// The tile's pixels, tightly packed.
    pixels: Vec<u8>,
    columns: u32,
    confirmed: bool,
    /// Referred to since the eviction hand last came by.
    used: bool,
    /// Counts up each time that it is vacated.
    life: u32,
}

/// The mirror of one helper's tile cache.
#[derive(Debug)]
pub(crate) struct SlotCache {
    grid: TileGrid,
    slots: Vec<Slot>,
    /// The newest slot of each sample. Only pixels tell whether two tiles are alike.
    by_sample: HashMap<u64, u16>,
    recent: Vec<[Option<u16>; RECENT]>,
    /// The slot that has what a tile shows now, in which of its lives.
    shown: Vec<Option<(u16, u32)>>,
    hand: usize,
    pending: VecDeque<(BatchId, Vec<u16>)>,
}

impl SlotCache {
    /// An empty cache for a screen of this grid.
    pub(crate) fn new(grid: TileGrid) -> Self {
        Self {
            grid,
            slots: Vec::new(),
            by_sample: HashMap::new(),
            recent: vec![[None; RECENT]; grid.tiles() as usize],
            shown: vec![None; grid.tiles() as usize],
            hand: 0,
            pending: VecDeque::new(),
        }
    }

    /// Considers keeping a tile the helper holds exactly as in `frame`; one that was not at rest
    /// is given up sooner. Gives the slot to store it in; `None` when it is there already or not
    /// worth a slot.
    pub(crate) fn offer(&mut self, frame: &FrameRef<'_>, tile: u32, rested: bool) -> Option<u16> {
        if let Some(slot) = self.shown(tile) {
            self.remember(tile, slot);
            return None;
        }
        let area = self.grid.rect(tile);
        if frame.uniform(area).is_some() {
            return None;
        }
        let sample = sample(frame, area);
        if let Some(slot) = self.by_sample.get(&sample).copied()
            && self.slots[usize::from(slot)].holds(frame, area, area)
        {
            self.remember(tile, slot);
            self.note_shown(tile, slot);
            return None;
        }
        let slot = self.vacate()?;
        let entry = &mut self.slots[usize::from(slot)];
        entry.keep(frame, area, sample);
        entry.used = rested;
        self.by_sample.insert(sample, slot);
        self.remember(tile, slot);
        self.note_shown(tile, slot);
        Some(slot)
    }

    /// What a tile shows is about to be another.
    pub(crate) fn handle_change(&mut self, tile: u32) {
        self.shown[tile as usize] = None;
    }

    fn note_shown(&mut self, tile: u32, slot: u16) {
        self.shown[tile as usize] = Some((slot, self.slots[usize::from(slot)].life));
    }

    /// The tiles that were thought to be kept, and are not any more.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = u32> + '_ {
        let lost = |tile: &u32| self.shown[*tile as usize].is_some() && self.shown(*tile).is_none();
        (0..self.grid.tiles()).filter(lost)
    }

    /// The slot that has what the tile shows, while it has.
    fn shown(&self, tile: u32) -> Option<u16> {
        let (slot, life) = self.shown[tile as usize]?;
        (self.slots[usize::from(slot)].life == life).then_some(slot)
    }

    /// The slots were told to store in `batch`; they count once it is delivered.
    pub(crate) fn handle_sent(&mut self, batch: BatchId, slots: Vec<u16>) {
        if !slots.is_empty() {
            self.pending.push_back((batch, slots));
        }
    }

    /// A batch was delivered, or never will be.
    pub(crate) fn handle_fate(&mut self, batch: BatchId, delivered: bool) {
        let Some(at) = self.pending.iter().position(|(id, _)| *id == batch) else { return };
        let Some((_, slots)) = self.pending.remove(at) else { return };
        for slot in slots {
            if delivered {
                self.slots[usize::from(slot)].confirmed = true;
            } else {
                self.forget(slot);
            }
        }
    }

    /// A confirmed slot that holds `area` of `tile` as it is in `frame`.
    pub(crate) fn find(&self, frame: &FrameRef<'_>, tile: u32, area: Rect) -> Option<u16> {
        let origin = self.grid.rect(tile);
        let holds = |slot: &u16| {
            let entry = &self.slots[usize::from(*slot)];
            entry.confirmed && entry.holds(frame, origin, area)
        };
        let recent = self.recent[tile as usize].into_iter().flatten();
        recent.into_iter().find(holds).or_else(|| {
            let large = area.area_px() * 2 >= origin.area_px();
            let slot = large.then(|| self.by_sample.get(&sample(frame, origin))).flatten();
            slot.copied().filter(holds)
        })
    }

    /// Notes that `area` of `tile` goes as what was found in `slot`.
    pub(crate) fn handle_found(&mut self, tile: u32, area: Rect, slot: u16) {
        self.slots[usize::from(slot)].used = true;
        if area == self.grid.rect(tile) {
            self.note_shown(tile, slot);
        }
    }

    fn remember(&mut self, tile: u32, slot: u16) {
        let recent = &mut self.recent[tile as usize];
        if recent[0] != Some(slot) {
            let from = recent.iter().position(|s| *s == Some(slot)).unwrap_or(RECENT - 1);
            recent[..=from].rotate_right(1);
            recent[0] = Some(slot);
        }
    }

    /// A slot to overwrite: a new one, or the next one not used lately (the clock algorithm).
    fn vacate(&mut self) -> Option<u16> {
        if self.slots.len() < SLOTS {
            let empty = Slot {
                sample: 0,
                pixels: Vec::with_capacity((TILE_PX * TILE_PX * 4) as usize),
                columns: 0,
                confirmed: false,
                used: false,
                life: 0,
            };
            self.slots.push(empty);
            return Some((self.slots.len() - 1) as u16);
        }
        for _ in 0..2 * SLOTS {
            let slot = self.hand as u16;
            self.hand = (self.hand + 1) % SLOTS;
            let entry = &mut self.slots[usize::from(slot)];
            // A slot whose store is on its way is neither free nor to be stored again.
            let on_its_way = !entry.confirmed && entry.columns > 0;
            if !std::mem::take(&mut entry.used) && !on_its_way {
                self.forget(slot);
                return Some(slot);
            }
        }
        None
    }

    fn forget(&mut self, slot: u16) {
        let entry = &mut self.slots[usize::from(slot)];
        if self.by_sample.get(&entry.sample) == Some(&slot) {
            self.by_sample.remove(&entry.sample);
        }
        (entry.confirmed, entry.columns) = (false, 0);
        entry.life = entry.life.wrapping_add(1);
        entry.pixels.clear();
    }
}

impl Slot {
    /// Takes the pixels of a tile; the helper has yet to confirm them.
    fn keep(&mut self, frame: &FrameRef<'_>, area: Rect, sample: u64) {
        (self.sample, self.columns) = (sample, area.width);
        self.confirmed = false;
        self.pixels.clear();
        for y in area.y..area.bottom() {
            self.pixels.extend_from_slice(frame.span(area.x, y, area.width));
        }
    }

    /// Whether it has the pixels of `area` in a tile that is `origin`.
    fn holds(&self, frame: &FrameRef<'_>, origin: Rect, area: Rect) -> bool {
        let rows = self.pixels.len() as u32 / 4 / self.columns.max(1);
        let (left, top) = (area.x - origin.x, area.y - origin.y);
        if left + area.width > self.columns || top + area.height > rows {
            return false;
        }
        (0..area.height).all(|y| {
            let at = ((top + y) * self.columns + left) as usize * 4;
            let kept = &self.pixels[at..at + area.width as usize * 4];
            same_colours(frame.span(area.x, area.y + y, area.width), kept)
        })
    }
}

/// What tells most tiles apart: a hash of some rows' colours.
fn sample(frame: &FrameRef<'_>, area: Rect) -> u64 {
    let mut rows = [0; SAMPLED_ROWS * TILE_PX as usize * 4];
    let mut len = 0;
    for y in (area.y + SAMPLED_FROM..area.bottom()).step_by(SAMPLED_EVERY as usize) {
        let row = frame.span(area.x, y, area.width);
        let kept = rows[len..].as_chunks_mut().0.iter_mut();
        for (kept, pixel) in kept.zip(row.as_chunks().0) {
            *kept = (u32::from_le_bytes(*pixel) & COLOURS).to_le_bytes();
        }
        len += row.len();
    }
    xxh3_64(&rows[..len])
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_frame::{FrameBuf, PixelFormat, Size};

    fn striped(size: Size, seed: u8) -> FrameBuf {
        let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        for y in 0..size.height_px {
            for x in 0..size.width_px {
                let v = (x * 7 + y * 13) as u8 ^ seed;
                frame.span_mut(x, y, 1).copy_from_slice(&[v, seed, y as u8, x as u8]);
            }
        }
        frame
    }

    fn stored(cache: &mut SlotCache, frame: &FrameBuf, tile: u32, batch: u64) -> Option<u16> {
        let slot = cache.offer(&frame.view(), tile, true)?;
        cache.handle_sent(batch, vec![slot]);
        Some(slot)
    }

    fn found(cache: &mut SlotCache, frame: &FrameRef<'_>, tile: u32, area: Rect) -> Option<u16> {
        let slot = cache.find(frame, tile, area)?;
        cache.handle_found(tile, area, slot);
        Some(slot)
    }

    #[test]
    fn only_confirmed_slots_are_referred_to() {
        let size = Size::new(128, 128);
        let mut cache = SlotCache::new(TileGrid::new(size));
        let frame = striped(size, 1);
        let slot = stored(&mut cache, &frame, 0, 7).unwrap();
        let part = Rect::new(3, 4, 20, 9);
        assert_eq!(found(&mut cache, &frame.view(), 0, part), None);
        assert_eq!(cache.offer(&frame.view(), 0, true), None, "on its way already");
        cache.handle_fate(7, true);
        assert_eq!(found(&mut cache, &frame.view(), 0, part), Some(slot));
        let mut other = frame.clone();
        other.span_mut(22, 12, 1)[0] ^= 1;
        assert_eq!(found(&mut cache, &other.view(), 0, part), None, "one pixel differs");
    }

    #[test]
    fn a_lost_store_is_forgotten_and_offered_again() {
        let size = Size::new(64, 64);
        let mut cache = SlotCache::new(TileGrid::new(size));
        let frame = striped(size, 1);
        stored(&mut cache, &frame, 0, 1).unwrap();
        cache.handle_fate(1, false);
        assert_eq!(found(&mut cache, &frame.view(), 0, size.rect()), None);
        assert!(cache.offer(&frame.view(), 0, true).is_some());
    }

    #[test]
    fn what_was_found_is_known_until_it_changes_or_its_slot_is_lost() {
        let size = Size::new(128, 64);
        let mut cache = SlotCache::new(TileGrid::new(size));
        let (a, b) = (striped(size, 1), striped(size, 2));
        let slots = [&a, &b].map(|frame| {
            cache.handle_change(0);
            let slot = cache.offer(&frame.view(), 0, true).unwrap();
            cache.handle_sent(slot.into(), vec![slot]);
            slot
        });
        assert_eq!(cache.offer(&b.view(), 0, true), None, "as it was a moment ago");
        cache.handle_fate(slots[0].into(), true);
        cache.handle_change(0);
        assert_eq!(found(&mut cache, &a.view(), 0, Rect::new(0, 0, 64, 64)), Some(slots[0]));
        assert_eq!(cache.orphans().count(), 0);
        cache.handle_change(0);
        assert_eq!(found(&mut cache, &b.view(), 0, Rect::new(0, 0, 64, 64)), None, "on its way");
        assert_eq!(cache.offer(&b.view(), 0, true), None);
        cache.handle_fate(slots[1].into(), false);
        assert_eq!(cache.orphans().collect::<Vec<_>>(), [0]);
        assert!(cache.offer(&b.view(), 0, true).is_some());
    }

    #[test]
    fn whole_tiles_are_found_at_other_places_and_plain_ones_are_not_kept() {
        let size = Size::new(128, 64);
        let mut cache = SlotCache::new(TileGrid::new(size));
        let frame = striped(size, 1);
        let slot = stored(&mut cache, &frame, 0, 1);
        cache.handle_fate(1, true);
        let mut moved = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        for y in 0..64 {
            let row = frame.view().span(0, y, 64).to_vec();
            moved.span_mut(64, y, 64).copy_from_slice(&row);
        }
        assert_eq!(found(&mut cache, &moved.view(), 1, Rect::new(64, 0, 64, 64)), slot);
        assert_eq!(cache.offer(&moved.view(), 0, true), None, "plain black");
    }

    #[test]
    fn a_full_cache_gives_up_what_was_not_used() {
        let size = Size::new(64, 64);
        let mut cache = SlotCache::new(TileGrid::new(size));
        let mut frame = striped(size, 1);
        for i in 0..SLOTS as u64 + 50 {
            frame.span_mut(5, SAMPLED_FROM, 1)[..3].copy_from_slice(&(i as u32).to_le_bytes()[..3]);
            cache.handle_change(0);
            assert!(stored(&mut cache, &frame, 0, i).is_some(), "{i}");
            cache.handle_fate(i, true);
        }
        assert_eq!(cache.slots.len(), SLOTS);
        assert_eq!(cache.by_sample.len(), SLOTS);
    }
}
