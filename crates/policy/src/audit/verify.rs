//! A reader that trusts nothing: what was done to a log, and where.

mod heads;
mod walk;

use self::heads::Heads;
use self::walk::Walk;
use super::anchor::Anchor;
use super::finding::{Finding, Note, Observation};
use super::frame::{Frame, FrameKind, FrameReader, MAX_FRAME_BYTES, Piece};
use super::head::{CrossSignedHead, SignedHead};
use super::key::AuditKey;
use super::record::{Outline, Record, RecordError};
use std::collections::VecDeque;

pub use self::heads::MAX_HEADS;

/// What is known of a log before it is looked at.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The key that the log must be of. Without it the log's first anchor says whose it is, and a
    /// log that was written anew with another key passes.
    pub key: Option<AuditKey>,
    /// The keys that peers may have. Without any, a cross-signature must only be of the key that
    /// it names.
    pub peers: Vec<AuditKey>,
    /// The program that writes the log is at it, so that its end may be unfinished.
    pub is_written: bool,
}

/// Looks at a whole log in one pass.
///
/// First all heads, those kept beside the log and those that peers keep: [`Verifier::begin_heads`],
/// the file's bytes, [`Verifier::end`]. Then each segment in the order of their numbers:
/// [`Verifier::begin_segment`], its bytes, [`Verifier::end`]. At last [`Verifier::finish`]. Drain
/// [`Verifier::poll_observation`] after each call. Besides what is not drained it keeps one frame,
/// [`MAX_HEADS`] heads (8 MiB) and a bounded list of gaps. No bytes make it panic.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    gives_records: bool,
    told: VecDeque<Observation>,
    reader: FrameReader,
    place: Place,
    /// The unfinished end of the segment before: its number, where it begins, its bytes. Only the
    /// last segment may have one.
    tail: Option<(u64, u64, u64)>,
    heads: Heads,
    walk: Walk,
    report: Report,
}

/// What was looked at, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// The log's key; `None` when no anchor could be read.
    pub key: Option<AuditKey>,
    /// Records that are whole and signed by that key.
    pub records: u64,
    /// The number of the first one that should be there; 0 without one.
    pub first: u64,
    /// The number of the last one; 0 without one.
    pub last: u64,
    /// The time of the first whole record, in microseconds since 1970 (UTC).
    pub begun_us: u64,
    /// The time of the last whole record.
    pub ended_us: u64,
    /// Segments.
    pub segments: u64,
    /// Heads of this log, its own and cross-signed ones.
    pub heads: u64,
    /// The last record that a peer has confirmed; 0 without one.
    pub confirmed: u64,
    /// Findings: 0 when the log is whole.
    pub findings: u64,
}

/// What the bytes are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Nowhere,
    Heads,
    /// The beginning of a segment, where its anchor stands.
    Segment(u64),
    Records(u64),
    /// A segment of another log, which is passed over.
    Foreign(u64),
}

impl Verifier {
    /// For a log of which so much is known.
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            gives_records: false,
            told: VecDeque::new(),
            reader: FrameReader::default(),
            place: Place::Nowhere,
            tail: None,
            heads: Heads::default(),
            walk: Walk::default(),
            report: Report::default(),
        }
    }

    /// Has whole records given as observations, too.
    #[must_use]
    pub fn with_records(mut self) -> Self {
        self.gives_records = true;
        self
    }

    /// A writer is at the log, as if [`Trust::is_written`].
    pub fn expect_unfinished_end(&mut self) {
        self.trust.is_written = true;
    }

    /// A file of heads comes next.
    pub fn begin_heads(&mut self) {
        self.place = Place::Heads;
    }

    /// The segment with this number in its name comes next.
    pub fn begin_segment(&mut self, number: u64) {
        if let Some((segment, offset, bytes)) = self.tail.take() {
            self.find(Finding::Unreadable { segment: Some(segment), offset, bytes });
        }
        self.report.segments += 1;
        self.place = Place::Segment(number);
    }

    /// Takes the next bytes, in portions of any size.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        for portion in bytes.chunks(MAX_FRAME_BYTES) {
            self.reader.handle_bytes(portion);
            while let Some(piece) = self.reader.poll_piece() {
                self.piece(piece);
            }
        }
    }

    /// The file is over.
    pub fn end(&mut self) {
        let place = std::mem::replace(&mut self.place, Place::Nowhere);
        let tail = std::mem::take(&mut self.reader).finish();
        if let Place::Segment(segment) = place {
            self.find(Finding::WrongAnchor { segment });
        }
        let Some(Piece::Unreadable { offset, bytes }) = tail else { return };
        match place.segment() {
            Some(segment) => self.tail = Some((segment, offset, bytes)),
            None => self.unfinished(None, offset, bytes),
        }
    }

    /// What was met since the last call.
    pub fn poll_observation(&mut self) -> Option<Observation> {
        self.told.pop_front()
    }

    /// Nothing comes any more: what only the whole log shows. The rest of the observations is
    /// beside the report.
    pub fn finish(mut self) -> (Report, VecDeque<Observation>) {
        if let Some((segment, offset, bytes)) = self.tail.take() {
            self.unfinished(Some(segment), offset, bytes);
        }
        for finding in self.walk.finish() {
            self.find(finding);
        }
        if self.trust.is_written {
            self.note(Note::BeingWritten);
        }
        self.compare_with_heads();
        if self.report.records == 0 {
            self.find(Finding::Empty);
        }
        (self.report, self.told)
    }

    /// What is left at the end of a file that may be written: a crash leaves less than a frame.
    fn unfinished(&mut self, segment: Option<u64>, offset: u64, bytes: u64) {
        let is_short = bytes < MAX_FRAME_BYTES as u64;
        if !is_short {
            self.find(Finding::Unreadable { segment, offset, bytes });
        } else if !self.trust.is_written {
            self.find(Finding::Torn { segment, offset, bytes });
        }
    }

    fn piece(&mut self, piece: Piece) {
        let frame = match piece {
            Piece::Frame(frame) => frame,
            Piece::Unreadable { offset, bytes } => {
                let segment = self.place.segment();
                return self.find(Finding::Unreadable { segment, offset, bytes });
            }
        };
        match self.place {
            Place::Nowhere | Place::Foreign(_) => {}
            Place::Heads => self.head(&frame),
            Place::Segment(segment) => {
                self.place = Place::Records(segment);
                if frame.kind == FrameKind::Anchor {
                    return self.anchor(segment, &frame);
                }
                self.find(Finding::WrongAnchor { segment });
                self.walk.begin_at(segment);
                self.record(&frame);
            }
            Place::Records(_) => self.record(&frame),
        }
    }

    fn head(&mut self, frame: &Frame) {
        let (head, crossed) = match frame.kind {
            FrameKind::Head => (SignedHead::from_bytes(&frame.payload), None),
            FrameKind::CrossSigned => match CrossSignedHead::from_bytes(&frame.payload) {
                Ok(cross) => (Ok(cross.head), Some(cross)),
                Err(error) => (Err(error), None),
            },
            // Records among heads: never the log's writer.
            _ => return self.not_a_head(frame),
        };
        let Ok(head) = head else { return self.not_a_head(frame) };
        let sequence = head.sequence;
        if !head.is_genuine() {
            return self.find(Finding::WrongHead { sequence });
        }
        if let Some(cross) = crossed
            && (cross.check().is_err() || !self.trusts(&cross))
        {
            self.find(Finding::WrongCrossSignature { sequence, by: cross.by });
        } else if let Err(finding) = self.heads.add(&head, crossed.is_some()) {
            self.find(finding);
        }
    }

    fn not_a_head(&mut self, frame: &Frame) {
        let bytes = frame.payload.len() as u64;
        self.find(Finding::Unreadable { segment: None, offset: frame.offset, bytes });
    }

    /// Whether the peer may have signed this: our head by a peer's key, or a peer's head by ours.
    fn trusts(&self, cross: &CrossSignedHead) -> bool {
        let peers = &self.trust.peers;
        peers.is_empty() || peers.contains(&cross.by) || peers.contains(&cross.head.key)
    }

    fn anchor(&mut self, segment: u64, frame: &Frame) {
        let anchor = Anchor::from_bytes(&frame.payload).ok().filter(Anchor::is_genuine);
        let Some(anchor) = anchor else {
            self.walk.begin_at(segment);
            return self.find(Finding::WrongAnchor { segment });
        };
        match self.report.key {
            None => {
                self.report.key = Some(anchor.key);
                if self.trust.key.is_some_and(|key| key != anchor.key) {
                    self.find(Finding::OtherKey { key: anchor.key });
                }
            }
            Some(key) if key != anchor.key => {
                self.place = Place::Foreign(segment);
                return self.find(Finding::OtherLog { log: anchor.key.log_id() });
            }
            Some(_) => {}
        }
        if anchor.first_sequence != segment {
            self.find(Finding::WrongAnchor { segment });
        }
        if let Some(finding) = self.walk.anchor(&anchor, segment) {
            self.find(finding);
        }
    }

    fn record(&mut self, frame: &Frame) {
        let outline = match (frame.kind, Outline::from_bytes(&frame.payload)) {
            (FrameKind::Record, Ok(outline)) => outline,
            (FrameKind::Record, Err(RecordError::Hash | RecordError::Short))
                if frame.holds_another() =>
            {
                return self.reader.reject(frame);
            }
            // Anchors and heads have no place here: a record's kind was changed, most likely.
            _ => {
                let sequence = self.walk.damaged();
                return self.find(Finding::Changed { sequence });
            }
        };
        let sequence = outline.sequence;
        if let Some(key) = self.report.key {
            let is_ours = outline.log == key.log_id();
            if !is_ours || !outline.head(key).is_genuine() {
                self.walk.forged(sequence);
                let log = outline.log;
                return self.find(match is_ours {
                    true => Finding::Forged { sequence },
                    false => Finding::OtherLog { log },
                });
            }
        }
        self.signed_record(&outline);
    }

    /// A record that the log's key signed, unless nobody knows that key.
    fn signed_record(&mut self, outline: &Outline<'_>) {
        let (log, sequence) = (outline.log, outline.sequence);
        if self.heads.hash(log, sequence).is_some_and(|hash| hash != outline.hash) {
            self.find(Finding::Forked { log, sequence });
        }
        for observation in self.walk.record(outline) {
            self.tell(observation);
        }
        match Record::of(outline) {
            Ok(record) => self.whole_record(record),
            Err(error) => self.find(Finding::Unknown { sequence, reason: error.to_string() }),
        }
    }

    fn whole_record(&mut self, record: Record) {
        if let Some(note) = self.walk.tell_of(&record) {
            self.note(note);
        }
        let time_us = record.entry.time_us;
        if self.report.records == 0 {
            self.report.begun_us = time_us;
        }
        self.report.ended_us = time_us;
        self.report.records += 1;
        if self.gives_records {
            self.told.push_back(Observation::Record(Box::new(record)));
        }
    }

    fn compare_with_heads(&mut self) {
        (self.report.first, self.report.last) = (self.walk.first(), self.walk.last());
        let last = self.report.last;
        let Some(log) = self.report.key.map(|key| key.log_id()) else { return };
        self.report.heads = self.heads.count(log);
        self.report.confirmed = self.heads.confirmed(log).min(last);
        if let Some(confirmed) = self.heads.last(log).filter(|head| *head > last) {
            self.find(Finding::Truncated { last, confirmed });
        }
        if self.heads.is_full() {
            self.find(Finding::TooManyHeads { checked: MAX_HEADS as u64 });
        }
        let first = self.report.confirmed.max(self.report.first.saturating_sub(1)) + 1;
        if first <= last {
            self.note(Note::Unconfirmed { first, last });
        }
    }

    fn find(&mut self, finding: Finding) {
        self.tell(Observation::Finding(finding));
    }

    fn note(&mut self, note: Note) {
        self.tell(Observation::Note(note));
    }

    fn tell(&mut self, observation: Observation) {
        if matches!(observation, Observation::Finding(_)) {
            self.report.findings += 1;
        }
        self.told.push_back(observation);
    }
}

impl Place {
    fn segment(self) -> Option<u64> {
        match self {
            Self::Nowhere | Self::Heads => None,
            Self::Segment(number) | Self::Records(number) | Self::Foreign(number) => Some(number),
        }
    }
}

#[cfg(test)]
mod tests;
