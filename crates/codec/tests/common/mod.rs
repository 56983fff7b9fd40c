//! Pictures like those on desktops, from a seed.
#![allow(dead_code, unreachable_pub)]

use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};

/// A small generator (splitmix64): the same seed gives the same test everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u32) -> u32 {
        (self.next() >> 32) as u32 % limit.max(1)
    }
}

pub fn canvas(size: Size) -> FrameBuf {
    FrameBuf::new(size, PixelFormat::Bgrx).unwrap()
}

/// Paints `area` in one of the styles that the encoder tells apart.
pub fn paint(frame: &mut FrameBuf, area: Rect, style: u32, random: &mut Random) {
    let area = area.clip(frame.size());
    let (ground, ink) = (random.next().to_le_bytes(), random.next().to_le_bytes());
    let (dx, dy, noise) = (random.below(5), random.below(5), 1 + random.below(40));
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            let pixel = match style {
                0 => [ground[0], ground[1], ground[2], 0],
                1 => {
                    // glyph-like: ink and shades between in short runs
                    let shade = (random.below(8) * 36).min(255) * u32::from(random.below(4) == 0);
                    let mix = |i: usize| {
                        let (a, b) = (u32::from(ground[i]), u32::from(ink[i]));
                        ((a * (255 - shade) + b * shade) / 255) as u8
                    };
                    [mix(0), mix(1), mix(2), 9]
                }
                2 => {
                    let n = random.below(noise);
                    let ramp = |k: u32| (x * dx + y * dy + k + n) as u8;
                    [ramp(0), ramp(30), ramp(90), 77]
                }
                3 => {
                    let g = (x * dx + y * dy + random.below(noise)) as u8;
                    [g, g, g, 1]
                }
                4 => [(x * dx) as u8, (y * dy) as u8, (x + y) as u8, 0],
                _ => {
                    let [a, b, c, d, ..] = random.next().to_le_bytes();
                    [a, b, c, d]
                }
            };
            frame.span_mut(x, y, 1).copy_from_slice(&pixel);
        }
    }
}

/// Styles that [`paint`] knows.
pub const STYLES: u32 = 6;

/// A picture of random patches.
pub fn picture(size: Size, random: &mut Random) -> FrameBuf {
    let mut frame = canvas(size);
    paint(&mut frame, size.rect(), random.below(STYLES), random);
    for _ in 0..random.below(6) {
        let area = random_area(size, random);
        let style = random.below(STYLES);
        paint(&mut frame, area, style, random);
    }
    frame
}

pub fn random_area(size: Size, random: &mut Random) -> Rect {
    let (x, y) = (random.below(size.width_px), random.below(size.height_px));
    let width = 1 + random.below(size.width_px - x);
    let height = 1 + random.below(size.height_px - y);
    Rect::new(x, y, width, height)
}
