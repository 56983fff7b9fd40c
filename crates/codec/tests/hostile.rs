//! No batch, however bad, makes the decoder panic, run long or take memory beyond its bounds.
#![cfg(feature = "encoder")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Random, STYLES, canvas, paint, picture, random_area};
use farpane_codec::{BatchDecoder, BatchEncoder, DecodeError, DecodeLimits, MAX_RAW_BYTES};
use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, Size, TileGrid};

/// Counts the memory in use and its peak.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `alloc` above with the same layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZE: Size = Size::new(200, 150);

/// Valid batches of every operation, small enough that many mutants can be tried.
fn seeds() -> Vec<Vec<u8>> {
    let (grid, mut random) = (TileGrid::new(SIZE), Random(42));
    let mut encoder = BatchEncoder::new();
    let mut batches = Vec::new();
    for i in 0..24 {
        let mut frame = picture(SIZE, &mut random);
        encoder.begin(grid);
        if i % 3 == 0 {
            encoder.copy(Move { dst: Rect::new(3, 4, 50, 60), src_x: 20, src_y: 30 });
            encoder.copy(Move { dst: Rect::new(30, 40, 90, 20), src_x: 3, src_y: 9 });
            encoder.store(i % grid.tiles(), i as u16);
        }
        if i % 4 == 0 {
            paint(&mut frame, SIZE.rect(), i % STYLES, &mut random);
        }
        for (_, part) in grid.split(random_area(SIZE, &mut random)).take(3) {
            encoder.pixels(&frame.view(), part);
        }
        if i % 3 == 0 {
            encoder.cached(i as u16, i % grid.tiles(), grid.rect(i % grid.tiles()));
        }
        let mut batch = Vec::new();
        encoder.finish(&mut batch);
        batches.push(batch);
    }
    batches
}

fn mutate(batch: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    for _ in 0..1 + random.below(4) {
        let at = random.below(batch.len() as u32) as usize;
        // most of the structure is near the front
        let at = if random.below(2) == 0 { at.min(random.below(24) as usize) } else { at };
        match random.below(8) {
            0 => batch.truncate(at),
            1 => batch.insert(at.min(batch.len()), random.next() as u8),
            2 if !batch.is_empty() => drop(batch.remove(at.min(batch.len() - 1))),
            3 => {
                let other = &seeds[random.below(seeds.len() as u32) as usize];
                let from = random.below(other.len() as u32) as usize;
                batch.truncate(at);
                batch.extend_from_slice(&other[from..]);
            }
            4 => {
                let fill = if random.below(2) == 0 { 0xFF } else { 0 };
                let end = batch.len().min(at + random.below(6) as usize);
                if let Some(bytes) = batch.get_mut(at..end) {
                    bytes.fill(fill);
                }
            }
            5 => {
                if let Some(byte) = batch.get_mut(at) {
                    *byte = random.next() as u8;
                }
            }
            _ => {
                if let Some(byte) = batch.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

/// What a decoder may take on top of the canvas: unpacked sections twice over and the indices
/// unpacked from bits (8), zstd's window and tables, copies, the cache of one small canvas's
/// tiles for each slot the mutants name.
const MEMORY: usize = 16 * MAX_RAW_BYTES + (64 << 20);

#[test]
fn two_hundred_thousand_bad_batches_give_errors_and_stay_bounded() {
    let (seeds, mut random) = (seeds(), Random(7));
    let (mut decoder, mut helper) = (BatchDecoder::default(), canvas(SIZE));
    let mut damage = Vec::new();
    for seed in &seeds {
        decoder.decode(seed, &mut helper, &mut damage).unwrap();
    }
    // What the helper shows as far as it was told of changes.
    let mut told = helper.clone();
    let (before, mut refused) = (IN_USE.load(Ordering::Relaxed), 0);
    PEAK.store(before, Ordering::Relaxed);
    for i in 0..200_000 {
        let mut batch = seeds[i % seeds.len()].clone();
        if random.below(20) == 0 {
            batch = (0..random.below(64)).map(|_| random.next() as u8).collect();
            batch.insert(0, 0x10 | (random.below(32) as u8 & 0x2F));
        } else {
            mutate(&mut batch, &seeds, &mut random);
        }
        damage.clear();
        refused += u32::from(decoder.decode(&batch, &mut helper, &mut damage).is_err());
        assert!(damage.iter().all(|r| SIZE.rect().contains(*r)));
        damage.iter().for_each(|area| told.copy_from(&helper.view(), *area));
        // What was not told of stays, so that a look now and then is enough.
        let looks = i % 16 == 0;
        assert!(!looks || told.view().same_rgb(&helper.view()), "a change was not told of");
    }
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < MEMORY, "{peak} bytes taken, at most {MEMORY} expected");
    assert!(refused > 100_000, "only {refused} of 200,000 refused");
    for seed in &seeds {
        decoder.decode(seed, &mut helper, &mut damage).unwrap();
    }
}

/// Batches with a film of AV1, whole and with damaged units, and the pictures around it.
#[cfg(feature = "av1")]
#[test]
fn five_thousand_bad_units_of_av1_in_batches_change_nothing_but_their_region() {
    use farpane_codec::UnitHeader;
    use farpane_codec::video::{Chroma, Picture, VideoCodec, VideoRate, encoder};

    let (area, grid) = (Rect::new(34, 20, 112, 80), TileGrid::new(SIZE));
    let size = Size::new(area.width, area.height);
    let rate = VideoRate { bits_per_s: 300_000, pictures_per_s: 30.0 };
    let mut video = encoder(VideoCodec::Av1, size, rate).unwrap();
    let (mut random, mut frame) = (Random(3), canvas(SIZE));
    let units: Vec<Vec<u8>> = (0..4)
        .map(|_| {
            paint(&mut frame, area, 2, &mut random);
            let (mut picture, mut unit) = (Picture::new(size, Chroma::Quarter).unwrap(), vec![]);
            picture.load(&frame.view(), (area.x, area.y)).unwrap();
            video.encode(&picture.planes(), &mut unit).unwrap().unwrap();
            unit
        })
        .collect();
    let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
    let (mut helper, mut failed) = (picture(SIZE, &mut random), 0);
    let before = helper.clone();
    for index in 0..5_000u32 {
        let at = index % 4;
        let (mut unit, good) = (units[at as usize].clone(), index % 8 == 0);
        if !good {
            mutate(&mut unit, &units, &mut random);
        }
        let (codec, needs) = (VideoCodec::Av1, at.min(1));
        encoder.begin(grid);
        encoder.unit(&UnitHeader { stream: 0, codec, index, needs, area }, &unit);
        grid.split(area).for_each(|(tile, part)| encoder.video(tile, part));
        let (mut batch, mut damage) = (Vec::new(), Vec::new());
        encoder.finish(&mut batch);
        decoder.decode(&batch, &mut helper, &mut damage).unwrap();
        failed += u32::from(decoder.poll_failed_stream().is_some());
        assert!(!good || !damage.is_empty(), "a keyframe helps: {index}");
    }
    assert!(failed > 500, "{failed}");
    let outside = |x, y| !area.contains(Rect::new(x, y, 1, 1));
    for (x, y) in (0..SIZE.height_px).flat_map(|y| (0..SIZE.width_px).map(move |x| (x, y))) {
        let same = helper.view().rgb(x, y) == before.view().rgb(x, y);
        assert!(same || !outside(x, y), "{x} {y}");
    }
}

fn refused(batch: &[u8]) -> DecodeError {
    let mut decoder = BatchDecoder::default();
    decoder.decode(batch, &mut canvas(SIZE), &mut Vec::new()).unwrap_err()
}

#[test]
fn each_defect_has_its_error() {
    assert!(matches!(refused(&[]), DecodeError::Truncated { .. }));
    assert_eq!(refused(&[0x20, 0]), DecodeError::Format { found: 0x20 });
    assert!(matches!(refused(&vec![0x10; 4 << 20]), DecodeError::Long { .. }));
    assert!(matches!(refused(&[0x10, 0xFE, 0xFF, 0xFF, 0x0F]), DecodeError::Raw { .. }));
    assert_eq!(refused(&[0x10, 0, 9]), DecodeError::Trailing { bytes: 1 });
    // operations: section header, then the operation
    assert_eq!(refused(&[0x10, 2, 0x47]), DecodeError::Operation { found: 0x47 });
    // video without an access unit
    assert_eq!(refused(&[0x10, 2, 0x0F]), DecodeError::Operation { found: 0x0F });
    assert_eq!(refused(&[0x30, 0, 9]), DecodeError::Trailing { bytes: 1 });
    assert_eq!(refused(&[0x10, 2, 0x0C]), DecodeError::Truncated { needed: 64 * 64, left: 0 });
    assert!(matches!(refused(&[0x10, 4, 0x2B, 0x7F]), DecodeError::Tile { .. }));
    // tile 3 of the top row is 8 pixels wide; the area is 64
    let wide = [0x10, 16, 0x23, 8, 0, 0xF0, 0x03, 1, 2, 3];
    assert!(matches!(refused(&wide), DecodeError::Area(_)));
    assert!(matches!(refused(&[0x10, 4, 0x09, 0xFF]), DecodeError::Truncated { .. }));
    assert_eq!(refused(&[0x10, 6, 0x09, 0x80, 0x20]), DecodeError::Slot { slot: 4096 });
    assert_eq!(refused(&[0x10, 4, 0x0A, 5]), DecodeError::Slot { slot: 5 });
    assert_eq!(refused(&[0x10, 4, 0x0D, 9]), DecodeError::Predictor { found: 9 });
    assert!(matches!(refused(&[0x10, 6, 0, 0x81, 0x02]), DecodeError::Copies { .. }));
    assert!(matches!(refused(&[0x10, 1, 0]), DecodeError::Section { .. }));
    let mut rgba = FrameBuf::new(SIZE, PixelFormat::Rgba).unwrap();
    let refused = BatchDecoder::default().decode(&[0x10, 0], &mut rgba, &mut Vec::new());
    assert_eq!(refused, Err(DecodeError::Canvas(PixelFormat::Rgba)));
}

#[test]
fn a_few_bytes_cannot_ask_for_endless_work() {
    // zstd: a plain block with the first solid operation, a run-length block with 100,000 on
    // the same whole tile
    let operations = 100_000u32;
    let run = (operations << 3 | 1 << 1 | 1).to_le_bytes();
    let mut batch = vec![0x10, 0xC3, 0x9A, 0x0C, 8, 1 << 3, 0, 0, 0x4B];
    batch.extend_from_slice(&[run[0], run[1], run[2], 0x5B]);
    assert!(matches!(refused(&batch), DecodeError::Work { .. }));
    // and one that announces little but unpacks to much
    batch[1..4].copy_from_slice(&[0xC3, 0x80, 0]);
    assert!(matches!(refused(&batch), DecodeError::Section { expected: 33 }));
    // copies of the whole canvas, again and again
    let whole = [0, 0, 0xC8, 0x01, 0x96, 0x01, 0, 0];
    let mut copies = vec![0x10, 2 * (2 + 8 * 3), 0, 3];
    (0..3).for_each(|_| copies.extend_from_slice(&whole));
    assert!(matches!(refused(&copies), DecodeError::Copies { .. }));
}

#[test]
fn a_cleared_decoder_forgets_its_tiles() {
    let grid = TileGrid::new(SIZE);
    let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::new(limits()));
    let mut batch = |run: &dyn Fn(&mut BatchEncoder)| {
        encoder.begin(grid);
        run(&mut encoder);
        let mut out = Vec::new();
        encoder.finish(&mut out);
        out
    };
    let (store, use_it) =
        (batch(&|e| e.store(0, 4095)), batch(&|e| e.cached(4095, 1, grid.rect(1))));
    let mut helper = canvas(SIZE);
    let mut decode =
        |decoder: &mut BatchDecoder, b: &[u8]| decoder.decode(b, &mut helper, &mut vec![]);
    decode(&mut decoder, &store).unwrap();
    decode(&mut decoder, &use_it).unwrap();
    decoder.clear();
    assert_eq!(decode(&mut decoder, &use_it), Err(DecodeError::Slot { slot: 4095 }));
}

fn limits() -> DecodeLimits {
    DecodeLimits::default()
}
