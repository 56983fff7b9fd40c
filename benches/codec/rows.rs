//! Filtered rows, then zstd: PNG's way with a faster compressor.

use crate::images::{ImageCodec, ZSTD_LEVEL, compress, pack_colours, unpack};
use farpane_frame::{FrameBuf, FrameRef, Rect};

/// Bytes of a pixel.
const PIXEL: usize = 3;

/// What is subtracted from a row's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    /// The pixel to the left.
    Left,
    /// The pixel above.
    Up,
    /// The one of left, above and above left that is next to left + above - above left.
    Paeth,
}

impl Filter {
    const ALL: [Self; 3] = [Self::Left, Self::Up, Self::Paeth];
}

/// Rows of pixels as zstd compresses them: filtered, each with the filter whose differences are
/// smallest together, or as they are.
pub(crate) struct Rows {
    filtered: bool,
    packed: Vec<u8>,
    coded: Vec<u8>,
    tried: [Vec<u8>; 3],
    zstd: zstd::bulk::Compressor<'static>,
}

impl Rows {
    pub(crate) fn new(filtered: bool) -> Self {
        let zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL).expect("a level of zstd");
        Self { filtered, packed: Vec::new(), coded: Vec::new(), tried: Default::default(), zstd }
    }

    /// A byte for the filter and the differences, for each row.
    fn filter(&mut self, row_bytes: usize) {
        let Self { packed, coded, tried, .. } = self;
        coded.clear();
        let above_first = vec![0; row_bytes];
        let mut above = &above_first[..];
        for row in packed.chunks_exact(row_bytes) {
            let mut best = (0, u64::MAX);
            for (i, filter) in Filter::ALL.into_iter().enumerate() {
                tried[i].resize(row_bytes, 0);
                subtract(filter, row, above, &mut tried[i]);
                let sum: u64 = tried[i].chunks(256).map(|c| u64::from(distance(c))).sum();
                if sum < best.1 {
                    best = (i, sum);
                }
            }
            coded.push(best.0 as u8);
            coded.extend_from_slice(&tried[best.0]);
            above = row;
        }
    }
}

/// How far differences are from 0, in sum.
fn distance(differences: &[u8]) -> u32 {
    differences.iter().map(|d| u32::from((*d as i8).unsigned_abs())).sum()
}

fn subtract(filter: Filter, row: &[u8], above: &[u8], out: &mut [u8]) {
    let (first, rest) = out.split_at_mut(PIXEL);
    for (i, out) in first.iter_mut().enumerate() {
        let predicted = if filter == Filter::Left { 0 } else { above[i] };
        *out = row[i].wrapping_sub(predicted);
    }
    let (now, left) = (&row[PIXEL..], &row[..row.len() - PIXEL]);
    let (up, corner) = (&above[PIXEL..], &above[..above.len() - PIXEL]);
    let bytes = rest.iter_mut().zip(now);
    match filter {
        Filter::Left => bytes.zip(left).for_each(|((out, v), a)| *out = v.wrapping_sub(*a)),
        Filter::Up => bytes.zip(up).for_each(|((out, v), b)| *out = v.wrapping_sub(*b)),
        Filter::Paeth => bytes
            .zip(left)
            .zip(up.iter().zip(corner))
            .for_each(|(((out, v), a), (b, c))| *out = v.wrapping_sub(paeth(*a, *b, *c))),
    }
}

/// PNG (third edition), 9.4.
fn paeth(a: u8, b: u8, c: u8) -> u8 {
    let [a16, b16, c16] = [a, b, c].map(i16::from);
    let (pa, pb) = ((b16 - c16).abs(), (a16 - c16).abs());
    let pc = (a16 + b16 - 2 * c16).abs();
    let b_or_c = if pb <= pc { b } else { c };
    if pa <= pb && pa <= pc { a } else { b_or_c }
}

impl ImageCodec for Rows {
    fn name(&self) -> &'static str {
        if self.filtered { "filters + zstd" } else { "zstd" }
    }

    fn encode(&mut self, frame: &FrameRef<'_>, area: Rect, out: &mut Vec<u8>) {
        pack_colours(frame, area, &mut self.packed);
        if self.filtered {
            self.filter(area.width as usize * PIXEL);
            compress(&mut self.zstd, &self.coded, out);
        } else {
            compress(&mut self.zstd, &self.packed, out);
        }
    }

    fn decode(&mut self, data: &[u8], area: Rect, helper: &mut FrameBuf) {
        let row_bytes = area.width as usize * PIXEL;
        let most = (row_bytes + 1) * area.height as usize;
        let coded = zstd::bulk::decompress(data, most).expect("its own bytes");
        if !self.filtered {
            return unpack::<PIXEL>(&coded, area, helper);
        }
        let (mut pixels, mut above) = (Vec::new(), vec![0; row_bytes]);
        for row in coded.chunks_exact(row_bytes + 1) {
            let filter = Filter::ALL[usize::from(row[0])];
            let mut now = row[1..].to_vec();
            for i in 0..row_bytes {
                let left = i.checked_sub(PIXEL).map_or(0, |i| now[i]);
                let corner = i.checked_sub(PIXEL).map_or(0, |i| above[i]);
                let predicted = match filter {
                    Filter::Left => left,
                    Filter::Up => above[i],
                    Filter::Paeth => paeth(left, above[i], corner),
                };
                now[i] = now[i].wrapping_add(predicted);
            }
            pixels.extend_from_slice(&now);
            above = now;
        }
        unpack::<PIXEL>(&pixels, area, helper);
    }
}
