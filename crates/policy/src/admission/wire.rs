//! Fields of a message. Each has one encoding: numbers are big-endian, what varies in length has
//! its length in front in two bytes.

use super::error::PresentedError;

#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn number(&mut self, number: u16) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Bytes with their number in front. Credentials are shorter than 64 KiB by their bounds.
    pub(super) fn counted(&mut self, bytes: &[u8]) {
        self.number(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        self.bytes(bytes);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PresentedError> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn number(&mut self) -> Result<u16, PresentedError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PresentedError> {
        let (array, rest) = self.0.split_first_chunk().ok_or(PresentedError::Truncated)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn counted(
        &mut self,
        of: &'static str,
        most: usize,
    ) -> Result<&'a [u8], PresentedError> {
        let bytes = usize::from(self.number()?);
        if bytes > most {
            return Err(PresentedError::Length { of, bytes, most });
        }
        let (counted, rest) = self.0.split_at_checked(bytes).ok_or(PresentedError::Truncated)?;
        self.0 = rest;
        Ok(counted)
    }

    pub(super) fn finish(self) -> Result<(), PresentedError> {
        match self.0.len() {
            0 => Ok(()),
            bytes => Err(PresentedError::Trailing { bytes }),
        }
    }
}
