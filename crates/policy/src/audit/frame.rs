//! Frames: what segments and files of heads are made of.

use std::fmt;

/// What a frame begins with. The first byte occurs in no text, so that a reader who lost its
/// place finds it again.
const MAGIC: [u8; 4] = [0xfa, b'A', b'U', b'D'];
/// Magic, kind, length of the payload.
pub const HEADER_BYTES: usize = MAGIC.len() + 1 + 2;
/// Longest frame: 4 KiB, which is a page of memory and a block of most disks.
pub const MAX_FRAME_BYTES: usize = 4096;

/// What is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A segment's [`Anchor`](super::Anchor).
    Anchor,
    /// A [`Record`](super::Record).
    Record,
    /// A [`SignedHead`](super::SignedHead).
    Head,
    /// A [`CrossSignedHead`](super::CrossSignedHead).
    CrossSigned,
}

/// A frame as it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it says it is.
    pub kind: FrameKind,
    /// What is in it.
    pub payload: Vec<u8>,
    /// Where in the file it begins, in bytes.
    pub offset: u64,
}

/// What a file consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A frame.
    Frame(Frame),
    /// Bytes that are none, up to the next frame or the end.
    Unreadable {
        /// Where they begin, in bytes.
        offset: u64,
        /// How many there are.
        bytes: u64,
    },
}

/// Cuts bytes into frames, wherever they were cut before.
///
/// Give bytes to [`FrameReader::handle_bytes`], then drain [`FrameReader::poll_piece`]. It keeps
/// less than one frame besides what was not drained.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    offset: u64,
    /// Bytes before it that are no frame.
    skipped: u64,
}

impl FrameReader {
    /// Takes the file's next bytes.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next piece; `None` when more bytes are needed.
    pub fn poll_piece(&mut self) -> Option<Piece> {
        let begins = self.skip_to_frame();
        if self.skipped > 0 && begins {
            return Some(self.unreadable());
        }
        let length = begins.then(|| length(&self.buffer))??;
        let rest = self.buffer.split_off(length.min(self.buffer.len()));
        if self.buffer.len() < length {
            debug_assert!(rest.is_empty());
            return None;
        }
        let whole = std::mem::replace(&mut self.buffer, rest);
        let offset = self.offset;
        self.offset += length as u64;
        let kind = FrameKind::of(whole[MAGIC.len()])?;
        Some(Piece::Frame(Frame { kind, payload: whole[HEADER_BYTES..].to_vec(), offset }))
    }

    /// Takes back the frame that [`FrameReader::poll_piece`] just gave, because it is none: its
    /// bytes are looked at for others.
    pub fn reject(&mut self, rejected: &Frame) {
        let mut bytes = frame(rejected.kind, &rejected.payload).split_off(1);
        bytes.append(&mut self.buffer);
        self.buffer = bytes;
        self.offset = rejected.offset + 1;
        self.skipped += 1;
    }

    /// What is left at the file's end, if anything is: the beginning of a frame that was not
    /// finished, or bytes that are none.
    pub fn finish(mut self) -> Option<Piece> {
        self.skipped += self.buffer.len() as u64;
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        (self.skipped > 0).then(|| self.unreadable())
    }

    fn unreadable(&mut self) -> Piece {
        let bytes = std::mem::take(&mut self.skipped);
        Piece::Unreadable { offset: self.offset - bytes, bytes }
    }

    /// Drops what cannot begin a frame; whether a frame's header stands at the beginning then.
    fn skip_to_frame(&mut self) -> bool {
        let could = |at: usize| could_begin(&self.buffer[at..]);
        let at = (0..self.buffer.len()).find(|at| could(*at)).unwrap_or(self.buffer.len());
        self.buffer.drain(..at);
        self.offset += at as u64;
        self.skipped += at as u64;
        self.buffer.len() >= HEADER_BYTES
    }
}

/// The frame with this payload.
///
/// # Panics
/// The payload is larger than a frame may be: it is never the peer's or a file's.
pub(super) fn frame(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
    let whole = HEADER_BYTES + payload.len();
    assert!(whole <= MAX_FRAME_BYTES, "a frame of {whole} bytes; at most {MAX_FRAME_BYTES}");
    let mut bytes = Vec::with_capacity(whole);
    bytes.extend(MAGIC);
    bytes.push(kind.code());
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend(payload);
    bytes
}

impl FrameKind {
    fn code(self) -> u8 {
        match self {
            Self::Anchor => b'A',
            Self::Record => b'R',
            Self::Head => b'H',
            Self::CrossSigned => b'X',
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Anchor, Self::Record, Self::Head, Self::CrossSigned]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

impl Frame {
    /// Whether another frame may begin in it: only in one whose length was changed, and by chance
    /// in one of many millions.
    pub fn holds_another(&self) -> bool {
        self.payload.windows(MAGIC.len()).any(|bytes| bytes == MAGIC)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, bytes) = (self.kind, self.payload.len());
        write!(f, "{kind:?} of {bytes} bytes at {}", self.offset)
    }
}

/// Whether a frame's header begins like this, as far as there are bytes.
fn could_begin(bytes: &[u8]) -> bool {
    let magic = MAGIC.iter().zip(bytes).all(|(a, b)| a == b);
    let kind = bytes.get(MAGIC.len()).is_none_or(|code| FrameKind::of(*code).is_some());
    magic && kind && (bytes.len() < HEADER_BYTES || length(bytes).is_some())
}

/// The length of the frame that begins here, if it is one that may be.
fn length(bytes: &[u8]) -> Option<usize> {
    let payload = bytes.get(MAGIC.len() + 1..HEADER_BYTES)?.try_into().ok()?;
    let whole = HEADER_BYTES + usize::from(u16::from_be_bytes(payload));
    (whole <= MAX_FRAME_BYTES).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8], chunk: usize) -> Vec<Piece> {
        let mut reader = FrameReader::default();
        let mut pieces = Vec::new();
        for chunk in bytes.chunks(chunk) {
            reader.handle_bytes(chunk);
            while let Some(piece) = reader.poll_piece() {
                pieces.push(piece);
            }
        }
        pieces.extend(reader.finish());
        pieces
    }

    #[test]
    fn frames_come_back_however_the_bytes_are_cut() {
        let (a, b) = (frame(FrameKind::Record, b"one"), frame(FrameKind::Head, b""));
        let whole = [&a[..], b"junk\xfaAU", &b[..], &a[..5]].concat();
        let record = Frame { kind: FrameKind::Record, payload: b"one".to_vec(), offset: 0 };
        let head = Frame { kind: FrameKind::Head, payload: Vec::new(), offset: 17 };
        let expected = [
            Piece::Frame(record),
            Piece::Unreadable { offset: 10, bytes: 7 },
            Piece::Frame(head),
            Piece::Unreadable { offset: 24, bytes: 5 },
        ];
        for chunk in 1..=whole.len() {
            assert_eq!(pieces(&whole, chunk), expected, "in chunks of {chunk}");
        }
    }

    #[test]
    fn frames_in_a_frame_of_changed_length_are_found() {
        let (mut a, b) = (frame(FrameKind::Record, b"one"), frame(FrameKind::Record, b"two"));
        a[HEADER_BYTES - 1] += b.len() as u8;
        let mut reader = FrameReader::default();
        reader.handle_bytes(&[&a[..], &b[..]].concat());
        let Some(Piece::Frame(both)) = reader.poll_piece() else { panic!("no frame") };
        assert!(both.holds_another());
        reader.reject(&both);
        assert_eq!(reader.poll_piece(), Some(Piece::Unreadable { offset: 0, bytes: 10 }));
        let two = Frame { kind: FrameKind::Record, payload: b"two".to_vec(), offset: 10 };
        assert_eq!(reader.poll_piece(), Some(Piece::Frame(two)));
        assert_eq!((reader.poll_piece(), reader.finish()), (None, None));
    }

    #[test]
    fn a_length_beyond_the_bound_is_no_frame() {
        let mut long = frame(FrameKind::Record, &[0; MAX_FRAME_BYTES - HEADER_BYTES]);
        assert!(matches!(pieces(&long, 7)[..], [Piece::Frame(_)]));
        long[HEADER_BYTES - 1] += 1;
        long.push(0);
        let bytes = long.len() as u64;
        assert_eq!(pieces(&long, 7), [Piece::Unreadable { offset: 0, bytes }]);
        long.insert(0, b'x');
        for chunk in 1..=2 * HEADER_BYTES {
            let unreadable = Piece::Unreadable { offset: 0, bytes: bytes + 1 };
            assert_eq!(pieces(&long, chunk), [unreadable], "in chunks of {chunk}");
        }
    }
}
