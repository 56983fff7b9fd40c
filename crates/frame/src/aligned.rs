//! Memory that begins where a cache line does.

use std::ops::{Deref, DerefMut};

/// Bytes of a cache line, and of the widest vector.
const LINE_BYTES: usize = 64;

/// Bytes of which the first has an address divisible by 64: no vector of a row then lies across
/// two cache lines.
#[derive(Debug)]
pub(crate) struct AlignedBytes {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    /// `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        let memory = vec![0; len + LINE_BYTES - 1];
        let start = memory.as_ptr().align_offset(LINE_BYTES).min(LINE_BYTES - 1);
        Self { memory, start, len }
    }

    /// Becomes `len` bytes of unspecified content. Allocates only when there never were as many.
    pub(crate) fn reshape(&mut self, len: usize) {
        if self.start + len > self.memory.len() {
            *self = Self::zeroed(len);
        }
        self.len = len;
    }
}

impl Clone for AlignedBytes {
    fn clone(&self) -> Self {
        let mut copy = Self::zeroed(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for AlignedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for AlignedBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_line_and_keeps_its_memory() {
        for len in [0, 1, 63, 64, 1_000, 1 << 20] {
            let mut bytes = AlignedBytes::zeroed(len);
            bytes.fill(7);
            let (at, copy) = (bytes.as_ptr(), bytes.clone());
            assert!(at.align_offset(LINE_BYTES) == 0);
            assert_eq!((copy.len(), copy.as_ptr().align_offset(LINE_BYTES)), (len, 0));
            assert!(copy.iter().all(|byte| *byte == 7));
            bytes.reshape(len / 2);
            bytes.reshape(len);
            assert_eq!((bytes.len(), bytes.as_ptr()), (len, at));
            bytes.reshape(2 * len + 100);
            assert_eq!((bytes.len(), bytes.as_ptr().align_offset(LINE_BYTES)), (2 * len + 100, 0));
        }
    }
}
