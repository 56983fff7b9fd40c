//! Sets of bits.

/// The first run of ones at or after bit `from`; beyond the words all bits are zero.
pub(crate) fn next_run(bits: &[u64], from: usize) -> Option<(usize, usize)> {
    let left = next_bit(bits, from, 0)?;
    let right = next_bit(bits, left, !0).unwrap_or(bits.len() * 64);
    Some((left, right))
}

/// The first bit at or after `from` that is set after flipping all by `flip`.
pub(crate) fn next_bit(bits: &[u64], from: usize, flip: u64) -> Option<usize> {
    let mut ignore = !0u64 << (from % 64);
    for (i, word) in bits.iter().enumerate().skip(from / 64) {
        let found = (word ^ flip) & ignore;
        if found != 0 {
            return Some(i * 64 + found.trailing_zeros() as usize);
        }
        ignore = !0;
    }
    None
}

/// The numbers of the set bits.
pub(crate) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let index = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (index < 64).then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_found_across_words() {
        let bits = [0b0110, 0, 1 << 63, 0b11];
        let mut runs = Vec::new();
        let mut from = 0;
        while let Some((left, right)) = next_run(&bits, from) {
            runs.push((left, right));
            from = right;
        }
        assert_eq!(runs, [(1, 3), (191, 194)]);
        assert_eq!(next_run(&[!0, !0], 5), Some((5, 128)));
        assert_eq!(next_run(&[], 0), None);
    }
}
