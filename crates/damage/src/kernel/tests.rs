//! Every kernel gives the scalar one's bits.

use super::*;
use proptest::prelude::*;

const NOISE_BYTES: usize = 4096;

fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..NOISE_BYTES).map(|_| next()).collect()
}

fn masks(rows: &Rows, a: &[u8], b: &[u8], lead: usize) -> (Vec<u64>, bool) {
    let mut masks = vec![!0; segments(a.len() / 4, lead)];
    let any = (rows.compare)(a, b, lead, &mut masks);
    (masks, any)
}

fn colours(row: &[u8]) -> Vec<[u8; 3]> {
    row.chunks(4).map(|p| [p[0], p[1], p[2]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn kernels_agree_with_the_reference(
        seed in any::<u64>(),
        pixels in 0usize..330,
        lead in 0usize..64,
        offset in 0usize..9,
        edits in prop::collection::vec((0usize..330, 0usize..4, 1u8..), 0..9),
        far in 0usize..2,
    ) {
        let memory = noise(seed);
        let a = &memory[offset..offset + pixels * 4];
        let mut b = a.to_vec();
        for (pixel, byte, flip) in edits.into_iter().filter(|e| e.0 < pixels) {
            b[pixel * 4 + byte] ^= flip;
        }
        if far == 1 {
            b = memory[memory.len() - a.len()..].to_vec();
        }
        let expected = masks(&scalar::ROWS, a, &b, lead);
        for kernel in Kernel::available() {
            let rows = kernel.rows();
            prop_assert_eq!(&masks(rows, a, &b, lead), &expected, "{}", kernel.name());
            let mut updated = memory.clone();
            let mut found = vec![!0; expected.0.len()];
            let to = &mut updated[offset..offset + pixels * 4];
            prop_assert_eq!((rows.update)(to, &b, lead, &mut found), expected.1);
            prop_assert_eq!(colours(to), colours(&b));
            prop_assert_eq!(&found, &expected.0);
            prop_assert_eq!(&updated[..offset], &memory[..offset]);
            prop_assert_eq!(&updated[offset + pixels * 4..], &memory[offset + pixels * 4..]);
        }
    }

    #[test]
    fn kernels_agree_on_edges(seed in any::<u64>(), pixels in 1usize..330, shades in 1u8..9) {
        let row: Vec<u8> = noise(seed)[..pixels * 4].iter().map(|b| b % shades * 31).collect();
        let words = segments(pixels - 1, 0);
        let run = |rows: &Rows| {
            let (mut differs, mut greater) = (vec![!0; words], vec![!0; words]);
            (rows.edges)(&row, &mut differs, &mut greater);
            (differs, greater)
        };
        for kernel in Kernel::available() {
            prop_assert_eq!(run(kernel.rows()), run(&scalar::ROWS), "{}", kernel.name());
        }
    }
}

#[test]
fn one_pixel_is_found_at_every_offset_and_the_undefined_byte_never() {
    let a = noise(5)[..200 * 4].to_vec();
    for kernel in Kernel::available() {
        for pixel in 0..200 {
            let lead = pixel % 64;
            for byte in 0..4 {
                let mut b = a.clone();
                b[pixel * 4 + byte] ^= 0x80;
                let (masks, any) = masks(kernel.rows(), &a, &b, lead);
                assert_eq!(any, byte < 3);
                let ones: u32 = masks.iter().map(|m| m.count_ones()).sum();
                assert_eq!(ones, u32::from(byte < 3));
                if byte < 3 {
                    let bit = lead + pixel;
                    assert_eq!(masks[bit / 64] >> (bit % 64) & 1, 1);
                }
            }
        }
    }
}

#[test]
fn names_are_parsed_and_unknown_ones_refused() {
    for kernel in Kernel::available() {
        assert_eq!(kernel.name().parse(), Ok(kernel));
    }
    assert_eq!("mmx".parse::<Kernel>(), Err(KernelError::Unknown("mmx".into())));
    assert!(Kernel::detect().is_available());
}
