//! Where a log goes on after whatever ended its last writer.

use super::folder::Folder;
use super::{AuditError, names};
use farpane_policy::audit::{
    Anchor, AuditKey, Frame, FrameKind, FrameReader, Hash, MAX_FRAME_BYTES, Piece, Record, Segment,
};
use rustix::fs::OFlags;
use std::io::Read;

/// Largest segment that is read: larger than any that is written.
const MAX_SEGMENT_BYTES: u64 = 64 << 20;

/// The end of a log.
#[derive(Debug)]
pub(super) struct End {
    /// The number of the last whole record; 0 without one.
    pub(super) sequence: u64,
    pub(super) hash: Hash,
    pub(super) time_us: u64,
    /// How much of the last segment is whole.
    pub(super) bytes: u64,
    /// How much follows that is not.
    pub(super) torn_bytes: u64,
}

/// The segments that there are, by their anchors, which must be the log's.
pub(super) fn segments(folder: &Folder, key: AuditKey) -> Result<Vec<Segment>, AuditError> {
    let mut segments = Vec::new();
    for number in folder.segments()? {
        let name = names::segment(number);
        let path = folder.path_of(&name);
        let mut start = Vec::new();
        folder
            .file(&name, OFlags::RDONLY)?
            .take(MAX_FRAME_BYTES as u64)
            .read_to_end(&mut start)
            .map_err(|error| AuditError::io("read", &path, error))?;
        let mut reader = FrameReader::default();
        reader.handle_bytes(&start);
        let anchor = reader.poll_piece().as_ref().and_then(anchor);
        let anchor = anchor.filter(|a| a.key == key && a.first_sequence == number);
        let Some(anchor) = anchor.filter(Anchor::is_genuine) else {
            let reason = "its anchor is missing or not the log's".to_owned();
            return Err(AuditError::Damaged { path, reason });
        };
        segments.push(Segment { first_sequence: number, begun_us: anchor.time_us });
    }
    Ok(segments)
}

/// Reads the last segment to its end. An unfinished last record is no damage: it was never said
/// to be written.
pub(super) fn end(folder: &Folder, key: AuditKey, segment: u64) -> Result<End, AuditError> {
    let name = names::segment(segment);
    let bytes = folder.read(&name, MAX_SEGMENT_BYTES)?.unwrap_or_default();
    let damaged = |reason: String| AuditError::Damaged { path: folder.path_of(&name), reason };
    let mut reader = FrameReader::default();
    reader.handle_bytes(&bytes);
    let first = reader.poll_piece().as_ref().and_then(anchor);
    let anchor = first.ok_or_else(|| damaged("it has no anchor".to_owned()))?;
    let mut end = End {
        sequence: anchor.first_sequence.saturating_sub(1),
        hash: anchor.previous,
        time_us: anchor.time_us,
        bytes: 0,
        torn_bytes: 0,
    };
    let mut last = None;
    let mut next = reader.poll_piece();
    end.bytes = next.as_ref().map_or(bytes.len() as u64, offset);
    while let Some(Piece::Frame(frame)) = &next {
        let Some(record) = record(frame, &end) else { break };
        (end.sequence, end.hash, end.time_us) =
            (record.sequence, record.hash, record.entry.time_us);
        last = Some(record);
        next = reader.poll_piece();
        end.bytes = next.as_ref().map_or(bytes.len() as u64, offset);
    }
    // A crash leaves one unfinished record; whole frames behind it are no crash's doing.
    let is_followed = next.is_some() && reader.poll_piece().is_some();
    if next.is_none() {
        let rest = reader.finish();
        end.bytes = rest.as_ref().map_or(end.bytes, offset);
    }
    end.torn_bytes = bytes.len() as u64 - end.bytes;
    if is_followed || end.torn_bytes > MAX_FRAME_BYTES as u64 {
        let (sequence, at) = (end.sequence, end.bytes);
        return Err(damaged(format!("no record after {sequence}, from byte {at} on")));
    }
    if last.is_some_and(|record| !record.head(key).is_genuine()) {
        return Err(damaged(format!("record {} is not signed by its key", end.sequence)));
    }
    Ok(end)
}

/// The record in a frame, if it follows.
fn record(frame: &Frame, end: &End) -> Option<Record> {
    let record = Record::from_bytes(&frame.payload).ok()?;
    let follows = record.sequence == end.sequence + 1 && record.previous == end.hash;
    (frame.kind == FrameKind::Record && follows).then_some(record)
}

fn anchor(piece: &Piece) -> Option<Anchor> {
    match piece {
        Piece::Frame(frame) if frame.kind == FrameKind::Anchor && frame.offset == 0 => {
            Anchor::from_bytes(&frame.payload).ok()
        }
        _ => None,
    }
}

fn offset(piece: &Piece) -> u64 {
    match piece {
        Piece::Frame(frame) => frame.offset,
        Piece::Unreadable { offset, .. } => *offset,
    }
}
