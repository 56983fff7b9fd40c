//! Tiles in sustained motion, as films are: not worth a search for moves or a tight rectangle.

use crate::Changes;
use farpane_frame::{Move, Size, TileGrid, TileSet};

/// What a change of most of a tile adds to its heat.
const CHANGE: u32 = 1_000;
/// What a second takes from it: slower than so many changes a second nothing heats up.
const COOLING_PER_S: u64 = 10 * CHANGE as u64;
/// From here on a tile is in motion: at 30 changes a second after half a second, at 60 after a
/// fifth.
const HOT: u32 = 10 * CHANGE;
/// A tile in motion stays so until it has cooled down to this.
const COOL: u32 = CHANGE;
/// A pause longer than this ends motion at once: what comes then is something else.
const PAUSE_US: u64 = 300_000;
/// More heat than this is not kept, so that a tile comes to rest within 2 s.
const HOTTEST: u32 = 20 * CHANGE;

/// Follows which tiles change all the time and are not explained by moves. Nothing is allocated
/// while the size stays.
#[derive(Clone, Debug)]
pub struct Motion {
    grid: TileGrid,
    heat: Vec<u32>,
    /// When each tile last changed.
    changed_us: Vec<u64>,
    moving: TileSet,
    last_us: u64,
}

impl Default for Motion {
    fn default() -> Self {
        Self::new()
    }
}

impl Motion {
    /// Nothing moves, in a picture without size.
    pub fn new() -> Self {
        let grid = TileGrid::new(Size::default());
        let (heat, changed_us) = (Vec::new(), Vec::new());
        Self { grid, heat, changed_us, moving: TileSet::default(), last_us: 0 }
    }

    /// Takes in what changed at `now_us` (microseconds of any clock that goes forwards), and what
    /// of it only moved. A tile counts as changed when its changed pixels reach across half of it
    /// or more: a caret or a small spinner never is in motion.
    pub fn observe(&mut self, changes: &Changes, moves: &[Move], now_us: u64) {
        if changes.grid() != self.grid {
            self.grid = changes.grid();
            self.heat.clear();
            self.heat.resize(self.grid.tiles() as usize, 0);
            self.changed_us.clear();
            self.changed_us.resize(self.grid.tiles() as usize, now_us);
            self.moving.resize(self.grid.tiles());
        } else {
            self.cool(now_us.saturating_sub(self.last_us));
        }
        self.last_us = now_us;
        for (tile, rect) in changes.iter() {
            let still = moves.iter().any(|m| m.dst.intersect(rect).area_px() * 2 > rect.area_px());
            if still || rect.area_px() * 2 < self.grid.rect(tile).area_px() {
                continue;
            }
            let heat = &mut self.heat[tile as usize];
            let before_us = std::mem::replace(&mut self.changed_us[tile as usize], now_us);
            if now_us.saturating_sub(before_us) > PAUSE_US {
                *heat = 0;
                self.moving.remove(tile);
            }
            *heat = (*heat + CHANGE).min(HOTTEST);
            if *heat >= HOT {
                self.moving.insert(tile);
            }
        }
    }

    /// The tiles in sustained motion, as of the last observation.
    pub fn tiles(&self) -> &TileSet {
        &self.moving
    }

    fn cool(&mut self, elapsed_us: u64) {
        let lost = elapsed_us.saturating_mul(COOLING_PER_S) / 1_000_000;
        let lost = u32::try_from(lost).unwrap_or(u32::MAX);
        for (tile, heat) in (0..).zip(&mut self.heat) {
            *heat = heat.saturating_sub(lost);
            if *heat <= COOL {
                self.moving.remove(tile);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Differ, Kernel};
    use farpane_frame::{FrameBuf, PixelFormat, Rect};

    const SIZE: Size = Size::new(320, 200);

    /// Repaints `area` `rate` times a second for `seconds`, and returns the tiles in motion.
    fn repaint(motion: &mut Motion, area: Rect, rate: u64, seconds: u64, from_s: u64) -> Vec<u32> {
        let mut differ = Differ::new(Kernel::detect());
        let (mut canon, mut changes) =
            (FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap(), Changes::new());
        let mut next = canon.clone();
        for frame in 0..rate * seconds {
            next.fill(area, [frame as u8 + 1, 0, 0, 0]);
            differ.update(&mut canon, &next.view(), &[SIZE.rect()], &mut changes).unwrap();
            motion.observe(&changes, &[], from_s * 1_000_000 + frame * 1_000_000 / rate);
        }
        motion.tiles().iter().collect()
    }

    #[test]
    fn a_film_is_in_motion_and_comes_to_rest() {
        let film = Rect::new(64, 0, 128, 128);
        for rate in [24, 30, 60] {
            let mut motion = Motion::new();
            assert_eq!(repaint(&mut motion, film, rate, 1, 0), [1, 2, 6, 7], "{rate} a second");
            let pause = repaint(&mut motion, Rect::new(0, 0, 1, 1), 1, 3, 3);
            assert_eq!(pause, [] as [u32; 0]);
        }
    }

    #[test]
    fn what_comes_after_a_pause_is_another_thing() {
        let mut motion = Motion::new();
        let film = Rect::new(64, 0, 128, 128);
        assert_eq!(repaint(&mut motion, film, 30, 1, 0), [1, 2, 6, 7]);
        assert!(repaint(&mut motion, film, 1, 1, 2).is_empty());
    }

    #[test]
    fn carets_slide_shows_and_spinners_are_not() {
        let mut motion = Motion::new();
        assert!(repaint(&mut motion, Rect::new(10, 10, 1, 13), 60, 2, 0).is_empty());
        assert!(repaint(&mut motion, SIZE.rect(), 5, 5, 3).is_empty());
        assert!(repaint(&mut motion, Rect::new(70, 70, 20, 20), 60, 2, 9).is_empty());
    }

    #[test]
    fn what_moves_explain_is_not() {
        let mut motion = Motion::new();
        let mut differ = Differ::new(Kernel::detect());
        let (mut canon, mut changes) =
            (FrameBuf::new(SIZE, PixelFormat::Bgrx).unwrap(), Changes::new());
        let mut next = canon.clone();
        let scrolled = [Move { dst: SIZE.rect(), src_x: 0, src_y: 0 }];
        for frame in 0..120 {
            next.fill(SIZE.rect(), [frame as u8 + 1, 0, 0, 0]);
            differ.update(&mut canon, &next.view(), &[SIZE.rect()], &mut changes).unwrap();
            motion.observe(&changes, &scrolled, frame * 16_000);
        }
        assert!(motion.tiles().is_empty());
    }
}
