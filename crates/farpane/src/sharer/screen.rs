//! The sharer's canonical picture: what the screen was when it was last captured.

use crate::Error;
use farpane_capture::{Damage, Frame};
use farpane_damage::{Changes, Differ, Kernel, MoveFinder};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, TileGrid};

/// Changes smaller than this are sent as they are: finding moves would cost more.
const MIN_MOVE_AREA_PX: u64 = 4_096;

/// What a captured frame meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// Not a pixel differs.
    Same,
    /// [`Screen::changed`] and [`Screen::moves`] say what differs; the picture is still the old
    /// one until [`Screen::apply`].
    Changed,
    /// Another screen: the picture is already the new one, and all of it is new.
    Reset,
}

/// The canonical picture and what changed last.
pub(crate) struct Screen {
    picture: FrameBuf,
    generation: u32,
    differ: Differ,
    finder: MoveFinder,
    changes: Changes,
    changed: Vec<(u32, Rect)>,
    moves: Vec<Move>,
    find_moves: bool,
}

impl Screen {
    /// The screen as the first frame shows it.
    ///
    /// # Errors
    /// The frame has no valid size.
    pub(crate) fn new(frame: &Frame) -> Result<Self, Error> {
        let view = frame.pixels.view();
        let mut picture = FrameBuf::new(view.size(), PixelFormat::Bgrx)?;
        picture.copy_from(&view, view.size().rect());
        Ok(Self {
            picture,
            generation: frame.generation,
            differ: Differ::new(Kernel::detect()),
            finder: MoveFinder::new(Kernel::detect()),
            changes: Changes::default(),
            changed: Vec::new(),
            moves: Vec::new(),
            find_moves: true,
        })
    }

    /// Whether to look for moves; without, all changes are sent as pixels.
    pub(crate) fn set_find_moves(&mut self, on: bool) {
        self.find_moves = on;
    }

    /// The picture.
    pub(crate) fn view(&self) -> FrameRef<'_> {
        self.picture.view()
    }

    /// The picture's tile grid.
    pub(crate) fn grid(&self) -> TileGrid {
        TileGrid::new(self.picture.size())
    }

    /// Counts up with every other screen.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// The changed part of each changed tile.
    pub(crate) fn changed(&self) -> &[(u32, Rect)] {
        &self.changed
    }

    /// Verified moves that explain parts of the change.
    pub(crate) fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Compares a captured frame with the picture.
    ///
    /// # Errors
    /// The frame has no valid size.
    pub(crate) fn compare(&mut self, frame: &Frame) -> Result<Compared, Error> {
        let next = frame.pixels.view();
        if frame.generation != self.generation || next.size() != self.picture.size() {
            self.picture.reshape(next.size(), PixelFormat::Bgrx)?;
            self.picture.copy_from(&next, next.size().rect());
            self.generation = frame.generation;
            self.changed.clear();
            self.moves.clear();
            return Ok(Compared::Reset);
        }
        let whole = [next.size().rect()];
        let within = match &frame.damage {
            Damage::Exact(region) | Damage::Hint(region) => region.rects(),
            Damage::Unknown => &whole,
        };
        self.differ.compare(&self.picture.view(), &next, within, &mut self.changes)?;
        self.changed.clear();
        self.changed.extend(self.changes.iter());
        self.moves.clear();
        if self.changed.is_empty() {
            return Ok(Compared::Same);
        }
        if self.find_moves && self.changes.area_px() >= MIN_MOVE_AREA_PX {
            let old = self.picture.view();
            self.finder.find(&old, &next, &self.changes, &mut self.moves);
        }
        Ok(Compared::Changed)
    }

    /// Makes the picture the one that was compared.
    ///
    /// # Errors
    /// The frame is not the one that was compared.
    pub(crate) fn apply(&mut self, frame: &Frame) -> Result<(), Error> {
        Ok(self.differ.apply(&mut self.picture, &frame.pixels.view(), &self.changes)?)
    }
}
