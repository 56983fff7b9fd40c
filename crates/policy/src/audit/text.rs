//! Texts that may stand in a record: short, and what they show is what they are.

use std::fmt;

/// Longest text in bytes of UTF-8: a file's name, on the file systems in use.
pub const MAX_TEXT_BYTES: usize = 255;
/// What stands for the rest of a text that was too long.
const CUT: &str = "...";

/// A text of at most [`MAX_TEXT_BYTES`] bytes without control, bidirectional or invisible
/// characters. It may be empty.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Text(String);

/// Why a text may not stand in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A record's size has a bound.
    #[error("a text of {bytes} bytes; at most {MAX_TEXT_BYTES} fit a record")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It could make a line of a report look like another.
    #[error("character U+{code:04X} may not stand in a record; Text::escaped writes it out")]
    Deceptive {
        /// The character.
        code: u32,
    },
}

impl Text {
    /// The text as it is.
    ///
    /// # Errors
    /// It is too long, or one of its characters could deceive who reads it.
    pub fn new(text: &str) -> Result<Self, TextError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TextError::TooLong { bytes: text.len() });
        }
        match text.chars().find(|c| is_deceptive(*c)) {
            Some(bad) => Err(TextError::Deceptive { code: bad.into() }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text with refused characters written out as `\u{202e}`, a backslash doubled, and the
    /// end cut off where it is too long. For names that a peer chose: never fails, so that a name
    /// cannot keep an event out of the log.
    pub fn escaped(text: &str) -> Self {
        let mut kept = String::new();
        for c in text.chars() {
            let before = kept.len();
            match c {
                '\\' => kept.push_str("\\\\"),
                c if is_deceptive(c) => kept.extend(c.escape_unicode()),
                c => kept.push(c),
            }
            if kept.len() > MAX_TEXT_BYTES {
                kept.truncate(before);
                // Whole characters; an escape may lose its end.
                while kept.len() > MAX_TEXT_BYTES - CUT.len() {
                    kept.pop();
                }
                kept.push_str(CUT);
                break;
            }
        }
        Self(kept)
    }

    /// The text as it is where it may stand so, [escaped](Text::escaped) where not.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(text).unwrap_or_else(|_| Self::escaped(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

fn is_deceptive(c: char) -> bool {
    let bidirectional = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}');
    let invisible = matches!(c, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}'
        | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}');
    c.is_control() || bidirectional || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_texts_of_all_scripts_are_kept_and_deceptive_ones_refused() {
        for good in ["", "Ada Lovelace", "Zoë", "王小明", "דוד", "a\\b", &"x".repeat(255)] {
            assert_eq!(Text::new(good).unwrap().as_str(), good);
        }
        let mut refused = 0;
        let controls = (0..0x20).chain(0x7f..0xa0).filter_map(char::from_u32);
        let others = ['\u{61c}', '\u{200b}', '\u{200e}', '\u{202e}', '\u{2028}', '\u{2066}'];
        for bad in controls.chain(others).chain(['\u{feff}', '\u{e0041}', '\u{ad}']) {
            let text = format!("a{bad}b");
            let code = bad.into();
            assert_eq!(Text::new(&text), Err(TextError::Deceptive { code }), "{text:?}");
            refused += 1;
        }
        let bytes = MAX_TEXT_BYTES + 1;
        assert_eq!(Text::new(&"x".repeat(bytes)), Err(TextError::TooLong { bytes }));
        println!("audit: {} negative cases: texts", refused + 1);
    }

    #[test]
    fn any_name_has_an_escaped_form() {
        assert_eq!(Text::escaped("a\n\u{202e}b\\").as_str(), "a\\u{a}\\u{202e}b\\\\");
        for name in ["\n".repeat(400), "é".repeat(200), "x".repeat(256), "\\".repeat(300)] {
            let text = Text::escaped(&name);
            assert!(text.as_str().len() <= MAX_TEXT_BYTES && text.as_str().ends_with(CUT));
            assert_eq!(Text::new(text.as_str()), Ok(text));
        }
        let longest = "x".repeat(MAX_TEXT_BYTES);
        assert_eq!(Text::escaped(&longest).as_str(), longest);
        let cut = "x".repeat(MAX_TEXT_BYTES - CUT.len()) + CUT;
        assert_eq!(Text::escaped(&format!("{longest}x")).as_str(), cut);
    }
}
