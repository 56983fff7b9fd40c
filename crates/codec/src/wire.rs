//! Bytes in and out: variable-length integers, a checked reader, operation kinds.

use crate::DecodeError;

/// Bits 4, 6 and 7 of a batch's first byte. A decoder refuses every other value.
pub(crate) const FORMAT: u8 = 0x10;
/// The bits of a batch's first byte that must be [`FORMAT`].
pub(crate) const FORMAT_MASK: u8 = 0xD0;

/// Bits of a batch's first byte: which sections follow the operations.
pub(crate) mod section {
    /// Colours and the indices of them.
    pub(crate) const PALETTE: u8 = 1;
    /// Residuals of green.
    pub(crate) const GREEN: u8 = 2;
    /// Residuals of red minus green.
    pub(crate) const RED: u8 = 4;
    /// Residuals of blue minus green.
    pub(crate) const BLUE: u8 = 8;
    /// The bytes of an access unit.
    pub(crate) const UNITS: u8 = 0x20;
}

/// The low three bits of an operation's first byte.
pub(crate) mod kind {
    pub(crate) const COPIES: u8 = 0;
    pub(crate) const STORE: u8 = 1;
    pub(crate) const CACHED: u8 = 2;
    pub(crate) const SOLID: u8 = 3;
    pub(crate) const PALETTE: u8 = 4;
    pub(crate) const PREDICTED: u8 = 5;
    pub(crate) const UNIT: u8 = 6;
    pub(crate) const VIDEO: u8 = 7;
    pub(crate) const MASK: u8 = 7;
}

/// Bit 3 of an operation's first byte: the area is the whole tile and no area follows.
pub(crate) const WHOLE_TILE: u8 = 8;

/// Bits 4 and 5 of an operation's first byte: how the tile is named.
pub(crate) mod tile {
    /// One more than the last operation's tile.
    pub(crate) const NEXT: u8 = 0x00;
    /// The last operation's tile.
    pub(crate) const SAME: u8 = 0x10;
    /// A signed difference follows.
    pub(crate) const DELTA: u8 = 0x20;
    pub(crate) const MASK: u8 = 0x30;
}

/// Bit 6 of a solid operation's first byte: the colour is that of the last solid operation.
pub(crate) const SAME_COLOUR: u8 = 0x40;

/// Bit 7 of a palette operation's first byte: a number of new colours follows.
pub(crate) const NEW_COLOURS: u8 = 0x80;

/// Bits 6 and 7 of a predicted operation's first byte: a plane that has no residuals because
/// red, or blue, equals green in the whole area.
pub(crate) const RED_IS_GREEN: u8 = 0x40;
/// See [`RED_IS_GREEN`].
pub(crate) const BLUE_IS_GREEN: u8 = 0x80;

/// Bit 2 of a predicted operation's second byte, whose bits 0 and 1 are the predictor: the
/// planes are red and blue, not their differences from green.
pub(crate) const PLAIN: u8 = 4;

/// Maps 0, -1, 1, -2, ... to 0, 1, 2, 3, ...
#[cfg(feature = "encoder")]
pub(crate) const fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// The inverse of [`zigzag`].
pub(crate) const fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Appends `value` in groups of seven bits, lowest first; the high bit says that more follow.
#[cfg(feature = "encoder")]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes values off the front of a byte string; never reads past its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, bytes: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(bytes)
            .ok_or(DecodeError::Truncated { needed: bytes, left: self.rest.len() })?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let part = u32::from(byte & 0x7F);
            if shift == 28 && byte > 0x0F {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Varint)
    }
}

#[cfg(all(test, feature = "encoder"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_come_back(value: u32, signed: i32) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            prop_assert_eq!(Reader::new(&out).varint(), Ok(value));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }

    #[test]
    fn an_overlong_integer_is_refused() {
        assert_eq!(Reader::new(&[0xFF; 5]).varint(), Err(DecodeError::Varint));
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).varint(), Err(DecodeError::Varint));
        assert_eq!(Reader::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).varint(), Ok(u32::MAX));
        assert!(matches!(Reader::new(&[0x80]).varint(), Err(DecodeError::Truncated { .. })));
    }
}
