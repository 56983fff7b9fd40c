//! Generated desktops: text, photographs, windows.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]

use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, Size};

/// A xorshift generator: the same scene for the same seed.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u32) -> u32 {
        (((self.next() >> 32) * u64::from(end)) >> 32) as u32
    }

    pub fn in_range(&mut self, from: i32, to: i32) -> i32 {
        from + self.below((to - from + 1) as u32) as i32
    }

    pub fn rect(&mut self, size: Size, most: u32) -> Rect {
        let (width, height) = (1 + self.below(most), 1 + self.below(most));
        Rect::new(self.below(size.width_px), self.below(size.height_px), width, height).clip(size)
    }
}

pub const SCREEN: Size = Size::new(1920, 1080);
const CELL_WIDTH: u32 = 6;
/// Rows of a line of text.
pub const LINE_PX: u32 = 13;

pub fn blank(size: Size) -> FrameBuf {
    FrameBuf::new(size, PixelFormat::Bgrx).unwrap()
}

/// Text on paper: words of random glyphs, indented lines, blank lines.
pub fn text(size: Size, seed: u64) -> FrameBuf {
    let mut frame = blank(size);
    frame.fill(size.rect(), [250, 252, 253, 0]);
    for line in 0..size.height_px / LINE_PX {
        text_line(&mut frame, 4, line * LINE_PX, seed * 10_000 + u64::from(line));
    }
    frame
}

/// One line of text at (`x`, `y`) to the right edge or before it.
pub fn text_line(frame: &mut FrameBuf, x: u32, y: u32, seed: u64) {
    let mut random = Random::new(seed + 77);
    if random.below(7) == 0 {
        return;
    }
    let mut cell = random.below(4) * 4;
    let last = (frame.size().width_px.saturating_sub(x + CELL_WIDTH)) / CELL_WIDTH;
    let last = last * (3 + random.below(6)) / 8;
    while cell < last {
        for _ in 0..1 + random.below(9) {
            if cell < last {
                glyph(frame, x + cell * CELL_WIDTH, y + 2, random.below(40));
            }
            cell += 1;
        }
        cell += 1;
    }
}

/// One of 40 shapes of 5x9 pixels, with three shades.
pub fn glyph(frame: &mut FrameBuf, x: u32, y: u32, number: u32) {
    let mut shape = Random::new(u64::from(number) + 1000);
    for row in 0..9 {
        let bits = shape.next() & shape.next().rotate_left(7);
        for column in 0..5 {
            let shade = [0xff, 0x10, 0x70, 0x10][(bits >> (column * 2) & 3) as usize];
            if shade != 0xff {
                frame.fill(Rect::new(x + column, y + row, 1, 1), [shade, shade, shade, 0]);
            }
        }
    }
}

/// A photograph: large smooth shapes with grain.
pub fn photo(size: Size, seed: u64) -> FrameBuf {
    let mut frame = blank(size);
    let mut random = Random::new(seed);
    let wave: Vec<f32> = (0..8).map(|_| random.below(100) as f32 / 2500.0 + 0.003).collect();
    for y in 0..size.height_px {
        for x in 0..size.width_px {
            let (fx, fy) = (x as f32, y as f32);
            let light = (fx * wave[0] + fy * wave[1]).sin() + (fx * wave[2] - fy * wave[3]).cos();
            let grain = random.below(9) as f32;
            let value = (light * 50.0 + 120.0 + grain) as u8;
            let pixel =
                [value, value / 2 + (y / 16 % 90) as u8, value / 3 + 40, random.below(256) as u8];
            frame.span_mut(x, y, 1).copy_from_slice(&pixel);
        }
    }
    frame
}

/// Draws `picture` with its top left corner at (`x`, `y`); what leaves the frame is cut.
pub fn paste(frame: &mut FrameBuf, picture: &FrameRef<'_>, x: i32, y: i32) {
    for row in 0..picture.size().height_px {
        let to_y = y + row as i32;
        if to_y < 0 || to_y >= frame.size().height_px as i32 {
            continue;
        }
        let left = x.max(0);
        let right = (x + picture.size().width_px as i32).min(frame.size().width_px as i32);
        if left < right {
            let width = (right - left) as u32;
            let from = picture.span((left - x) as u32, row, width);
            frame.span_mut(left as u32, to_y as u32, width).copy_from_slice(from);
        }
    }
}

/// A part of a picture as a picture.
pub fn cut(picture: &FrameRef<'_>, area: Rect) -> FrameBuf {
    let mut out = blank(Size::new(area.width, area.height));
    for y in 0..area.height {
        out.span_mut(0, y, area.width).copy_from_slice(picture.span(
            area.x,
            area.y + y,
            area.width,
        ));
    }
    out
}

/// A text window with a title bar and a border.
pub fn window(size: Size, seed: u64) -> FrameBuf {
    let mut frame = text(size, seed);
    frame.fill(Rect::new(0, 0, size.width_px, 22), [120, 80, 40, 0]);
    text_line(&mut frame, 10, 4, seed * 3 + 1);
    for edge in [
        Rect::new(0, 0, 1, size.height_px),
        Rect::new(size.width_px - 1, 0, 1, size.height_px),
        Rect::new(0, size.height_px - 1, size.width_px, 1),
    ] {
        frame.fill(edge, [0, 0, 0, 0]);
    }
    frame
}

/// The old picture with all moves done, each reading the old picture.
pub fn moved(old: &FrameBuf, moves: &[Move]) -> FrameBuf {
    let mut out = old.clone();
    for m in moves {
        for row in 0..m.dst.height {
            let from = old.view().span(m.src_x, m.src_y + row, m.dst.width).to_vec();
            out.span_mut(m.dst.x, m.dst.y + row, m.dst.width).copy_from_slice(&from);
        }
    }
    out
}

/// Pixels of `area` whose colours differ.
pub fn differing_px(a: &FrameRef<'_>, b: &FrameRef<'_>, area: Rect) -> u64 {
    let rows = area.y..area.bottom();
    let pixels = rows.flat_map(|y| (area.x..area.right()).map(move |x| (x, y)));
    pixels.filter(|(x, y)| a.rgb(*x, *y) != b.rgb(*x, *y)).count() as u64
}
