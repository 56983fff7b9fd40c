//! Batches of tile operations for one canvas: the first two bytes choose its size, the rest are
//! packets, each a batch. Whatever a batch says, what was written is inside the canvas and named
//! as damage.

use crate::{Seed, packets, video};
use farpane_codec::video::VideoCodec;
use farpane_codec::{BatchDecoder, BatchEncoder, UnitHeader};
use farpane_frame::{FrameBuf, Move, PixelFormat, Rect, Size, TileGrid};

const SIZE: Size = Size::new(200, 150);

/// Whether all of the input's batches are valid, at least one.
///
/// # Panics
/// When a batch changes pixels that the decoder does not name.
pub fn accepts(input: &[u8]) -> bool {
    let Some(([width, height], batches)) = input.split_first_chunk::<2>() else { return false };
    let size = Size::new(u32::from(*width) + 1, u32::from(*height) + 1);
    let new = || FrameBuf::new(size, PixelFormat::Bgrx).expect("the size is valid");
    let (mut canvas, mut before) = (new(), new());
    let (mut decoder, mut damage) = (BatchDecoder::default(), Vec::new());
    let (mut any, mut all) = (false, true);
    for batch in packets::split(batches) {
        damage.clear();
        any = true;
        all &= decoder.decode(batch, &mut canvas, &mut damage).is_ok();
        for area in &damage {
            assert!(size.rect().contains(*area), "{area:?} leaves {size:?}");
            before.copy_from(&canvas.view(), *area);
        }
        assert_eq!(before.view().data(), canvas.view().data(), "changed outside {damage:?}");
    }
    any && all
}

/// Batches of every operation.
pub fn seeds() -> Vec<Seed> {
    let flat = |_, _| [30, 60, 90, 0];
    let text = |x: u32, y: u32| if (x * 7 + y * 13) % 11 < 3 { [0; 4] } else { [250, 250, 250, 0] };
    let ramp = |x: u32, y: u32| [x as u8, y as u8, (x + y) as u8, 0];
    let noise = |x: u32, y: u32| ((x * 40_503 + y).wrapping_mul(2_654_435_761) >> 3).to_le_bytes();
    let whole = SIZE.rect();
    let inside = Rect::new(70, 70, 20, 9);
    let cut = input(&[batch(&picture(text), inside)]);
    vec![
        ("flat", input(&[batch(&picture(flat), whole)])),
        ("text", input(&[batch(&picture(text), inside)])),
        ("ramp", input(&[batch(&picture(ramp), inside)])),
        ("noise", input(&[batch(&picture(noise), Rect::new(130, 10, 12, 12))])),
        ("copies-and-cache", input(&[batch(&picture(flat), inside), copies_and_cache()])),
        ("video", input(&[unit(0, 0), unit(1, 1)])),
        ("video-held", input(&[unit(0, 0), unit(2, 1), batch(&picture(flat), inside), unit(1, 1)])),
        ("bad-cut", cut[..cut.len() - 5].to_vec()),
        ("bad-slot", input(&[stored_nowhere()])),
    ]
}

fn input(batches: &[Vec<u8>]) -> Vec<u8> {
    let mut input = vec![SIZE.width_px as u8 - 1, SIZE.height_px as u8 - 1];
    batches.iter().for_each(|batch| packets::push(&mut input, batch));
    input
}

fn picture(pixel: impl Fn(u32, u32) -> [u8; 4]) -> FrameBuf {
    let mut picture = FrameBuf::new(SIZE, PixelFormat::Bgrx).expect("the size is valid");
    for y in 0..SIZE.height_px {
        for x in 0..SIZE.width_px {
            picture.span_mut(x, y, 1).copy_from_slice(&pixel(x, y));
        }
    }
    picture
}

fn batch(picture: &FrameBuf, area: Rect) -> Vec<u8> {
    finished(|encoder, grid| {
        for (_, part) in grid.split(area) {
            encoder.pixels(&picture.view(), part);
        }
    })
}

fn copies_and_cache() -> Vec<u8> {
    finished(|encoder, grid| {
        encoder.copy(Move { dst: Rect::new(3, 4, 50, 60), src_x: 60, src_y: 65 });
        encoder.copy(Move { dst: Rect::new(100, 40, 90, 20), src_x: 3, src_y: 9 });
        encoder.store(0, 7);
        encoder.cached(7, 1, grid.rect(1));
        encoder.cached(7, 5, Rect::new(130, 70, 10, 8));
    })
}

/// A unit of a film, which refers to the one `needs` before it.
fn unit(index: usize, needs: u32) -> Vec<u8> {
    let (codec, area) = (VideoCodec::H264, video::area(40, 30));
    let header = UnitHeader { stream: 1, codec, index: index as u32, needs, area };
    finished(|encoder, grid| {
        encoder.unit(&header, &video::units()[index]);
        grid.split(area).for_each(|(tile, part)| encoder.video(tile, part));
    })
}

fn stored_nowhere() -> Vec<u8> {
    finished(|encoder, grid| encoder.cached(9, 1, grid.rect(1)))
}

fn finished(add: impl Fn(&mut BatchEncoder, TileGrid)) -> Vec<u8> {
    let (mut encoder, grid) = (BatchEncoder::new(), TileGrid::new(SIZE));
    encoder.begin(grid);
    add(&mut encoder, grid);
    let mut batch = Vec::new();
    encoder.finish(&mut batch);
    batch
}
