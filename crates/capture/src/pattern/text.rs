//! Characters that look like text to a codec: few colours, sharp edges, repeated shapes.

use farpane_frame::{FrameBuf, Rect};

/// Width of a character's cell.
pub(super) const CELL_WIDTH_PX: u32 = 8;
/// Height of a line.
pub(super) const LINE_PX: u32 = 16;

pub(super) const PAPER: [u8; 4] = [0xfa, 0xfc, 0xfc, 0];
const INK: [u8; 4] = [0x22, 0x1e, 0x1e, 0];
const EDGE: [u8; 4] = [0x9a, 0x98, 0x98, 0];

/// Spreads the bits of a number (the finaliser of splitmix64).
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The character at a place of an endless text: 0 is a space, words have 1 to 9 characters.
fn character(seed: u64, line: u64, column: u64) -> u64 {
    let value = mix(seed ^ mix(line.wrapping_mul(4096).wrapping_add(column)));
    if value.is_multiple_of(6) { 0 } else { 1 + (value >> 8) % 60 }
}

/// Paints one character into its cell, over paper. The parts outside the picture are left out.
pub(super) fn draw(picture: &mut FrameBuf, cell: Rect, (seed, line, column): (u64, u64, u64)) {
    picture.fill(cell, PAPER);
    let character = character(seed, line, column);
    if character == 0 {
        return;
    }
    // Five strokes of one or two pixels with a soft edge; the same for the same character.
    let strokes = mix(character);
    for i in 0..5u32 {
        let bits = (strokes >> (i * 12)) as u32;
        let (x, y) = (1 + bits % 5, 3 + (bits >> 3) % 9);
        let (width, height) =
            if bits & 1 << 8 == 0 { (6 - x, 1) } else { (1, (12 - y).min(2 + (bits >> 9) % 6)) };
        let stroke = Rect::new(cell.x + x, cell.y + y, width, height);
        let soft = Rect::new(stroke.x, stroke.bottom(), width, 1);
        picture.fill(soft.intersect(cell), EDGE);
        picture.fill(stroke.intersect(cell), INK);
    }
}

/// Fills `area` with the text from `first_line` on.
pub(super) fn page(picture: &mut FrameBuf, area: Rect, seed: u64, first_line: u64) {
    for (row, y) in (area.y..area.bottom()).step_by(LINE_PX as usize).enumerate() {
        for (column, x) in (area.x..area.right()).step_by(CELL_WIDTH_PX as usize).enumerate() {
            let cell = Rect::new(x, y, CELL_WIDTH_PX, LINE_PX).intersect(area);
            draw(picture, cell, (seed, first_line + row as u64, column as u64));
        }
    }
}
