//! Tiles in sustained motion, as films are: not worth a search for moves or a tight rectangle.

use crate::Changes;
use farpane_frame::{Move, Size, TileGrid, TileSet};

/// A tile that keeps changing for this long, and this often, is in motion.
const ENTER_US: u64 = 400_000;
const ENTER_CHANGES: u32 = 5;
/// A pause longer than this ends it: what comes then is something else. Slower than so many
/// changes a second nothing is in motion.
const PAUSE_US: u64 = 300_000;

/// Follows which tiles change all the time and are not explained by moves. Nothing is allocated
/// while the size stays.
#[derive(Clone, Debug)]
pub struct Motion {
    grid: TileGrid,
    runs: Vec<Run>,
    moving: TileSet,
}

/// Changes of a tile without a pause.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    since_us: u64,
    last_us: u64,
    changes: u32,
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
        Self { grid, runs: Vec::new(), moving: TileSet::default() }
    }

    /// Takes in what changed at `now_us` (microseconds of any clock that goes forwards), and what
    /// of it only moved. A tile counts as changed when its changed pixels reach across half of it
    /// or more: a caret or a small spinner never is in motion.
    pub fn observe(&mut self, changes: &Changes, moves: &[Move], now_us: u64) {
        if changes.grid() != self.grid {
            self.grid = changes.grid();
            self.runs.clear();
            self.runs.resize(self.grid.tiles() as usize, Run::default());
            self.moving.resize(self.grid.tiles());
        }
        for (tile, rect) in changes.iter() {
            let still = moves.iter().any(|m| m.dst.intersect(rect).area_px() * 2 > rect.area_px());
            if still || rect.area_px() * 2 < self.grid.rect(tile).area_px() {
                continue;
            }
            let run = &mut self.runs[tile as usize];
            if run.changes == 0 || now_us.saturating_sub(run.last_us) > PAUSE_US {
                *run = Run { since_us: now_us, last_us: now_us, changes: 0 };
            }
            run.last_us = now_us;
            run.changes = run.changes.saturating_add(1);
            if run.changes >= ENTER_CHANGES && now_us.saturating_sub(run.since_us) >= ENTER_US {
                self.moving.insert(tile);
            }
        }
        for (tile, run) in (0..).zip(&self.runs) {
            let pauses =
                run.changes < ENTER_CHANGES || now_us.saturating_sub(run.last_us) > PAUSE_US;
            if pauses {
                self.moving.remove(tile);
            }
        }
    }

    /// The tiles in sustained motion, as of the last observation.
    pub fn tiles(&self) -> &TileSet {
        &self.moving
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
        for rate in [8, 24, 30, 60] {
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
        assert!(repaint(&mut motion, SIZE.rect(), 3, 5, 3).is_empty());
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
