//! The pointer: where it is, and its picture.

use super::display::Answer;
use crate::{CursorShape, CursorUpdate};
use farpane_frame::Rect;
use std::sync::Arc;
use x11rb::protocol::xfixes::GetCursorImageReply;

/// Pictures kept, so that one that comes back is not fetched again: a theme's common ones.
const KEPT_SHAPES: usize = 32;

/// Follows the pointer, and says what of it changed.
#[derive(Debug)]
pub(super) struct Cursor {
    /// The latest first.
    shapes: Vec<Arc<CursorShape>>,
    /// Counts connections: displays count serials from the start again.
    epoch: u32,
    serial: Option<u64>,
    at: (i32, i32),
    on_screen: bool,
    told: Option<Told>,
}

/// What the consumer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    at: (i32, i32),
    visible: bool,
    serial: Option<u64>,
}

impl Cursor {
    pub(super) fn new() -> Self {
        Self {
            shapes: Vec::with_capacity(KEPT_SHAPES),
            epoch: 0,
            serial: None,
            at: (0, 0),
            on_screen: false,
            told: None,
        }
    }

    /// Serials of the display mean other pictures from now on.
    pub(super) fn reconnected(&mut self) {
        self.epoch += 1;
        self.serial = None;
        self.shapes.clear();
    }

    /// The pointer has the shape `serial`. Returns whether its picture must be fetched.
    pub(super) fn notice(&mut self, serial: u32) -> bool {
        let serial = self.unique(serial);
        self.serial = Some(serial);
        match self.shapes.iter().position(|s| s.serial == serial) {
            Some(at) => {
                self.shapes[..=at].rotate_right(1);
                false
            }
            None => true,
        }
    }

    /// Takes in what the display answered; true when the pointer is elsewhere than before.
    pub(super) fn handle_answer(&mut self, answer: &Answer) -> bool {
        let pointer = &answer.pointer;
        let at = (pointer.root_x.into(), pointer.root_y.into());
        let moved = std::mem::replace(&mut self.at, at) != at;
        self.on_screen = pointer.same_screen;
        if let Some(image) = &answer.cursor_image {
            self.keep(image);
        }
        moved
    }

    fn keep(&mut self, image: &GetCursorImageReply) {
        let serial = self.unique(image.cursor_serial);
        self.serial = Some(serial);
        if self.shapes.iter().all(|s| s.serial != serial) {
            self.shapes.truncate(KEPT_SHAPES - 1);
            self.shapes.insert(0, Arc::new(shape(serial, image)));
        }
    }

    /// What changed since the last call, as seen from `area` of the root window.
    pub(super) fn take_update(&mut self, area: Rect) -> Option<CursorUpdate> {
        let shape = self.shapes.iter().find(|s| Some(s.serial) == self.serial);
        let (x, y) = (self.at.0 - area.x as i32, self.at.1 - area.y as i32);
        let inside = (0..area.width as i32).contains(&x) && (0..area.height as i32).contains(&y);
        let drawn = shape.is_some_and(|s| s.bgra.iter().any(|b| *b != 0));
        let visible = self.on_screen && inside && drawn;
        let now = Told { at: (x, y), visible, serial: shape.map(|s| s.serial) };
        if self.told == Some(now) {
            return None;
        }
        let known = self.told.and_then(|t| t.serial);
        self.told = Some(now);
        let shape = shape.filter(|s| Some(s.serial) != known).cloned();
        Some(CursorUpdate { x, y, visible, shape })
    }

    fn unique(&self, serial: u32) -> u64 {
        u64::from(self.epoch) << 32 | u64::from(serial)
    }
}

/// The picture of a pointer; what is beyond [`CursorShape::MAX_PX`] is cut.
fn shape(serial: u64, image: &GetCursorImageReply) -> CursorShape {
    let width = u32::from(image.width).min(CursorShape::MAX_PX);
    let height = u32::from(image.height).min(CursorShape::MAX_PX);
    let rows = image.cursor_image.chunks(usize::from(image.width).max(1));
    let bgra = rows
        .take(height as usize)
        .flat_map(|row| &row[..(width as usize).min(row.len())])
        .flat_map(|argb| argb.to_le_bytes())
        .collect();
    CursorShape {
        serial,
        width,
        height,
        hot_x: u32::from(image.xhot).min(width.saturating_sub(1)),
        hot_y: u32::from(image.yhot).min(height.saturating_sub(1)),
        bgra,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use x11rb::protocol::xproto::QueryPointerReply;

    const AREA: Rect = Rect::new(100, 50, 640, 480);

    fn answer(x: i16, y: i16, image: Option<(u32, u16, u16)>) -> Answer {
        let pointer =
            QueryPointerReply { same_screen: true, root_x: x, root_y: y, ..Default::default() };
        let cursor_image = image.map(|(cursor_serial, width, height)| GetCursorImageReply {
            width,
            height,
            xhot: width - 1,
            cursor_serial,
            cursor_image: vec![0x8040_2010; usize::from(width) * usize::from(height)],
            ..Default::default()
        });
        Answer { damage: Vec::new(), pointer, cursor_image }
    }

    #[test]
    fn motion_is_told_once_and_a_shape_only_when_it_changes() {
        let mut cursor = Cursor::new();
        cursor.handle_answer(&answer(110, 70, Some((7, 2, 1))));
        let update = cursor.take_update(AREA).unwrap();
        assert_eq!((update.x, update.y, update.visible), (10, 20, true));
        let shape = update.shape.unwrap();
        assert_eq!((shape.width, shape.height, shape.hot_x), (2, 1, 1));
        assert_eq!(shape.bgra, [0x10, 0x20, 0x40, 0x80, 0x10, 0x20, 0x40, 0x80]);
        assert_eq!(cursor.take_update(AREA), None);
        cursor.handle_answer(&answer(99, 70, None));
        let moved = CursorUpdate { x: -1, y: 20, visible: false, shape: None };
        assert_eq!(cursor.take_update(AREA), Some(moved));
    }

    #[test]
    fn a_known_shape_is_not_fetched_again_and_few_are_kept() {
        let mut cursor = Cursor::new();
        for serial in 0..100 {
            assert!(cursor.notice(serial));
            cursor.handle_answer(&answer(0, 0, Some((serial, 4, 4))));
        }
        assert_eq!(cursor.shapes.len(), KEPT_SHAPES);
        assert!(!cursor.notice(99) && !cursor.notice(70));
        assert!(cursor.notice(3), "long gone");
        cursor.take_update(AREA);
        assert!(!cursor.notice(70));
        assert_eq!(cursor.take_update(AREA).unwrap().shape.unwrap().serial, 70);
        cursor.reconnected();
        assert!(cursor.notice(70), "another display's serial");
    }

    #[test]
    fn huge_shapes_are_cut() {
        let mut cursor = Cursor::new();
        cursor.handle_answer(&answer(200, 200, Some((1, 300, 400))));
        let shape = cursor.take_update(AREA).unwrap().shape.unwrap();
        assert_eq!((shape.width, shape.height), (256, 256));
        assert_eq!(shape.bgra.len(), 256 * 256 * 4);
        assert!(shape.hot_x < 256);
    }
}
