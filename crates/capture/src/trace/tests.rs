use super::*;
use crate::{CursorShape, CursorUpdate};
use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};
use std::io::Write as _;
use std::sync::Arc;

/// A small generator of numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn rect(&mut self, size: Size) -> Rect {
        let (x, y) = (self.below(size.width_px.into()), self.below(size.height_px.into()));
        Rect::new(x as u32, y as u32, 1 + self.below(40) as u32, 1 + self.below(40) as u32)
    }
}

fn pointer(serial: u64) -> CursorUpdate {
    let bgra = (0..16 * 24 * 4).map(|i| (i as u64 * serial) as u8).collect();
    let shape = CursorShape { serial, width: 16, height: 24, hot_x: 1, hot_y: 2, bgra };
    CursorUpdate { x: -3, y: 70_000, visible: true, shape: Some(Arc::new(shape)) }
}

/// A trace of 60 states and some pointers, and the pictures and pointers in it.
fn recorded() -> (Vec<u8>, Vec<FrameBuf>, Vec<CursorUpdate>) {
    let mut random = Random(7);
    let mut writer = TraceWriter::new(Vec::new()).unwrap();
    let (mut pictures, mut pointers) = (Vec::new(), Vec::new());
    let mut picture = FrameBuf::new(Size::new(160, 90), PixelFormat::Bgrx).unwrap();
    for i in 0..60u32 {
        if i == 30 {
            picture = FrameBuf::new(Size::new(90, 200), PixelFormat::Bgrx).unwrap();
        }
        let changed: Vec<_> = (0..1 + random.below(5))
            .map(|_| {
                let rect = random.rect(picture.size());
                let colour = random.below(1 << 24) as u32;
                picture.fill(rect, (colour | 0xab00_0000).to_le_bytes());
                rect
            })
            .collect();
        let (time_us, generation) = (1_000_000 + u64::from(i) * 1_000, i / 30);
        writer.write_frame(time_us, generation, &picture.view(), &changed).unwrap();
        pictures.push(picture.clone());
        if i % 10 == 0 {
            pointers.push(pointer(i.into()));
            writer.write_cursor(time_us + 500, &pointers[pointers.len() - 1]).unwrap();
        }
    }
    (writer.finish().unwrap(), pictures, pointers)
}

/// Reads to the end or the first error. Returns the records read.
fn read_all(bytes: &[u8]) -> (u64, Option<TraceError>) {
    let mut picture = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).unwrap();
    let mut reader = match TraceReader::new(bytes) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error)),
    };
    for records in 0.. {
        match reader.read(&mut picture) {
            Ok(Some(_)) if records < 10_000 => {}
            Ok(_) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
    unreachable!()
}

#[test]
fn what_was_recorded_is_read_again() {
    let (bytes, pictures, pointers) = recorded();
    let mut reader = TraceReader::new(bytes.as_slice()).unwrap();
    let mut picture = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).unwrap();
    let (mut pictures, mut pointers) = (pictures.into_iter(), pointers.into_iter());
    let (mut sizes, mut last_us) = (0, 0);
    while let Some((time_us, record)) = reader.read(&mut picture).unwrap() {
        match record {
            TraceRecord::Size(size) => {
                sizes += 1;
                picture = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
            }
            TraceRecord::Frame(_) => {
                let wanted = pictures.next().unwrap();
                assert!(picture.view().same_rgb(&wanted.view()), "at {time_us} us");
            }
            TraceRecord::Cursor(update) => assert_eq!(Some(update), pointers.next()),
        }
        last_us = time_us;
    }
    assert_eq!((sizes, last_us), (2, 59_000));
    assert!(pictures.next().is_none() && pointers.next().is_none());
}

#[test]
fn a_repeated_screen_costs_next_to_nothing() {
    let size = Size::new(640, 480);
    let mut screens = [(); 2].map(|()| FrameBuf::new(size, PixelFormat::Bgrx).unwrap());
    let mut random = Random(3);
    for screen in &mut screens {
        screen.data_mut().iter_mut().for_each(|b| *b = random.below(256) as u8);
    }
    let written = |times: usize| {
        let mut writer = TraceWriter::new(Vec::new()).unwrap();
        for i in 0..times {
            let picture = screens[i % 2].view();
            writer.write_frame(i as u64, 0, &picture, &[size.rect()]).unwrap();
        }
        writer.finish().unwrap().len()
    };
    let (once, often) = (written(2), written(20));
    assert!(often - once < once / 50, "{once} bytes, then {often}");
}

#[test]
fn files_that_are_no_traces_say_what_they_are() {
    assert!(matches!(read_all(b"").1, Some(TraceError::Io(_))));
    assert!(matches!(read_all(b"\x89PNG\r\n\x1a\n...").1, Some(TraceError::Magic(_))));
    let newer = [MAGIC.as_slice(), &9u16.to_le_bytes()].concat();
    let error = read_all(&newer).1;
    assert!(matches!(error, Some(TraceError::Version { found: 9, known: 1 })), "{error:?}");
}

#[test]
fn every_cut_is_noticed() {
    let (bytes, ..) = recorded();
    for length in (0..bytes.len()).step_by(7) {
        assert!(read_all(&bytes[..length]).1.is_some(), "cut to {length} of {}", bytes.len());
    }
}

/// Around the records, whose compression would hide most mutations of the file.
fn file_of(records: &[u8]) -> Vec<u8> {
    let mut bytes = [MAGIC.as_slice(), &VERSION.to_le_bytes()].concat();
    let mut encoder = zstd::stream::write::Encoder::new(&mut bytes, 1).unwrap();
    encoder.write_all(records).unwrap();
    encoder.finish().unwrap();
    bytes
}

/// Tried: 20,000 files with 1 to 8 bytes flipped, zeroed, inserted or removed in the compressed
/// file, and 20,000 with the same done to the records before they are compressed. Each must be
/// read to its end or refused, in bounded memory and without a panic.
#[test]
fn forty_thousand_mutations_are_read_or_refused() {
    let (bytes, ..) = recorded();
    let records = zstd::stream::decode_all(&bytes[10..]).unwrap();
    let mut random = Random(11);
    let mut refused = 0;
    for round in 0..40_000 {
        let plain = round % 2 == 0;
        let mut mutant = if plain { records[..3000].to_vec() } else { bytes.clone() };
        for _ in 0..1 + random.below(8) {
            // Half of them near the start, where headers are.
            let reach = if random.below(2) == 0 { 64 } else { mutant.len() as u64 };
            let at = random.below(reach) as usize;
            match random.below(4) {
                0 => mutant[at] ^= 1 << random.below(8),
                1 => mutant[at] = if random.below(2) == 0 { 0 } else { 0xff },
                2 => mutant.insert(at, random.below(256) as u8),
                _ => drop(mutant.remove(at)),
            }
        }
        let file = if plain { file_of(&mutant) } else { mutant };
        refused += u32::from(read_all(&file).1.is_some());
    }
    assert!(refused > 30_000, "{refused} refused");
}

#[test]
fn impossible_records_are_refused_by_name() {
    let refused = |records: &[u8]| read_all(&file_of(records)).1.unwrap().to_string();
    let size = |w: u16, h: u16| {
        [&[KIND_SIZE, 0, 0, 0, 0][..], &w.to_le_bytes(), &h.to_le_bytes()].concat()
    };
    let frame = |count: u16, sides: [u16; 4]| {
        let sides: Vec<_> = sides.iter().flat_map(|s| s.to_le_bytes()).collect();
        [&[KIND_FRAME, 0, 0, 0, 0][..], &count.to_le_bytes(), &sides].concat()
    };
    assert!(refused(&size(0, 5)).contains("0x5"));
    assert!(refused(&size(16_000, 16_000)).contains("out of range"));
    assert!(refused(&frame(1, [0, 0, 1, 1])).contains("before any size"));
    let outside = [size(10, 10), frame(1, [5, 5, 6, 1])].concat();
    assert!(refused(&outside).contains("not inside"));
    let many = [size(10, 10), frame(999, [0; 4])].concat();
    assert!(refused(&many).contains("number of rectangles"));
    let sides = [0u16, 0, 10, 10].map(u16::to_le_bytes).concat();
    let twice = [size(10, 10), frame(2, [0, 0, 10, 10]), sides].concat();
    assert!(refused(&twice).contains("more than the picture"));
    assert!(refused(&[99, 0, 0, 0, 0]).contains("kind"));
}
