//! Recorded desktops. The first byte chooses: 0, the rest is a file; 1, the rest is records, which
//! this module compresses, since no fuzzer would guess a compressed stream.

use crate::Seed;
use farpane_capture::{CursorShape, CursorUpdate, TraceReader, TraceRecord, TraceWriter};
use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};
use std::sync::Arc;

const FILE: u8 = 0;
const RECORDS: u8 = 1;
/// Magic and version, before the compressed records.
const HEADER_BYTES: usize = 10;
/// Larger pictures take the same ways and so long that few could be tried.
const MAX_PX: u64 = 1 << 18;
const SIZE: Size = Size::new(24, 16);

/// Whether the input is a trace, from its header to its end.
pub fn accepts(input: &[u8]) -> bool {
    match input.split_first() {
        Some((&FILE, file)) => reads(file),
        Some((&RECORDS, records)) => reads(&compressed(records)),
        _ => false,
    }
}

fn reads(file: &[u8]) -> bool {
    let Ok(mut reader) = TraceReader::new(file) else { return false };
    let mut picture = new_picture(Size::new(1, 1));
    let (mut size, mut last_us) = (None, 0);
    loop {
        let Ok(record) = reader.read(&mut picture) else { return false };
        let Some((time_us, record)) = record else { return true };
        assert!(time_us >= last_us, "time goes back");
        last_us = time_us;
        match record {
            TraceRecord::Size(new) if new.area_px() > MAX_PX => return false,
            TraceRecord::Size(new) => {
                picture.reshape(new, PixelFormat::Bgrx).expect("a size that was checked");
                size = Some(new);
            }
            TraceRecord::Frame(region) => {
                let size = size.expect("no frame comes before a size");
                let inside = |rect: &Rect| size.rect().contains(*rect);
                assert!(region.rects().iter().all(inside), "{region:?} leaves {size:?}");
            }
            TraceRecord::Cursor(CursorUpdate { shape: Some(shape), .. }) => {
                assert!(shape.width.max(shape.height) <= CursorShape::MAX_PX);
                assert_eq!(shape.bgra.len(), (shape.width * shape.height * 4) as usize);
            }
            _ => {}
        }
    }
}

/// A trace of these records.
fn compressed(records: &[u8]) -> Vec<u8> {
    let empty = TraceWriter::new(Vec::new()).and_then(TraceWriter::finish);
    let mut file = empty.expect("memory can be written");
    file.truncate(HEADER_BYTES);
    file.extend(zstd::encode_all(records, 1).expect("memory can be written"));
    file
}

/// A small desktop with a pointer, as a file and as records.
pub fn seeds() -> Vec<Seed> {
    let file = recorded();
    let records = zstd::decode_all(&file[HEADER_BYTES..]).expect("what was just compressed");
    let mut newer = file.clone();
    newer[HEADER_BYTES - 1] = 0x7f;
    vec![
        ("file", led(FILE, &file)),
        ("records", led(RECORDS, &records)),
        ("bad-file-cut", led(FILE, &file[..file.len() - 6])),
        ("bad-file-newer", led(FILE, &newer)),
        ("bad-records-cut", led(RECORDS, &records[..records.len() - 3])),
        ("bad-records-frame-first", led(RECORDS, &records[9..])),
    ]
}

fn recorded() -> Vec<u8> {
    let mut picture = new_picture(SIZE);
    let changed = Rect::new(10, 5, 9, 4);
    let bgra = vec![200; 4 * 3 * 2];
    let shape = CursorShape { serial: 3, width: 3, height: 2, hot_x: 1, hot_y: 1, bgra };
    let cursor = CursorUpdate { x: -5, y: 40, visible: true, shape: Some(Arc::new(shape)) };
    let mut record = || {
        let mut writer = TraceWriter::new(Vec::new())?;
        writer.write_frame(1_000, 1, &picture.view(), &[])?;
        picture.fill(changed, [1, 2, 3, 0]);
        writer.write_frame(34_000, 1, &picture.view(), &[changed])?;
        writer.write_cursor(35_000, &cursor)?;
        writer.write_cursor(36_000, &CursorUpdate { shape: None, ..cursor.clone() })?;
        writer.finish()
    };
    record().expect("memory can be written")
}

fn new_picture(size: Size) -> FrameBuf {
    FrameBuf::new(size, PixelFormat::Bgrx).expect("a valid size")
}

fn led(kind: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind][..], rest].concat()
}
