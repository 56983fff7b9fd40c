//! Who keeps a copy of the screen up to date: Farpane, and what others do.

use farpane_damage::{Changes, Differ, Kernel, SHARED_FROM_PX};
use farpane_frame::{FrameBuf, FrameRef, Rect};
use image::{Rgba, RgbaImage};
use rayon::{ThreadPool, ThreadPoolBuilder};
use xxhash_rust::xxh3::xxh3_64;

/// Finds what changed and makes its copy of the frame equal: the memory that a source captures to
/// is written again, and what a lost packet held must be sent again. Returns how many pixels it
/// takes for changed.
pub(crate) trait Subject {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// Brings the next frame into the form that it has for this subject; not measured.
    fn capture(&mut self, _next: &FrameRef<'_>) {}

    /// Takes in the next frame; `hint` is what the source says of it.
    fn update(&mut self, next: &FrameRef<'_>, hint: &[Rect]) -> u64;
}

/// All of them, with `frame` as the first: Farpane with hints, without, then the others.
pub(crate) fn all(frame: &FrameBuf) -> Vec<Box<dyn Subject>> {
    vec![
        Box::new(Farpane::new(frame, true)),
        Box::new(Farpane::new(frame, false)),
        Box::new(Blocks { canon: frame.clone(), hinted: true }),
        Box::new(Blocks { canon: frame.clone(), hinted: false }),
        Box::new(Rows(frame.clone())),
        Box::new(Equality(frame.clone())),
        Box::new(Stripes::new(frame)),
        Box::new(Pixels::new(frame)),
    ]
}

/// On all cores, as a sharer compares.
struct Farpane {
    pool: ThreadPool,
    differ: Differ,
    canon: FrameBuf,
    changes: Changes,
    hinted: bool,
}

impl Farpane {
    fn new(frame: &FrameBuf, hinted: bool) -> Self {
        let differ = Differ::new(Kernel::detect());
        let pool = ThreadPoolBuilder::new().build().expect("threads");
        Self { pool, differ, canon: frame.clone(), changes: Changes::new(), hinted }
    }
}

impl Subject for Farpane {
    fn name(&self) -> &'static str {
        if self.hinted { "farpane, hinted" } else { "farpane" }
    }

    fn update(&mut self, next: &FrameRef<'_>, hint: &[Rect]) -> u64 {
        let whole = [next.size().rect()];
        let within = if self.hinted { hint } else { &whole };
        let Self { pool, differ, canon, changes, .. } = self;
        let pixels: u64 = within.iter().map(|rect| rect.area_px()).sum();
        let mut update = || differ.update(canon, next, within, changes);
        if pixels < SHARED_FROM_PX { update() } else { pool.install(update) }.expect("alike");
        changes.area_px()
    }
}

/// `memcmp` of each row, and a copy of those that differ.
struct Rows(FrameBuf);

impl Subject for Rows {
    fn name(&self) -> &'static str {
        "memcmp rows"
    }

    fn update(&mut self, next: &FrameRef<'_>, _hint: &[Rect]) -> u64 {
        let width = next.size().width_px;
        let mut changed = 0;
        for y in 0..next.size().height_px {
            let (old, new) = (self.0.span_mut(0, y, width), next.row(y));
            if old != new {
                old.copy_from_slice(new);
                changed += u64::from(width);
            }
        }
        changed
    }
}

/// Whole frames are equal, or all is new.
struct Equality(FrameBuf);

impl Subject for Equality {
    fn name(&self) -> &'static str {
        "whole equality"
    }

    fn update(&mut self, next: &FrameRef<'_>, _hint: &[Rect]) -> u64 {
        if self.0.view().data() == next.data() {
            return 0;
        }
        self.0.data_mut().copy_from_slice(next.data());
        next.size().area_px()
    }
}

/// A hash for each stripe of 64 rows, and a copy of those whose hash is another. It does not read
/// the old frame, and takes a stripe for unchanged when hashes collide.
struct Stripes {
    canon: FrameBuf,
    hashes: Vec<u64>,
}

impl Stripes {
    const ROWS: usize = 64;

    fn new(frame: &FrameBuf) -> Self {
        let view = frame.view();
        let hashes = view.data().chunks(Self::ROWS * view.stride()).map(xxh3_64).collect();
        Self { canon: frame.clone(), hashes }
    }
}

impl Subject for Stripes {
    fn name(&self) -> &'static str {
        "xxh3 stripes"
    }

    fn update(&mut self, next: &FrameRef<'_>, _hint: &[Rect]) -> u64 {
        let stripe_bytes = Self::ROWS * next.stride();
        let canon = self.canon.data_mut().chunks_mut(stripe_bytes);
        let mut changed = 0;
        for ((known, old), new) in
            self.hashes.iter_mut().zip(canon).zip(next.data().chunks(stripe_bytes))
        {
            let hash = xxh3_64(new);
            if *known != hash {
                *known = hash;
                old.copy_from_slice(new);
                changed += (new.len() / next.stride()) as u64 * u64::from(next.size().width_px);
            }
        }
        changed
    }
}

/// Blocks of 32x32 pixels compared with SSE2's sum of absolute differences, row by row until one
/// differs, as libwebrtc's differ does.
struct Blocks {
    canon: FrameBuf,
    hinted: bool,
}

impl Blocks {
    const PX: u32 = 32;

    /// Compares one block and copies it when it differs.
    fn update_block(&mut self, next: &FrameRef<'_>, block: Rect) -> bool {
        let rows = block.y..block.bottom();
        let differs = rows.clone().any(|y| {
            let (old, new) = (self.canon.view(), next.span(block.x, y, block.width));
            !same_row(old.span(block.x, y, block.width), new)
        });
        if differs {
            for y in rows {
                let new = next.span(block.x, y, block.width);
                self.canon.span_mut(block.x, y, block.width).copy_from_slice(new);
            }
        }
        differs
    }
}

impl Subject for Blocks {
    fn name(&self) -> &'static str {
        if self.hinted { "SSE2 blocks, hinted" } else { "SSE2 blocks" }
    }

    fn update(&mut self, next: &FrameRef<'_>, hint: &[Rect]) -> u64 {
        let (whole, px) = ([next.size().rect()], Self::PX);
        let within = if self.hinted { hint } else { &whole };
        let mut changed = 0;
        for area in within {
            for y in (area.y / px * px..area.bottom()).step_by(px as usize) {
                for x in (area.x / px * px..area.right()).step_by(px as usize) {
                    let block = Rect::new(x, y, px, px).clip(next.size());
                    if self.update_block(next, block) {
                        changed += block.area_px();
                    }
                }
            }
        }
        changed
    }
}

/// Whether the rows have the same bytes. The compiler makes SSE2's `psadbw` of the sums.
fn same_row(a: &[u8], b: &[u8]) -> bool {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let sum: u32 = a
        .iter()
        .zip(b)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>())
        .sum();
    sum == 0 && a_rest == b_rest
}

/// The pictures that `xcap` gives, compared pixel by pixel for the rectangle that changed.
struct Pixels {
    old: RgbaImage,
    new: RgbaImage,
}

impl Pixels {
    fn new(frame: &FrameBuf) -> Self {
        let mut old = RgbaImage::new(frame.size().width_px, frame.size().height_px);
        fill(&mut old, &frame.view());
        Self { new: old.clone(), old }
    }
}

impl Subject for Pixels {
    fn name(&self) -> &'static str {
        "xcap pixels"
    }

    fn capture(&mut self, next: &FrameRef<'_>) {
        fill(&mut self.new, next);
    }

    fn update(&mut self, _next: &FrameRef<'_>, _hint: &[Rect]) -> u64 {
        let mut changed: Option<(u32, u32, u32, u32)> = None;
        for (x, y, pixel) in self.new.enumerate_pixels() {
            if self.old.get_pixel(x, y) != pixel {
                let (left, top, right, bottom) = changed.unwrap_or((x, y, x, y));
                changed = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
            }
        }
        std::mem::swap(&mut self.old, &mut self.new);
        changed.map_or(0, |(left, top, right, bottom)| {
            u64::from(right - left + 1) * u64::from(bottom - top + 1)
        })
    }
}

/// Red, green, blue and opaque of each pixel.
fn fill(image: &mut RgbaImage, from: &FrameRef<'_>) {
    for (y, row) in (0..).zip(image.rows_mut()) {
        for (to, p) in row.zip(from.row(y).as_chunks::<4>().0) {
            *to = Rgba([p[2], p[1], p[0], 255]);
        }
    }
}
