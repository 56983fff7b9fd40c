//! What each pattern paints.

use super::text::{CELL_WIDTH_PX, LINE_PX, PAPER, draw, mix, page};
use super::{Pattern, PatternKind};
use farpane_frame::{FrameBuf, Move, Rect};

/// Rows that one update scrolls.
const SCROLL_PX: u32 = 16;
/// The side of the noise, at most.
const NOISE_PX: (u32, u32) = (640, 360);
/// The moved window, at most.
const WINDOW_PX: (u32, u32) = (480, 320);
/// The moved window's steps.
const STEP_PX: (u32, u32) = (9, 5);

/// A painted desktop that changes step by step.
#[derive(Debug)]
pub(super) struct Scene {
    pattern: Pattern,
    steps: u64,
    /// What the moved window covers.
    beneath: FrameBuf,
    window: Rect,
}

/// What one step changed.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) rects: Vec<Rect>,
    pub(super) moves: Vec<Move>,
}

impl Scene {
    /// Paints the first screen.
    pub(super) fn new(pattern: Pattern, picture: &mut FrameBuf) -> Self {
        let whole = pattern.size.rect();
        match pattern.kind {
            PatternKind::Caret | PatternKind::Typing => picture.fill(whole, PAPER),
            _ => page(picture, whole, pattern.seed, 0),
        }
        let beneath = picture.clone();
        let mut scene = Self { pattern, steps: 0, beneath, window: Rect::default() };
        if pattern.kind == PatternKind::Drag {
            scene.window = Rect::new(0, 0, WINDOW_PX.0, WINDOW_PX.1).clip(pattern.size);
            scene.draw_window(picture);
        }
        scene
    }

    /// Paints the next change.
    pub(super) fn step(&mut self, picture: &mut FrameBuf) -> Change {
        self.steps += 1;
        match self.pattern.kind {
            PatternKind::Caret => self.blink(picture),
            PatternKind::Typing => self.type_one(picture),
            PatternKind::Scroll => self.scroll(picture),
            PatternKind::Drag => self.drag(picture),
            PatternKind::Noise => self.noise(picture),
            PatternKind::Flip => {
                let whole = self.pattern.size.rect();
                page(picture, whole, mix(self.pattern.seed ^ self.steps), 0);
                Change { rects: vec![whole], moves: Vec::new() }
            }
            PatternKind::Still => Change::default(),
        }
    }

    fn blink(&self, picture: &mut FrameBuf) -> Change {
        let size = self.pattern.size;
        let caret = Rect::new(size.width_px / 2, size.height_px / 2, 2, LINE_PX).clip(size);
        picture.fill(caret, if self.steps % 2 == 1 { [0, 0, 0, 0] } else { PAPER });
        Change { rects: vec![caret], moves: Vec::new() }
    }

    fn type_one(&self, picture: &mut FrameBuf) -> Change {
        let size = self.pattern.size;
        let columns = u64::from((size.width_px / CELL_WIDTH_PX).max(1));
        let lines = u64::from((size.height_px / LINE_PX).max(1));
        let at = self.steps - 1;
        let (line, column) = (at / columns, at % columns);
        let (x, y) = (column as u32 * CELL_WIDTH_PX, (line % lines) as u32 * LINE_PX);
        let cell = Rect::new(x, y, CELL_WIDTH_PX, LINE_PX).clip(size);
        draw(picture, cell, (self.pattern.seed, line, column));
        Change { rects: vec![cell], moves: Vec::new() }
    }

    fn scroll(&self, picture: &mut FrameBuf) -> Change {
        let size = self.pattern.size;
        // A sidebar that stays, whose width is no multiple of a tile's.
        let left = size.width_px / 5;
        let lines = size.height_px / LINE_PX;
        let pane = Rect::new(left, 0, size.width_px - left, lines.max(1) * LINE_PX).clip(size);
        let kept = pane.height.saturating_sub(SCROLL_PX);
        let dst = Rect { height: kept, ..pane };
        let moved = Move { dst, src_x: pane.x, src_y: pane.y + SCROLL_PX };
        let fresh = Rect { y: pane.y + kept, height: pane.height - kept, ..pane };
        if kept > 0 {
            picture.move_within(moved);
        }
        page(picture, fresh, self.pattern.seed, u64::from(lines) + self.steps);
        let moves = if kept > 0 { vec![moved] } else { Vec::new() };
        Change { rects: vec![pane], moves }
    }

    fn drag(&mut self, picture: &mut FrameBuf) -> Change {
        let (size, before) = (self.pattern.size, self.window);
        picture.copy_from(&self.beneath.view(), before);
        let bounce = |length: u32, side: u32, step: u32| {
            let room = u64::from(length - side);
            let way = self.steps * u64::from(step) % (2 * room).max(1);
            way.min(2 * room - way.min(2 * room)) as u32
        };
        self.window.x = bounce(size.width_px, before.width, STEP_PX.0);
        self.window.y = bounce(size.height_px, before.height, STEP_PX.1);
        self.draw_window(picture);
        let moved = Move { dst: self.window, src_x: before.x, src_y: before.y };
        Change { rects: vec![before, self.window], moves: vec![moved] }
    }

    fn draw_window(&self, picture: &mut FrameBuf) {
        let window = self.window;
        let title = Rect { height: window.height.min(24), ..window };
        page(picture, window, mix(self.pattern.seed), 0);
        picture.fill(title, [0xa0, 0x60, 0x20, 0]);
    }

    fn noise(&self, picture: &mut FrameBuf) -> Change {
        let size = self.pattern.size;
        let (width, height) = (NOISE_PX.0.min(size.width_px), NOISE_PX.1.min(size.height_px));
        let (x, y) = ((size.width_px - width) / 2, (size.height_px - height) / 2);
        let area = Rect::new(x, y, width, height);
        let mut state = mix(self.pattern.seed ^ self.steps.rotate_left(32)) | 1;
        for y in area.y..area.bottom() {
            for pixel in picture.span_mut(area.x, y, area.width).chunks_exact_mut(4) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                pixel[..3].copy_from_slice(&state.to_le_bytes()[..3]);
            }
        }
        Change { rects: vec![area], moves: Vec::new() }
    }
}
