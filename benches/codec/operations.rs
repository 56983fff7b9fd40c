//! Encoding and decoding by operation, a typed line and a whole screen, on one core.

use farpane_benches::fastest;
use farpane_benches::scene::{SCREEN, desktop};
use farpane_codec::{BatchDecoder, BatchEncoder};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, TILE_PX, TileGrid};
use std::hint::black_box;

/// Tiles in a batch: 64 KiB of pixels and more, so that zstd has something to find.
pub(crate) const BATCH_TILES: usize = 16;

/// Encodes areas in batches of [`BATCH_TILES`].
pub(crate) fn encode(
    encoder: &mut BatchEncoder,
    frame: &FrameRef<'_>,
    areas: &[Rect],
) -> Vec<Vec<u8>> {
    areas.chunks(BATCH_TILES).map(|areas| encode_batch(encoder, frame, areas)).collect()
}

/// Encodes areas as one batch.
pub(crate) fn encode_batch(
    encoder: &mut BatchEncoder,
    frame: &FrameRef<'_>,
    areas: &[Rect],
) -> Vec<u8> {
    encoder.begin(TileGrid::new(frame.size()));
    areas.iter().for_each(|area| encoder.pixels(frame, *area));
    let mut out = Vec::new();
    encoder.finish(&mut out);
    out
}

/// Applies batches to the helper's canvas.
pub(crate) fn decode(decoder: &mut BatchDecoder, batches: &[Vec<u8>], canvas: &mut FrameBuf) {
    let mut damage = Vec::new();
    for batch in batches {
        decoder.decode(batch, canvas, &mut damage).unwrap();
    }
    black_box(damage);
}

/// Parts of the made-up desktop.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) frame: FrameBuf,
    pub(crate) areas: Vec<Rect>,
    /// Milliseconds to encode, kilobytes, milliseconds to decode, as designed for two cores.
    goal: [Option<f64>; 3],
}

/// A tile of each kind, a typed line, and the whole.
pub(crate) fn cases() -> Vec<Case> {
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

/// Prints a row for each case.
pub(crate) fn table(cases: &[Case]) {
    println!(
        "{:16} {:>18} {:>18} {:>18}",
        "one core", "encode ms (goal)", "kB (goal)", "decode ms (goal)"
    );
    for case in cases {
        let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
        let frame = case.frame.view();
        let batches = encode(&mut encoder, &frame, &case.areas);
        let mut canvas = FrameBuf::new(SCREEN, PixelFormat::Bgrx).unwrap();
        let encoded = fastest(|| drop(black_box(encode(&mut encoder, &frame, &case.areas))));
        let decoded = fastest(|| decode(&mut decoder, &batches, &mut canvas));
        let bytes: usize = batches.iter().map(Vec::len).sum();
        let [encoded, decoded] = [encoded, decoded].map(|took| took.as_secs_f64() * 1e3);
        let figures = [encoded, bytes as f64 / 1e3, decoded];
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
pub(crate) fn helper_batches() -> [(&'static str, Vec<u8>, Vec<u8>); 2] {
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
