//! Streams of video through batches: what is shown, what waits for a keyframe, what is refused.
#![cfg(feature = "encoder")]

mod common;

use common::{Random, canvas, paint};
use farpane_codec::video::{Chroma, Planes, VideoCodec, VideoDecoder, VideoError};
use farpane_codec::{BatchDecoder, BatchEncoder, DecodeError, MAX_UNIT_BYTES, UnitHeader};
use farpane_frame::{FrameBuf, Move, Rect, Size, TileGrid};

const SIZE: Size = Size::new(320, 200);
const REGION: Rect = Rect::new(48, 32, 160, 96);
const FIRST: UnitHeader =
    UnitHeader { stream: 1, codec: VideoCodec::H264, index: 0, needs: 0, area: REGION };

/// Shows each unit as a picture whose luma is its first byte; 0 is a unit that it cannot decode.
struct Scripted {
    luma: Vec<u8>,
    differences: Vec<u8>,
    size: Size,
}

impl VideoDecoder for Scripted {
    fn decode(&mut self, unit: &[u8]) -> Result<Option<Planes<'_>>, VideoError> {
        if unit[0] == 0 {
            return Err(VideoError::Failed { what: "the script", reason: "a zero".into() });
        }
        self.luma.fill(unit[0]);
        let data = [&self.luma[..], &self.differences, &self.differences];
        let width = self.size.width_px as usize;
        let strides = [width, width / 2, width / 2];
        Ok(Some(Planes { size: self.size, chroma: Chroma::Quarter, data, strides }))
    }
}

fn decoder() -> BatchDecoder {
    let mut decoder = BatchDecoder::default();
    decoder.set_open_decoder(Box::new(|codec, size| {
        if codec != VideoCodec::H264 {
            let reason = "not in the script".into();
            return Err(VideoError::Unavailable { what: "decoder", reason });
        }
        let px = size.area_px() as usize;
        Ok(Box::new(Scripted { luma: vec![0; px], differences: vec![128; px / 4], size }))
    }));
    decoder
}

fn batch(fill: impl FnOnce(&mut BatchEncoder)) -> Vec<u8> {
    let (mut encoder, mut out) = (BatchEncoder::new(), Vec::new());
    encoder.begin(TileGrid::new(SIZE));
    fill(&mut encoder);
    encoder.finish(&mut out);
    out
}

/// A unit that shows `luma` in all of the region.
fn unit(header: &UnitHeader, luma: u8) -> Vec<u8> {
    batch(|encoder| {
        encoder.unit(header, &[luma, 9]);
        for (tile, part) in TileGrid::new(SIZE).split(header.area) {
            encoder.video(tile, part);
        }
    })
}

fn shown(canvas: &FrameBuf) -> u8 {
    canvas.view().rgb(REGION.x, REGION.y)[0]
}

#[test]
fn the_areas_that_are_named_are_shown_and_nothing_else() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    paint(&mut helper, SIZE.rect(), 1, &mut Random(1));
    let before = helper.clone();
    let part = Rect::new(67, 65, 30, 21);
    let data = batch(|encoder| {
        encoder.unit(&FIRST, &[235]);
        encoder.video(TileGrid::new(SIZE).tile_at(part.x, part.y), part);
    });
    let mut damage = Vec::new();
    decoder.decode(&data, &mut helper, &mut damage).unwrap();
    assert_eq!(damage, [part]);
    for (x, y) in (0..SIZE.height_px).flat_map(|y| (0..SIZE.width_px).map(move |x| (x, y))) {
        let inside = part.contains(Rect::new(x, y, 1, 1));
        let expected = if inside { [255; 3] } else { before.view().rgb(x, y) };
        assert_eq!(helper.view().rgb(x, y), expected, "{x} {y}");
    }
}

#[test]
fn units_whose_reference_is_missing_change_nothing_until_the_next_keyframe() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    let mut show = |index, needs, luma| {
        let header = UnitHeader { index, needs, ..FIRST };
        decoder.decode(&unit(&header, luma), &mut helper, &mut Vec::new()).unwrap();
        shown(&helper)
    };
    assert_eq!(show(0, 1, 100), 0, "nothing came before");
    let keyframe = show(1, 0, 100);
    assert!(keyframe > 90);
    let next = show(2, 1, 150);
    assert!(next > keyframe);
    assert_eq!(show(4, 1, 200), next, "3 is missing");
    let recovered = show(5, 3, 200);
    assert!(recovered > next, "refers to 2");
    assert_eq!(show(9, 0, 100), keyframe);
}

#[test]
fn held_units_are_shown_when_the_missing_one_comes_but_not_over_what_was_written_since() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    let mut take = |data: Vec<u8>| {
        let mut damage = Vec::new();
        decoder.decode(&data, &mut helper, &mut damage).unwrap();
        (helper.view().rgb(100, 100)[0], helper.view().rgb(60, 40)[0], damage.len())
    };
    let header = |index, needs| UnitHeader { index, needs, ..FIRST };
    let first = take(unit(&FIRST, 60)).0;
    assert_eq!(take(unit(&header(2, 1), 120)), (first, first, 0));
    assert_eq!(take(unit(&header(3, 1), 180)), (first, first, 0));
    let tile = TileGrid::new(SIZE).tile_at(60, 40);
    let ink = TileGrid::new(SIZE).rect(tile).intersect(REGION);
    let mut written = canvas(SIZE);
    written.fill(ink, [7, 7, 7, 0]);
    take(batch(|encoder| encoder.pixels(&written.view(), ink)));
    let (shown, kept, areas) = take(unit(&header(1, 1), 90));
    let tiles = TileGrid::new(SIZE).split(REGION).count();
    let (late, ..) = take(unit(&header(4, 1), 180));
    assert_eq!(shown, late, "from the newest picture");
    assert_eq!(areas, 3 * tiles - 2, "all but the written tile of the two that were held");
    assert!(kept != 7, "its own batch came after");
    assert_eq!(take(unit(&header(1, 1), 5)), (late, late, 0), "too late");
}

#[test]
fn a_unit_that_comes_late_keeps_what_was_written_before_it() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    let header = |index, needs| UnitHeader { index, needs, ..FIRST };
    decoder.decode(&unit(&header(1, 1), 60), &mut helper, &mut Vec::new()).unwrap();
    let copy = Move { dst: Rect::new(48, 32, 30, 30), src_x: 0, src_y: 160 };
    let copied = batch(|encoder| encoder.copy(copy));
    decoder.decode(&copied, &mut helper, &mut Vec::new()).unwrap();
    let part = Rect::new(192, 96, 16, 32);
    let key = batch(|encoder| {
        encoder.unit(&FIRST, &[200]);
        encoder.video(TileGrid::new(SIZE).tile_at(part.x, part.y), part);
    });
    decoder.decode(&key, &mut helper, &mut Vec::new()).unwrap();
    assert_eq!(helper.view().rgb(50, 40), [0; 3], "the copy is newer");
    assert!(helper.view().rgb(150, 40)[0] > 40, "shown when the keyframe came");
}

#[test]
fn units_that_wait_in_vain_are_bounded() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    let long = vec![60u8; 100_000];
    for (unit, most) in [(&long[..9], 32), (&long[..], 10)] {
        decoder.clear();
        for index in 1..=most + 1 {
            let header = UnitHeader { index, needs: 1, ..FIRST };
            let data = batch(|encoder| encoder.unit(&header, unit));
            decoder.decode(&data, &mut helper, &mut Vec::new()).unwrap();
            assert_eq!(decoder.poll_failed_stream().is_some(), index > most, "unit {index}");
        }
    }
}

#[test]
fn a_decoder_that_fails_is_told_of_once_and_a_keyframe_begins_anew() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    let mut show = |decoder: &mut BatchDecoder, header: UnitHeader, luma| {
        decoder.decode(&unit(&header, luma), &mut helper, &mut Vec::new()).unwrap();
        shown(&helper)
    };
    let first = show(&mut decoder, FIRST, 100);
    assert_eq!(show(&mut decoder, UnitHeader { index: 1, needs: 1, ..FIRST }, 0), first);
    let (stream, why) = decoder.poll_failed_stream().unwrap();
    assert_eq!((stream, why.to_string()), (1, "the script failed: a zero".to_owned()));
    assert_eq!(decoder.poll_failed_stream(), None);
    assert_eq!(show(&mut decoder, UnitHeader { index: 2, needs: 1, ..FIRST }, 200), first);
    assert_eq!(decoder.poll_failed_stream(), None, "it waits for a keyframe");
    assert!(show(&mut decoder, UnitHeader { index: 3, ..FIRST }, 200) > first);
    let unknown = UnitHeader { codec: VideoCodec::Av1, index: 4, ..FIRST };
    show(&mut decoder, unknown, 100);
    assert_eq!(decoder.poll_failed_stream().unwrap().0, 1);
    decoder.clear();
    assert_eq!(decoder.poll_failed_stream(), None);
}

#[test]
fn each_defect_has_its_error() {
    let refused = |header: UnitHeader| {
        let data = unit(&header, 50);
        decoder().decode(&data, &mut canvas(SIZE), &mut Vec::new()).unwrap_err()
    };
    assert_eq!(
        refused(UnitHeader { stream: 4, ..FIRST }),
        DecodeError::Stream { stream: 4, codec: 1 }
    );
    let odd = Rect::new(48, 32, 161, 96);
    assert_eq!(refused(UnitHeader { area: odd, ..FIRST }), DecodeError::Area(odd));
    let beyond = Rect::new(200, 32, 160, 96);
    let data = batch(|encoder| {
        encoder.unit(&UnitHeader { area: beyond, ..FIRST }, &[1]);
    });
    let decode =
        |data: &[u8]| decoder().decode(data, &mut canvas(SIZE), &mut Vec::new()).unwrap_err();
    assert_eq!(decode(&data), DecodeError::Area(beyond));
    let outside = Rect::new(0, 0, 10, 10);
    let data = batch(|encoder| {
        encoder.unit(&FIRST, &[1]);
        encoder.video(0, outside);
    });
    assert_eq!(decode(&data), DecodeError::Area(outside));
    let long = vec![1; MAX_UNIT_BYTES as usize + 1];
    let data = batch(|encoder| encoder.unit(&FIRST, &long));
    assert_eq!(decode(&data), DecodeError::Unit { bytes: MAX_UNIT_BYTES + 1 });
    let twice = batch(|encoder| {
        encoder.unit(&FIRST, &[1]);
        encoder.unit(&FIRST, &[1]);
    });
    assert_eq!(decode(&twice), DecodeError::Operation { found: 6 });
}

#[test]
fn the_pictures_of_all_streams_are_bounded() {
    let (mut decoder, mut helper) = (decoder(), canvas(SIZE));
    for stream in 0..2 {
        let whole = UnitHeader { stream, area: SIZE.rect(), ..FIRST };
        decoder.decode(&unit(&whole, 50), &mut helper, &mut Vec::new()).unwrap();
    }
    let third = unit(&UnitHeader { stream: 2, ..FIRST }, 50);
    let refused = decoder.decode(&third, &mut helper, &mut Vec::new());
    assert_eq!(refused, Err(DecodeError::Work { limit: 2 * SIZE.area_px() }));
}
