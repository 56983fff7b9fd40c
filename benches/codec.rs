//! Encoding and decoding by operation, a typed line and a whole screen, on one core.
//!
//! `cargo bench -p farpane-benches --bench codec` prints a table with the figures of the design,
//! then criterion's. `-- --test` runs everything once.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, Size, TILE_PX, TileGrid};

const SCREEN: Size = Size::new(1920, 1080);
/// Tiles in a batch: 64 KiB of pixels and more, so that zstd has something to find.
const BATCH_TILES: usize = 16;
/// Runs of a case in the table; the fastest counts, as others share the machine.
const RUNS: usize = 15;

/// A small generator (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
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
fn text(frame: &mut FrameBuf, area: Rect, ground: [u8; 3], ink: [u8; 3], random: &mut Random) {
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

/// A desktop: plain ground, an editor, a page with coloured text, and a photograph of 640x360.
fn desktop() -> FrameBuf {
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

/// Encodes areas in batches of [`BATCH_TILES`].
fn encode(encoder: &mut BatchEncoder, frame: &FrameRef<'_>, areas: &[Rect]) -> Vec<Vec<u8>> {
    let grid = TileGrid::new(frame.size());
    let batch = |areas: &[Rect]| {
        encoder.begin(grid);
        areas.iter().for_each(|area| encoder.pixels(frame, *area));
        let mut out = Vec::new();
        encoder.finish(&mut out);
        out
    };
    areas.chunks(BATCH_TILES).map(batch).collect()
}

fn decode(decoder: &mut BatchDecoder, batches: &[Vec<u8>], canvas: &mut FrameBuf) {
    let mut damage = Vec::new();
    for batch in batches {
        decoder.decode(batch, canvas, &mut damage).unwrap();
    }
    black_box(damage);
}

struct Case {
    name: &'static str,
    frame: FrameBuf,
    areas: Vec<Rect>,
    /// Milliseconds to encode, kilobytes, milliseconds to decode, as designed for two cores.
    goal: [Option<f64>; 3],
}

fn cases() -> Vec<Case> {
    let (screen, grid) = (desktop(), TileGrid::new(SCREEN));
    let tiles = |index: &[u32]| index.iter().map(|i| grid.rect(*i)).collect::<Vec<_>>();
    let case = |name, areas, goal| Case { name, frame: screen.clone(), areas, goal };
    let photo = grid.tile_at(1300, 700);
    let line: Vec<_> = grid.split(Rect::new(64, 384, 8 * TILE_PX, TILE_PX)).map(|s| s.1).collect();
    vec![
        case("solid tile", tiles(&[grid.tile_at(1160, 600)]), [None; 3]),
        case("text tile", tiles(&[grid.tile_at(200, 200)]), [None; 3]),
        case("photo tile", tiles(&[photo]), [None; 3]),
        case("one character", vec![Rect::new(75, 404, 9, 16)], [None; 3]),
        case("typing, 8 tiles", line, [Some(0.5), Some(2.0), Some(0.3)]),
        case(
            "whole screen",
            grid.split(SCREEN.rect()).map(|s| s.1).collect(),
            [Some(8.0), Some(450.0), Some(5.0)],
        ),
    ]
}

fn fastest(mut run: impl FnMut()) -> f64 {
    let once = || {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    let fastest = std::iter::repeat_with(once).take(RUNS).min();
    fastest.unwrap_or(Duration::ZERO).as_secs_f64() * 1e3
}

fn table(cases: &[Case]) {
    println!(
        "{:16} {:>18} {:>18} {:>18}",
        "one core", "encode ms (goal)", "kB (goal)", "decode ms (goal)"
    );
    for case in cases {
        let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
        let frame = case.frame.view();
        let batches = encode(&mut encoder, &frame, &case.areas);
        let mut canvas = FrameBuf::new(SCREEN, PixelFormat::Bgrx).unwrap();
        let encode_ms = fastest(|| drop(black_box(encode(&mut encoder, &frame, &case.areas))));
        let decode_ms = fastest(|| decode(&mut decoder, &batches, &mut canvas));
        let bytes: usize = batches.iter().map(Vec::len).sum();
        let figures = [encode_ms, bytes as f64 / 1e3, decode_ms];
        let cells = figures.iter().zip(case.goal).map(|(figure, goal)| {
            let goal = goal.map_or(String::new(), |g| format!(" ({g})"));
            format!("{:>18}", format!("{figure:.3}{goal}"))
        });
        println!("{:16} {}", case.name, cells.collect::<Vec<_>>().join(" "));
        let exact = |area: &Rect| {
            (area.y..area.bottom())
                .all(|y| (area.x..area.right()).all(|x| canvas.view().rgb(x, y) == frame.rgb(x, y)))
        };
        assert!(case.areas.iter().all(exact), "{} is not exact", case.name);
    }
}

/// Batches whose work is on the helper's side: a scroll, and a screen out of the cache.
fn helper_batches() -> [(&'static str, Vec<u8>, Vec<u8>); 2] {
    let (grid, mut encoder) = (TileGrid::new(SCREEN), BatchEncoder::new());
    let mut batch = |run: &dyn Fn(&mut BatchEncoder)| {
        encoder.begin(grid);
        run(&mut encoder);
        let mut out = Vec::new();
        encoder.finish(&mut out);
        out
    };
    let scroll = Move { dst: Rect::new(160, 60, 1600, 800), src_x: 160, src_y: 160 };
    let (nothing, copy) = (batch(&|_| {}), batch(&|e| e.copy(scroll)));
    let store = batch(&|e| (0..grid.tiles()).for_each(|t| e.store(t, t as u16)));
    let cached = batch(&|e| (0..grid.tiles()).for_each(|t| e.cached(t as u16, t, grid.rect(t))));
    [("copy 1600x800", nothing, copy), ("cached, whole screen", store, cached)]
}

fn bench(c: &mut Criterion) {
    let cases = cases();
    table(&cases);
    for case in &cases {
        let pixels = case.areas.iter().map(|a| a.area_px()).sum::<u64>();
        let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
        let batches = encode(&mut encoder, &case.frame.view(), &case.areas);
        let mut canvas = FrameBuf::new(SCREEN, PixelFormat::Bgrx).unwrap();
        let mut group = c.benchmark_group(format!("codec/{}", case.name));
        group.sample_size(20).warm_up_time(Duration::from_millis(300));
        group.measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(pixels));
        group.bench_function("encode", |b| {
            b.iter(|| encode(&mut encoder, &case.frame.view(), &case.areas));
        });
        group.bench_function("decode", |b| b.iter(|| decode(&mut decoder, &batches, &mut canvas)));
        group.finish();
    }
    let mut group = c.benchmark_group("codec/helper");
    group.sample_size(20).warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for (name, before, batch) in helper_batches() {
        let (mut decoder, mut canvas) = (BatchDecoder::default(), desktop());
        decoder.decode(&before, &mut canvas, &mut Vec::new()).unwrap();
        let batches = [batch];
        group.bench_function(name, |b| b.iter(|| decode(&mut decoder, &batches, &mut canvas)));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
