//! What the helper is told to keep in its cache: tiles that were at rest, and those that cost
//! much and vanish, as menus do.

use super::{Feed, UpdateStats};
use crate::sharer::encoders::Encoders;
use crate::sharer::screen::Screen;
use farpane_frame::{Move, Rect};
use farpane_proto::screen::{BatchInfo, Repeat};

/// A tile unchanged for this long is worth keeping.
const KEEP_AFTER_US: u64 = 100_000;
/// So many tiles are kept as soon as they are worth it, so that it need not be done when they all
/// change at once; fewer when they change, which takes no datagram of its own.
const EARLY_TILES: usize = 32;
/// A tile that took so many bytes is worth keeping although it was seen for a moment only.
const DEAR_BYTES: usize = 100;
/// No more tiles than these are kept at once because they rest, or because they were dear: a
/// millisecond's work. So long until the next.
const MAX_AT_ONCE: usize = 64;
const BETWEEN_US: u64 = 2_000;

impl Feed {
    /// Has the helper keep what is about to change, while `screen` still shows it.
    pub(super) fn keep_what_changes(&mut self, now_us: u64, screen: &Screen) {
        let mut dear = 0;
        for (tile, _) in screen.changed() {
            if self.unkept.contains(*tile) && self.sender.is_settled(*tile) {
                if self.is_rested(*tile, now_us) {
                    self.keep(*tile, screen, true);
                } else if dear < MAX_AT_ONCE && self.vanishes(*tile, screen) {
                    dear += 1;
                    self.keep(*tile, screen, false);
                }
            }
            self.slots.handle_change(*tile);
            self.unkept.insert(*tile);
            self.dear.remove(*tile);
        }
    }

    /// Whether a tile cost much and what it shows goes away, not just elsewhere.
    fn vanishes(&self, tile: u32, screen: &Screen) -> bool {
        let area = screen.grid().rect(tile);
        let moved = |m: &Move| m.src().intersect(area).area_px() * 2 > area.area_px();
        self.dear.contains(tile) && !screen.moves().iter().any(moved)
    }

    /// Notes that parts of tiles took so many bytes together.
    pub(super) fn note_dear(&mut self, parts: &[(u32, Rect)], bytes: usize) {
        if bytes >= parts.len() * DEAR_BYTES {
            parts.iter().for_each(|(tile, _)| {
                self.dear.insert(*tile);
            });
        }
    }

    /// Has the helper keep what is at rest, when it is much. Nobody sees that, so it is no update
    /// of its own in the statistics: the next one that is counts its bytes.
    pub(super) fn keep_what_rests(&mut self, now_us: u64, screen: &Screen, encoders: &Encoders) {
        let tiles: Vec<u32> = self.unkept.iter().collect();
        if tiles.len() < EARLY_TILES {
            return;
        }
        let due_us = |tile: &u32| self.sender.stale_part(*tile).1 + KEEP_AFTER_US;
        if let Some(due_us) = tiles.iter().map(due_us).filter(|at| *at > now_us).min() {
            self.wake_at(due_us);
        }
        let worth = |tile: &u32| self.is_rested(*tile, now_us) && self.sender.is_settled(*tile);
        let mut tiles: Vec<u32> = tiles.into_iter().filter(worth).collect();
        if tiles.len() < EARLY_TILES {
            return;
        }
        if tiles.len() > MAX_AT_ONCE {
            tiles.truncate(MAX_AT_ONCE);
            self.wake_at(now_us + BETWEEN_US);
        }
        tiles.into_iter().for_each(|tile| self.keep(tile, screen, true));
        if self.stores.is_empty() {
            return;
        }
        self.sender.begin_update();
        let stores = std::mem::take(&mut self.stores);
        let data = encoders.one(screen.grid(), |encoder| {
            stores.iter().for_each(|(tile, slot)| encoder.store(*tile, *slot));
        });
        let mut stats = UpdateStats::default();
        let (stores, slots) = stores.into_iter().unzip();
        let (data, repeat) = (data.into(), Repeat::InOrder);
        let info = BatchInfo { data, stores, repeat, ..BatchInfo::default() };
        let (id, bytes) = self.push(info, &mut stats);
        self.kept_bytes += bytes;
        self.slots.handle_sent(id, slots);
        self.sender.end_update();
    }

    fn is_rested(&self, tile: u32, now_us: u64) -> bool {
        let (_, changed_us) = self.sender.stale_part(tile);
        now_us.saturating_sub(changed_us) >= KEEP_AFTER_US
    }

    fn keep(&mut self, tile: u32, screen: &Screen, rested: bool) {
        self.unkept.remove(tile);
        if let Some(slot) = self.slots.offer(&screen.view(), tile, rested) {
            self.stores.push((tile, slot));
        }
    }
}
