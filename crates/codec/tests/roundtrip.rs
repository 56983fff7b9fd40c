//! What goes in comes out, pixel by pixel.
#![cfg(feature = "encoder")]

mod common;

use common::{Random, STYLES, canvas, paint, picture, random_area};
use farpane_codec::{BatchDecoder, BatchEncoder, BatchStats, DecodeLimits};
use farpane_frame::{FrameBuf, FrameRef, Move, PixelFormat, Rect, Size, TileGrid};
use proptest::prelude::*;

fn encode(encoder: &mut BatchEncoder, frame: &FrameRef<'_>, area: Rect) -> (Vec<u8>, BatchStats) {
    let grid = TileGrid::new(frame.size());
    encoder.begin(grid);
    for (_, part) in grid.split(area) {
        encoder.pixels(frame, part);
    }
    let mut batch = Vec::new();
    let stats = encoder.finish(&mut batch);
    assert_eq!(stats.coded_bytes, batch.len() as u64);
    assert_eq!(stats.raw_bytes, area.area_px() * 4);
    (batch, stats)
}

fn decode(batch: &[u8], onto: &mut FrameBuf) -> Vec<Rect> {
    let mut damage = Vec::new();
    BatchDecoder::new(DecodeLimits::default()).decode(batch, onto, &mut damage).unwrap();
    damage
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_area_of_any_picture_is_exact(seed: u64, width in 1u32..300, height in 1u32..200) {
        let (size, mut random) = (Size::new(width, height), Random(seed));
        let frame = picture(size, &mut random);
        let before = picture(size, &mut random);
        let area = random_area(size, &mut random);
        let (batch, _) = encode(&mut BatchEncoder::new(), &frame.view(), area);
        let mut onto = before.clone();
        let damage = decode(&batch, &mut onto);
        prop_assert_eq!(damage.iter().map(|r| r.area_px()).sum::<u64>(), area.area_px());
        let mut expected = before;
        expected.copy_from(&frame.view(), area);
        prop_assert_eq!(onto.view().first_difference(&expected.view()), None);
    }

    #[test]
    fn operations_act_in_order(seed: u64, width in 65u32..400, height in 65u32..300) {
        let (size, mut random) = (Size::new(width, height), Random(seed));
        let grid = TileGrid::new(size);
        let (mut encoder, mut decoder) = (BatchEncoder::new(), BatchDecoder::default());
        let mut model = Model::new(size);
        let mut helper = canvas(size);
        for _ in 0..4 {
            encoder.begin(grid);
            model.random_batch(&mut encoder, &mut random);
            let mut batch = Vec::new();
            encoder.finish(&mut batch);
            decoder.decode(&batch, &mut helper, &mut Vec::new()).unwrap();
            prop_assert_eq!(helper.view().first_difference(&model.canvas.view()), None);
        }
    }
}

/// The meaning of the operations, written as plainly as possible.
struct Model {
    canvas: FrameBuf,
    slots: Vec<Option<(FrameBuf, Rect)>>,
}

impl Model {
    fn new(size: Size) -> Self {
        Self { canvas: canvas(size), slots: vec![None; 8] }
    }

    fn random_batch(&mut self, encoder: &mut BatchEncoder, random: &mut Random) {
        let grid = TileGrid::new(self.canvas.size());
        let copies_at = random.below(10);
        // A batch names each tile twice at most; ten operations on few tiles would pass that.
        for i in 0..10.min(2 * grid.tiles()) {
            if i == copies_at {
                self.copies(encoder, random);
            }
            let tile = random.below(grid.tiles());
            let slot = random.below(8) as usize;
            let bounds = grid.rect(tile);
            match random.below(4) {
                0 => {
                    encoder.store(tile, slot as u16);
                    self.slots[slot] = Some((self.canvas.clone(), bounds));
                }
                1 => self.cached(encoder, slot, tile, bounds),
                _ => {
                    let frame = picture(self.canvas.size(), random);
                    let area = random_area(self.canvas.size(), random).intersect(bounds);
                    let area = if area.is_empty() { bounds } else { area };
                    encoder.pixels(&frame.view(), area);
                    self.canvas.copy_from(&frame.view(), area);
                }
            }
        }
    }

    fn cached(&mut self, encoder: &mut BatchEncoder, slot: usize, tile: u32, bounds: Rect) {
        let Some((stored, from)) = &self.slots[slot] else { return };
        let (width, height) = (from.width.min(bounds.width), from.height.min(bounds.height));
        let area = Rect { width, height, ..bounds };
        encoder.cached(slot as u16, tile, area);
        for y in 0..height {
            let row = stored.view().span(from.x, from.y + y, width).to_vec();
            self.canvas.span_mut(area.x, area.y + y, width).copy_from_slice(&row);
        }
    }

    /// Up to three moves side by side: sources anywhere, destinations apart.
    fn copies(&mut self, encoder: &mut BatchEncoder, random: &mut Random) {
        let (size, before) = (self.canvas.size(), self.canvas.clone());
        let width = size.width_px / 3;
        for i in 0..random.below(4) {
            let dst = Rect::new(i * width, random.below(40), 1 + random.below(width), 20);
            let dst = dst.intersect(Rect::new(i * width, 0, width, size.height_px));
            let src_x = random.below(size.width_px - dst.width + 1);
            let src_y = random.below(size.height_px - dst.height + 1);
            encoder.copy(Move { dst, src_x, src_y });
            for y in 0..dst.height {
                let row = before.view().span(src_x, src_y + y, dst.width).to_vec();
                self.canvas.span_mut(dst.x, dst.y + y, dst.width).copy_from_slice(&row);
            }
        }
    }
}

#[test]
fn the_choice_follows_the_content() {
    let size = Size::new(64, 64);
    for (style, solid, palette, predicted) in [(0, 1, 0, 0), (1, 0, 1, 0), (5, 0, 0, 1)] {
        let mut frame = canvas(size);
        paint(&mut frame, size.rect(), style, &mut Random(3));
        let (_, stats) = encode(&mut BatchEncoder::new(), &frame.view(), size.rect());
        assert_eq!((stats.solid, stats.palette, stats.predicted), (solid, palette, predicted));
    }
}

#[test]
fn all_byte_orders_give_the_same_batch() {
    let size = Size::new(100, 70);
    let frame = picture(size, &mut Random(11));
    let mut swapped = FrameBuf::new(size, PixelFormat::Rgba).unwrap();
    for y in 0..70 {
        for x in 0..100 {
            let [r, g, b] = frame.view().rgb(x, y);
            swapped.span_mut(x, y, 1).copy_from_slice(&[r, g, b, 200]);
        }
    }
    let mut encoder = BatchEncoder::new();
    let (a, _) = encode(&mut encoder, &frame.view(), size.rect());
    let (b, _) = encode(&mut encoder, &swapped.view(), size.rect());
    assert_eq!(a, b);
}

#[test]
fn small_changes_are_small() {
    let size = Size::new(1920, 1080);
    let mut frame = canvas(size);
    frame.fill(Rect::new(1820, 960, 64, 64), [200, 30, 90, 0]);
    let grid = TileGrid::new(size);
    let (square, _) = encode(&mut BatchEncoder::new(), &frame.view(), grid.rect(450));
    assert!(square.len() <= 16, "a square of one colour takes {} bytes", square.len());
    let glyph = Rect::new(700, 330, 9, 18);
    paint(&mut frame, glyph, 1, &mut Random(1));
    let (glyph, _) = encode(&mut BatchEncoder::new(), &frame.view(), glyph);
    assert!(glyph.len() <= 150, "a character takes {} bytes", glyph.len());
}

#[test]
fn noise_costs_no_more_than_its_colours() {
    let size = Size::new(512, 512);
    let mut frame = canvas(size);
    for style in 0..STYLES {
        paint(&mut frame, size.rect(), style, &mut Random(5));
        let (batch, _) = encode(&mut BatchEncoder::new(), &frame.view(), size.rect());
        assert!(batch.len() < 512 * 512 * 3 + 1024, "style {style}: {} bytes", batch.len());
    }
}

#[test]
fn an_encoder_fills_up_before_decoders_refuse() {
    let size = Size::new(1024, 1024);
    let mut frame = canvas(size);
    paint(&mut frame, size.rect(), 5, &mut Random(9));
    let (grid, mut encoder) = (TileGrid::new(size), BatchEncoder::new());
    encoder.begin(grid);
    assert!(encoder.is_empty());
    let mut tiles = 0;
    while !encoder.is_full() {
        encoder.pixels(&frame.view(), grid.rect(tiles));
        tiles += 1;
    }
    assert!(!encoder.is_empty());
    assert!(tiles >= 64, "only {tiles} tiles in a batch");
    let mut batch = Vec::new();
    encoder.finish(&mut batch);
    assert_eq!(decode(&batch, &mut canvas(size)).len(), tiles as usize);
}
