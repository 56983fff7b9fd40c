//! Deterministic CBOR (RFC 8949 section 4.2.1), and of it only what credentials need: integers,
//! byte strings, text, arrays, maps, true and false. What passes has one encoding, so two readers
//! cannot see two things in the same bytes.

/// How deep arrays and maps may lie in each other. Grants need three.
pub(crate) const MAX_DEPTH: usize = 8;

/// Why bytes are not one item of deterministic CBOR. Positions are bytes from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// The item ends after the bytes do.
    #[error("the bytes end within an item; it was cut short")]
    Truncated,
    /// Something follows the item.
    #[error("{bytes} bytes follow the item; send nothing else with it")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// A string, array or map without a length.
    #[error("the item at byte {at} has no length; indefinite lengths are refused")]
    Indefinite {
        /// Where.
        at: usize,
    },
    /// A number that would fit fewer bytes.
    #[error("the number at byte {at} is not in its shortest form")]
    LongForm {
        /// Where.
        at: usize,
    },
    /// A map's key that is there already.
    #[error("the map's key at byte {at} is there twice")]
    DuplicateKey {
        /// Where.
        at: usize,
    },
    /// A map's key that sorts before the one in front of it.
    #[error("the map's key at byte {at} is out of order; sort keys by their encoded bytes")]
    KeyOrder {
        /// Where.
        at: usize,
    },
    /// Text that is not UTF-8.
    #[error("the text at byte {at} is not UTF-8")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
    /// A tag, a float, null, undefined or another simple value.
    #[error("the item at byte {at} (first byte {byte:#04x}) is of a kind that no credential has")]
    Unsupported {
        /// Where.
        at: usize,
        /// Its first byte.
        byte: u8,
    },
    /// Arrays and maps in each other.
    #[error("the item at byte {at} lies deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// Where.
        at: usize,
    },
}

/// Whether `bytes` are exactly one item.
pub(crate) fn check(bytes: &[u8]) -> Result<(), CborError> {
    let mut scanner = Scanner { bytes, at: 0 };
    scanner.item(0)?;
    match bytes.len() - scanner.at {
        0 => Ok(()),
        bytes => Err(CborError::Trailing { bytes }),
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        let at = self.at;
        if depth > MAX_DEPTH {
            return Err(CborError::TooDeep { at });
        }
        let byte = self.take(1)?[0];
        let unsupported = Err(CborError::Unsupported { at, byte });
        match byte >> 5 {
            0 | 1 => self.argument(at, byte).map(|_| ()),
            2 => self.string(at, byte).map(|_| ()),
            3 => {
                let text = self.string(at, byte)?;
                str::from_utf8(text).map(|_| ()).map_err(|_| CborError::NotUtf8 { at })
            }
            4 => (0..self.argument(at, byte)?).try_for_each(|_| self.item(depth + 1)),
            5 => self.map(at, byte, depth),
            7 if byte == FALSE || byte == TRUE => Ok(()),
            _ => unsupported,
        }
    }

    fn map(&mut self, at: usize, byte: u8, depth: usize) -> Result<(), CborError> {
        let mut before: Option<&[u8]> = None;
        for _ in 0..self.argument(at, byte)? {
            let start = self.at;
            self.item(depth + 1)?;
            let key = &self.bytes[start..self.at];
            match before.map(|before| before.cmp(key)) {
                Some(std::cmp::Ordering::Equal) => {
                    return Err(CborError::DuplicateKey { at: start });
                }
                Some(std::cmp::Ordering::Greater) => {
                    return Err(CborError::KeyOrder { at: start });
                }
                _ => before = Some(key),
            }
            self.item(depth + 1)?;
        }
        Ok(())
    }

    fn string(&mut self, at: usize, byte: u8) -> Result<&'a [u8], CborError> {
        let length = self.argument(at, byte)?;
        self.take(usize::try_from(length).map_err(|_| CborError::Truncated)?)
    }

    /// The number in an item's head (RFC 8949 section 3).
    fn argument(&mut self, at: usize, byte: u8) -> Result<u64, CborError> {
        let (width, least) = match byte & 0x1f {
            small @ 0..24 => return Ok(small.into()),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err(CborError::Indefinite { at }),
            _ => return Err(CborError::Unsupported { at, byte }),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| 256 * value + u64::from(*byte));
        if value < least { Err(CborError::LongForm { at }) } else { Ok(value) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(count).ok_or(CborError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(CborError::Truncated)?;
        self.at = end;
        Ok(taken)
    }
}

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_encoding_passes() {
        let good: [&[u8]; 8] = [
            &[0x17],
            &[0x18, 0x18],
            &[0x3a, 0, 1, 0, 0],
            &[0x43, 1, 2, 3],
            &[0x62, 0xc3, 0xa9],
            &[0x82, 0xf4, 0xf5],
            &[0xa2, 0x01, 0x02, 0x20, 0x03],
            &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0],
        ];
        for bytes in good {
            assert_eq!(check(bytes), Ok(()), "{bytes:02x?}");
        }
    }

    #[test]
    fn everything_else_is_named() {
        use CborError::*;
        let deep_key = [&[0xa1][..], &[0x81; 10]].concat();
        let bad: [(&[u8], CborError); 21] = [
            (&[], Truncated),
            (&[0x18], Truncated),
            (&[0x42, 1], Truncated),
            (&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Truncated),
            (&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Truncated),
            (&[0x01, 0x02], Trailing { bytes: 1 }),
            (&[0x5f, 0x41, 1, 0xff], Indefinite { at: 0 }),
            (&[0x81, 0x9f, 0xff], Indefinite { at: 1 }),
            (&[0xbf, 0xff], Indefinite { at: 0 }),
            (&[0x18, 0x17], LongForm { at: 0 }),
            (&[0x59, 0, 1, 0], LongForm { at: 0 }),
            (&[0x1a, 0, 0, 0xff, 0xff], LongForm { at: 0 }),
            (&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], LongForm { at: 0 }),
            (&[0xa2, 0x01, 0, 0x01, 0], DuplicateKey { at: 3 }),
            (&[0xa2, 0x02, 0, 0x01, 0], KeyOrder { at: 3 }),
            (&[0x61, 0xff], NotUtf8 { at: 0 }),
            (&[0xc1, 0x00], Unsupported { at: 0, byte: 0xc1 }),
            (&[0xf6], Unsupported { at: 0, byte: 0xf6 }),
            (&[0xf9, 0, 0], Unsupported { at: 0, byte: 0xf9 }),
            (&[0x81; 10], TooDeep { at: 9 }),
            (&deep_key, TooDeep { at: 9 }),
        ];
        for (bytes, error) in bad {
            assert_eq!(check(bytes), Err(error), "{bytes:02x?}");
        }
    }
}
