//! What a rectangle costs the encoder beyond its pixels: what [`MergeParams::rect_cost_px`] is.

use crate::scene::{photo, text};
use farpane_benches::fastest;
use farpane_codec::BatchEncoder;
use farpane_damage::MergeParams;
use farpane_frame::{FrameBuf, Rect, Size, TILE_PX, TileGrid};
use std::hint::black_box;

/// Tiles of a batch.
const TILES: u32 = 16;
const SIZE: Size = Size::new(TILES * TILE_PX, TILE_PX);

/// Prints what a cut through a rectangle costs, in pixels that could be encoded instead.
pub(crate) fn table() {
    let default = MergeParams::default().rect_cost_px;
    println!("\na rectangle beyond its pixels (merged below {default} px)");
    for (name, frame) in [("text", text(SIZE, 3)), ("photograph", photo(SIZE, 8))] {
        let [whole, cut] = [1, 4].map(|parts| encode(&frame, parts));
        let [by_time, by_bytes] = [cut.0 / whole.0, cut.1 / whole.1].map(|ratio| {
            let more = ratio - 1.0;
            more * SIZE.area_px() as f64 / f64::from(3 * TILES)
        });
        println!("  {name:<12} {by_time:>6.0} px of time {by_bytes:>6.0} px of bytes");
    }
}

/// Seconds and bytes for each tile in `parts` rectangles, one below the other.
fn encode(frame: &FrameBuf, parts: u32) -> (f64, f64) {
    let (mut encoder, mut batch) = (BatchEncoder::new(), Vec::new());
    let height = TILE_PX / parts;
    let took = fastest(|| {
        batch.clear();
        encoder.begin(TileGrid::new(SIZE));
        for x in (0..SIZE.width_px).step_by(TILE_PX as usize) {
            for y in (0..TILE_PX).step_by(height as usize) {
                encoder.pixels(&frame.view(), Rect::new(x, y, TILE_PX, height));
            }
        }
        encoder.finish(black_box(&mut batch));
    });
    (took.as_secs_f64(), batch.len() as f64)
}
