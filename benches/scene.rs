//! Made-up pictures: a desktop of text, plain ground and a photograph, and a film.

use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};

/// The size of the desktop.
pub const SCREEN: Size = Size::new(1920, 1080);

/// A small generator (splitmix64).
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

const GLYPH: (u32, u32) = (9, 16);

/// Coverage of a made-up glyph: two stems and two bars with smoothed edges.
fn coverage(glyph: u64, x: u32, y: u32) -> u32 {
    let at = |shift: u32, limit: u64| ((glyph >> shift) % limit) as u32 * 4 + 6;
    let distance = |a: u32, b: u32| (a * 4).abs_diff(b);
    let inside = (2..12).contains(&y) && (1..8).contains(&x);
    let stems = [at(0, 3), at(8, 5) + 8].map(|s| distance(x, s));
    let bars = [at(16, 8), at(24, 8) + 4].map(|b| distance(y, b));
    let nearest = stems.into_iter().chain(bars).min().unwrap_or(9);
    if inside {
        [255, 221, 153, 102, 51, 17].get(nearest as usize).copied().unwrap_or(0)
    } else {
        0
    }
}

/// Fills `area` with lines of text in shades between `ink` and `ground`.
pub fn text(frame: &mut FrameBuf, area: Rect, ground: [u8; 3], ink: [u8; 3], random: &mut Random) {
    frame.fill(area, [ground[0], ground[1], ground[2], 0]);
    for top in (area.y + 4..area.bottom().saturating_sub(20)).step_by(20) {
        let mut left = area.x + 8;
        let end = area.x + area.width * (5 + (random.next() % 4) as u32) / 8;
        while left + GLYPH.0 < end {
            let letter = random.next() % 32;
            if letter < 27 {
                let glyph = Random(letter).next();
                for (x, y) in (0..GLYPH.1).flat_map(|y| (0..GLYPH.0).map(move |x| (x, y))) {
                    let shade = coverage(glyph, x, y);
                    let mix = |i: usize| {
                        let (g, k) = (u32::from(ground[i]), u32::from(ink[i]));
                        ((g * (255 - shade) + k * shade) / 255) as u8
                    };
                    let pixel = [mix(0), mix(1), mix(2), 0];
                    frame.span_mut(left + x, top + y, 1).copy_from_slice(&pixel);
                }
            }
            left += GLYPH.0;
        }
    }
}

/// A picture with soft shapes and the noise of a camera.
fn photo(frame: &mut FrameBuf, area: Rect, random: &mut Random) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            let wave = |a: f32, b: f32| ((x as f32 * a).sin() + (y as f32 * b).cos()) * 50.0;
            let light = wave(0.021, 0.017) + wave(0.005, 0.009) * 0.3;
            let [n0, n1, n2, ..] = random.next().to_le_bytes().map(|n| f32::from(n % 16));
            let pixel = [110.0 + light + n0, 120.0 + light * 0.9 + n1, 130.0 + light * 0.7 + n2];
            let [b, g, r] = pixel.map(|v| v as u8);
            frame.span_mut(x, y, 1).copy_from_slice(&[b, g, r, 0]);
        }
    }
}

/// A picture that is to a codec what photographs are: shapes of all sizes, the larger the
/// stronger, finer ones in some places than in others, and the grain of a camera. Exactly it takes
/// as much as five photographs did on average, and as a still.
pub fn photograph(frame: &mut FrameBuf, area: Rect, random: &mut Random) {
    let seed = random.next();
    let value = |x: u32, y: u32, of: u64| {
        let bits = Random(seed ^ of ^ u64::from(x) << 20 ^ u64::from(y) << 40).next();
        (bits % 2_048) as f32 / 1_024.0 - 1.0
    };
    let smooth = |x: u32, y: u32, width: u32| {
        let along = |at: u32| (at / width, (at % width) as f32 / width as f32);
        let ((left, right), (top, down)) = (along(x), along(y));
        let row = |y: u32| {
            let [a, b] = [left, left + 1].map(|x| value(x, y, u64::from(width)));
            a + (b - a) * right
        };
        row(top) + (row(top + 1) - row(top)) * down
    };
    for (x, y) in (0..area.height).flat_map(|y| (0..area.width).map(move |x| (x, y))) {
        let coarse: f32 = [(8, 6.0), (16, 9.0), (32, 14.0), (64, 24.0), (128, 34.0)]
            .iter()
            .map(|(width, strength)| smooth(x, y, *width) * strength)
            .sum();
        let fine: f32 = [(2, 6.0), (4, 8.0)]
            .iter()
            .map(|(width, strength)| smooth(x, y, *width) * strength)
            .sum();
        let detail = (smooth(x, y, 96) * 2.0 + 0.4).clamp(0.0, 1.0);
        let light = 120.0 + coarse + fine * detail;
        let tint = smooth(x, y, 127) * 20.0;
        let grain = [1, 2, 3].map(|of| value(x, y, of << 60) * 1.2);
        let colour = [light * 0.8 - tint, light, light * 0.9 + tint];
        let pixel = frame.span_mut(area.x + x, area.y + y, 1);
        for i in 0..3 {
            pixel[i] = (colour[i] + grain[i]) as u8;
        }
    }
}

/// A desktop: plain ground, an editor, a page with coloured text, and a photograph of 640x360.
pub fn desktop() -> FrameBuf {
    let mut frame = FrameBuf::new(SCREEN, PixelFormat::Bgrx).unwrap();
    let mut random = Random(1);
    frame.fill(SCREEN.rect(), [90, 60, 40, 0]);
    for x in 0..SCREEN.width_px {
        let shade = (200 + x / 60) as u8;
        frame.fill(Rect::new(x, 0, 1, 32), [shade, shade, shade, 0]);
    }
    text(&mut frame, Rect::new(40, 60, 1100, 980), [255, 255, 255], [30, 30, 30], &mut random);
    text(&mut frame, Rect::new(1180, 60, 700, 500), [46, 40, 38], [120, 220, 160], &mut random);
    photo(&mut frame, Rect::new(1230, 640, 640, 360), &mut random);
    frame
}

/// A film: the eye wanders over a landscape of soft shapes and fine texture, and the camera adds
/// noise of its own to each picture.
#[derive(Debug)]
pub struct Film {
    size: Size,
    landscape: FrameBuf,
    random: Random,
}

impl Film {
    /// A film in pictures of `size`.
    ///
    /// # Panics
    /// When the size is not valid.
    pub fn new(size: Size) -> Self {
        let wide = Size::new(size.width_px * 2, size.height_px * 2);
        let mut landscape = FrameBuf::new(wide, PixelFormat::Bgrx).expect("a valid size");
        for y in 0..wide.height_px {
            let row = landscape.span_mut(0, y, wide.width_px);
            for (x, pixel) in (0u32..).zip(row.chunks_exact_mut(4)) {
                let (x, y) = (x as f32, y as f32);
                let soft = |a: f32, b: f32| ((x * a).sin() + (y * b).cos()) * 34.0;
                let fine =
                    ((x * 0.31).sin() * (y * 0.27).sin() + (x * 0.11 + y * 0.17).sin()) * 9.0;
                let light = 120.0 + soft(0.011, 0.017) + soft(0.031, 0.023) * 0.4 + fine;
                let colour = [light * 0.7 + 20.0, light, light * 0.8 + soft(0.004, 0.006)];
                for (byte, value) in pixel.iter_mut().zip(colour) {
                    *byte = value as u8;
                }
            }
        }
        Self { size, landscape, random: Random(7) }
    }

    /// Draws picture `step` onto `frame`, its left upper corner at `at`.
    pub fn draw(&mut self, step: u32, frame: &mut FrameBuf, at: (u32, u32)) {
        let turn = |period: f32, reach: u32| {
            ((step as f32 / period).sin() * 0.5 + 0.5) * reach as f32 * 0.9
        };
        let (dx, dy) = (turn(53.0, self.size.width_px), turn(41.0, self.size.height_px));
        for y in 0..self.size.height_px {
            let from = self.landscape.view().span(dx as u32, y + dy as u32, self.size.width_px);
            let to = frame.span_mut(at.0, at.1 + y, self.size.width_px);
            for (to, from) in to.chunks_exact_mut(16).zip(from.chunks_exact(16)) {
                let noise = self.random.next().to_le_bytes();
                for (i, (to, from)) in to.iter_mut().zip(from).enumerate() {
                    *to = from.saturating_add(noise[i / 2] & 3);
                }
            }
        }
    }
}
