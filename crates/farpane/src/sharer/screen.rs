//! The sharer's canonical picture: what the screen was when it was last captured.

use crate::Error;
use farpane_capture::{Damage, Frame};
use farpane_damage::{Changes, Comparer, Kernel, Motion, MoveFinder, Processor};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, TileGrid, TileSet};

/// Changes smaller than this are sent as they are: finding moves would cost more.
const MIN_MOVE_AREA_PX: u64 = 4_096;

/// How changes are found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// Whether what moved is looked for; otherwise all changes are sent as pixels.
    pub(crate) moves: bool,
    /// Who compares.
    pub(crate) processor: Processor,
}

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
    comparer: Comparer,
    finder: MoveFinder,
    motion: Motion,
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
    pub(crate) fn new(frame: &Frame, search: Search) -> Result<Self, Error> {
        let view = frame.pixels.view();
        let mut picture = FrameBuf::new(view.size(), PixelFormat::Bgrx)?;
        picture.copy_from(&view, view.size().rect());
        Ok(Self {
            picture,
            generation: frame.generation,
            comparer: Comparer::new(Kernel::detect(), search.processor),
            finder: MoveFinder::new(Kernel::detect()),
            motion: Motion::new(),
            changes: Changes::default(),
            changed: Vec::new(),
            moves: Vec::new(),
            find_moves: search.moves,
        })
    }

    /// The picture.
    pub(crate) fn view(&self) -> FrameRef<'_> {
        self.picture.view()
    }

    /// The picture's tile grid.
    pub(crate) fn grid(&self) -> TileGrid {
        TileGrid::new(self.picture.size())
    }

    /// Frames that a GPU compared.
    pub(crate) fn frames_by_gpu(&self) -> u64 {
        self.comparer.frames_by_gpu()
    }

    /// Counts up with every other screen.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// The changed part of each changed tile.
    pub(crate) fn changed(&self) -> &[(u32, Rect)] {
        &self.changed
    }

    /// Tiles in sustained motion.
    pub(crate) fn moving(&self) -> &TileSet {
        self.motion.tiles()
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
        self.comparer.compare(&self.picture.view(), &next, within, &mut self.changes)?;
        self.changed.clear();
        self.changed.extend(self.changes.iter());
        self.moves.clear();
        if self.changed.is_empty() {
            return Ok(Compared::Same);
        }
        if self.find_moves && self.changes.area_px() >= MIN_MOVE_AREA_PX {
            let old = self.picture.view();
            self.changes.set_aside(self.motion.tiles());
            self.finder.find(&old, &next, &self.changes, &mut self.moves);
        }
        self.motion.observe(&self.changes, &self.moves, frame.capture_us);
        Ok(Compared::Changed)
    }

    /// Makes the picture the one that was compared.
    ///
    /// # Errors
    /// The frame is not the one that was compared.
    pub(crate) fn apply(&mut self, frame: &Frame) -> Result<(), Error> {
        Ok(self.comparer.apply(&mut self.picture, &frame.pixels.view(), &self.changes)?)
    }
}

/// How many pixels of `frame` are to be compared.
pub(crate) fn damage_px(frame: &Frame) -> u64 {
    match &frame.damage {
        Damage::Exact(region) | Damage::Hint(region) => region.area_px(),
        Damage::Unknown => frame.pixels.view().size().area_px(),
    }
}
