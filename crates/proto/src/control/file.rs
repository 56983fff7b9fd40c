//! Pieces of files and texts of clipboards, which travel on streams of their own.

use crate::{Reader, WireError, Writer};

/// The kind under which the text of a clipboard travels: UTF-8, nothing else.
pub const CLIPBOARD_BLOB: u8 = 2;
/// The kind under which a piece of a file travels.
pub const FILE_PIECE_BLOB: u8 = 3;
/// The longest text of a clipboard, in bytes.
pub const MAX_CLIPBOARD_BYTES: usize = 256 << 10;
/// The most bytes of a file in one piece.
pub const MAX_PIECE_BYTES: usize = 32 << 10;
/// The longest name of a file, in bytes.
pub const MAX_FILE_NAME_BYTES: u64 = 255;

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePiece<'a> {
    /// The file's number, as it was offered.
    pub id: u32,
    /// Where in the file the piece begins.
    pub offset: u64,
    /// 1 to [`MAX_PIECE_BYTES`] bytes of it.
    pub bytes: &'a [u8],
}

impl<'a> FilePiece<'a> {
    /// The piece's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + 16);
        let mut w = Writer::new(&mut out);
        w.varint(u64::from(self.id));
        w.varint(self.offset);
        w.bytes(self.bytes);
        out
    }

    /// Reads a piece.
    ///
    /// # Errors
    /// Nothing in it, or too much.
    pub fn read(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let (id, offset) = (r.u32("file")?, r.varint("offset")?);
        let bytes = r.rest();
        match bytes.len() {
            1..=MAX_PIECE_BYTES => Ok(Self { id, offset, bytes }),
            len => {
                let bound = MAX_PIECE_BYTES as u64;
                Err(WireError::Bound { field: "piece", value: len as u64, bound })
            }
        }
    }
}

/// The text of a clipboard.
///
/// # Errors
/// Too long, or not UTF-8.
pub fn read_clipboard(bytes: &[u8]) -> Result<&str, WireError> {
    if bytes.len() > MAX_CLIPBOARD_BYTES {
        let (value, bound) = (bytes.len() as u64, MAX_CLIPBOARD_BYTES as u64);
        return Err(WireError::Bound { field: "clipboard", value, bound });
    }
    str::from_utf8(bytes).map_err(|_| WireError::Text("clipboard"))
}

/// Whether a file may have this name at its receiver: one component of a path, that no file
/// system takes for another place or a device.
pub fn is_file_name(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_device = DEVICES.iter().any(|device| {
        let rest = stem.strip_prefix(device);
        rest.is_some_and(|rest| rest.is_empty() || rest.chars().all(|c| c.is_ascii_digit()))
    });
    !name.is_empty()
        && name.len() as u64 <= MAX_FILE_NAME_BYTES
        && !name.starts_with(['.', '-', '~', ' '])
        && !name.ends_with(['.', ' '])
        && !is_device
        && !name
            .chars()
            .any(|c| c.is_control() || is_bidirectional(c) || r#"/\:*?"<>|"#.contains(c))
}

/// Whether it turns around how what follows is shown, as `exe.txt` for `txt.exe`.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_and_are_bounded() {
        let piece = FilePiece { id: 7, offset: 1 << 40, bytes: b"abc" };
        assert_eq!(FilePiece::read(&piece.to_bytes()), Ok(piece));
        let empty = FilePiece { id: 7, offset: 0, bytes: b"" };
        assert!(FilePiece::read(&empty.to_bytes()).is_err());
        let long = vec![0; MAX_PIECE_BYTES + 1];
        let long = FilePiece { id: 7, offset: 0, bytes: &long };
        assert!(FilePiece::read(&long.to_bytes()).is_err());
    }

    #[test]
    fn clipboards_hold_bounded_text() {
        assert_eq!(read_clipboard("a\nb\té".as_bytes()), Ok("a\nb\té"));
        assert!(read_clipboard(&[0xff]).is_err());
        assert!(read_clipboard(&vec![b'a'; MAX_CLIPBOARD_BYTES]).is_ok());
        assert!(read_clipboard(&vec![b'a'; MAX_CLIPBOARD_BYTES + 1]).is_err());
    }

    #[test]
    fn names_lead_nowhere_else() {
        for good in ["a", "report 2.pdf", "wörter.txt", "console.log", "computer", "aux-1.txt"] {
            assert!(is_file_name(good), "{good}");
        }
        let bad = [
            "",
            ".",
            "..",
            ".bashrc",
            "../x",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "C:",
            "C:\\x",
            "a:b",
            "NUL",
            "nul.txt",
            "con",
            "COM1",
            "lpt9.log",
            "a\0b",
            "a\nb",
            "a ",
            "a.",
            "-rf",
            "~",
            "a*",
            "a?",
            "a|b",
            "a<b",
            "a>b",
            "a\"b",
            " a",
            "a\u{202e}txt.exe",
        ];
        for name in bad {
            assert!(!is_file_name(name), "{name:?}");
        }
        assert!(!is_file_name(&"a".repeat(256)));
    }
}
