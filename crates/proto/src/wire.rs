//! Bounded reading and writing of the integers and strings that messages are made of.

use std::str;

/// Why bytes are not a valid message. The peer that sent them is broken or hostile; the
/// connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The message ends inside a field.
    #[error("the message ends inside `{0}`")]
    Short(&'static str),
    /// A value is outside what the field allows.
    #[error("`{field}` is {value}, above or outside its bound {bound}")]
    Bound {
        /// Which field.
        field: &'static str,
        /// What came.
        value: u64,
        /// What is allowed at most.
        bound: u64,
    },
    /// A message or enumeration of a kind this version does not know.
    #[error("`{field}` has the unknown kind {value}")]
    Kind {
        /// Which field.
        field: &'static str,
        /// What came.
        value: u64,
    },
    /// A string is not UTF-8 or holds control characters.
    #[error("`{0}` is not printable text")]
    Text(&'static str),
    /// Bytes follow the end of the message.
    #[error("{0} bytes follow the end of the message")]
    Trailing(usize),
}

/// Reads a message from the front.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the first byte of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not read yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// One byte.
    ///
    /// # Errors
    /// The message has ended.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        Ok(self.bytes(1, field)?[0])
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// The message has fewer.
    pub fn bytes(&mut self, len: usize, field: &'static str) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(WireError::Short(field))?;
        self.rest = rest;
        Ok(head)
    }

    /// A variable-length integer of at most 62 bits (RFC 9000, section 16).
    ///
    /// # Errors
    /// The message has ended.
    pub fn varint(&mut self, field: &'static str) -> Result<u64, WireError> {
        let first = *self.rest.first().ok_or(WireError::Short(field))?;
        let bytes = self.bytes(1 << (first >> 6), field)?;
        let first = u64::from(first & 0x3f);
        Ok(bytes[1..].iter().fold(first, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// A variable-length integer of at most `bound`.
    ///
    /// # Errors
    /// The message has ended, or the value is above the bound.
    pub fn bounded(&mut self, field: &'static str, bound: u64) -> Result<u64, WireError> {
        match self.varint(field)? {
            value if value <= bound => Ok(value),
            value => Err(WireError::Bound { field, value, bound }),
        }
    }

    /// A variable-length integer that fits `u32`.
    ///
    /// # Errors
    /// The message has ended, or the value is larger.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.bounded(field, u64::from(u32::MAX)).map(|value| value as u32)
    }

    /// A signed integer, zigzag-coded (0, -1, 1, -2, ...) as a variable-length integer.
    ///
    /// # Errors
    /// The message has ended, or the value does not fit.
    pub fn i32(&mut self, field: &'static str) -> Result<i32, WireError> {
        let raw = self.u32(field)?;
        Ok((raw >> 1) as i32 ^ -((raw & 1) as i32))
    }

    /// A length and that many bytes of printable UTF-8, at most `max_bytes`.
    ///
    /// # Errors
    /// Too long, cut off, not UTF-8, or with control characters.
    pub fn text(&mut self, field: &'static str, max_bytes: u64) -> Result<&'a str, WireError> {
        let len = self.bounded(field, max_bytes)? as usize;
        let text = str::from_utf8(self.bytes(len, field)?).map_err(|_| WireError::Text(field))?;
        if text.chars().any(char::is_control) { Err(WireError::Text(field)) } else { Ok(text) }
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The message must end here.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.rest.len())) }
    }
}

/// Writes a message.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// A variable-length integer (RFC 9000, section 16). Values above 62 bits are cut to it.
    pub fn varint(&mut self, value: u64) {
        let value = value.min((1 << 62) - 1);
        match value {
            0..0x40 => self.u8(value as u8),
            0x40..0x4000 => self.bytes(&(value as u16 | 0x4000).to_be_bytes()),
            0x4000..0x4000_0000 => self.bytes(&(value as u32 | 0x8000_0000).to_be_bytes()),
            _ => self.bytes(&(value | 0xc000_0000_0000_0000).to_be_bytes()),
        }
    }

    /// A signed integer, zigzag-coded.
    pub fn i32(&mut self, value: i32) {
        self.varint(u64::from((value << 1 ^ value >> 31) as u32));
    }

    /// A length and the text.
    pub fn text(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.bytes(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_come_back(value in 0u64..1 << 62, signed: i32) {
            let mut out = Vec::new();
            let mut w = Writer::new(&mut out);
            w.varint(value);
            w.i32(signed);
            let mut r = Reader::new(&out);
            prop_assert_eq!(r.varint("v"), Ok(value));
            prop_assert_eq!(r.i32("s"), Ok(signed));
            prop_assert_eq!(r.end(), Ok(()));
        }
    }

    #[test]
    fn the_examples_of_rfc_9000_appendix_a_1() {
        for (bytes, value) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(Reader::new(bytes).varint("v"), Ok(value));
        }
    }

    #[test]
    fn bad_fields_are_named() {
        assert_eq!(Reader::new(&[0x40]).varint("n"), Err(WireError::Short("n")));
        assert_eq!(
            Reader::new(&[9]).bounded("n", 8),
            Err(WireError::Bound { field: "n", value: 9, bound: 8 })
        );
        assert_eq!(Reader::new(&[2, b'a', 7]).text("t", 9), Err(WireError::Text("t")));
        assert_eq!(Reader::new(&[2, b'a', 0xff]).text("t", 9), Err(WireError::Text("t")));
        assert_eq!(Reader::new(&[1, 2]).end(), Err(WireError::Trailing(2)));
    }
}
