//! Parts of parity: any of a batch's parts that are as many as it has give the whole.
//!
//! Reed-Solomon over GF(2^16) in Lin, Chung and Han's basis ("Novel Polynomial Basis and Its
//! Application to Reed-Solomon Erasure Codes", FOCS 2014), by the crate reed-solomon-simd.

use crate::datagram::Code;
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;

/// So many parts of parity for a batch in parts of `part_bytes`, an even number; the last of them
/// may be shorter.
pub(super) fn parity(data: &[u8], part_bytes: usize, count: u32) -> Vec<Bytes> {
    let parts = data.chunks(part_bytes).map(|part| padded(part, part_bytes));
    let originals = data.len().div_ceil(part_bytes);
    reed_solomon_simd::encode(originals, count as usize, parts)
        .map(|parity| parity.into_iter().map(Bytes::from).collect())
        .unwrap_or_default()
}

/// The whole batch of some of its `count` parts and some of its parity, by their numbers. `None`
/// when they are too few, or not of one batch.
pub(super) fn restore(
    count: u32,
    code: Code,
    parts: &BTreeMap<u32, Bytes>,
    parity: &BTreeMap<u32, Bytes>,
) -> Option<Bytes> {
    let (count, bytes) = (count as usize, code.bytes as usize);
    let part_bytes = parity.first_key_value()?.1.len();
    let last_bytes = bytes.checked_sub((count - 1) * part_bytes)?;
    let fits = |(index, part): (&u32, &Bytes)| {
        let is_last = *index as usize + 1 == count;
        part.len() == if is_last { last_bytes } else { part_bytes }
    };
    let is_of_one = parts.iter().all(fits) && parity.values().all(|p| p.len() == part_bytes);
    if !is_of_one {
        return None;
    }
    let originals = parts.iter().map(|(index, part)| (*index as usize, padded(part, part_bytes)));
    let recovery = parity.iter().map(|(index, part)| (*index as usize, part));
    let restored =
        reed_solomon_simd::decode(count, code.parity as usize, originals, recovery).ok()?;
    let mut data = BytesMut::with_capacity(count * part_bytes);
    for index in 0..count {
        match parts.get(&(index as u32)) {
            Some(part) => data.extend_from_slice(part),
            None => data.extend_from_slice(restored.get(&index)?),
        }
    }
    data.truncate(bytes);
    Some(data.freeze())
}

fn padded(part: &[u8], bytes: usize) -> Vec<u8> {
    let mut padded = part.to_vec();
    padded.resize(bytes, 0);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_many_parts_as_a_batch_has_give_the_whole(
            data in prop::collection::vec(any::<u8>(), 1..6_000),
            half in 50usize..300,
            count in 1u32..20,
            keep in any::<u64>(),
        ) {
            let part_bytes = half * 2;
            let codes = parity(&data, part_bytes, count);
            prop_assert_eq!(codes.len(), count as usize);
            let parts: Vec<_> = data.chunks(part_bytes).map(Bytes::copy_from_slice).collect();
            let all: Vec<_> = parts.iter().chain(&codes).cloned().collect();
            // Any of them, in any order: a start and a step without a common divisor.
            let step = (1..).map(|n| keep as usize % all.len() + n);
            let step = step.into_iter().find(|step| coprime(*step, all.len())).unwrap();
            let kept = (0..parts.len()).map(|n| (n * step + keep as usize) % all.len());
            let (mut some, mut some_parity) = (BTreeMap::new(), BTreeMap::new());
            for at in kept {
                match at.checked_sub(parts.len()) {
                    None => some.insert(at as u32, all[at].clone()),
                    Some(parity) => some_parity.insert(parity as u32, all[at].clone()),
                };
            }
            let code = Code { parity: count, bytes: data.len() as u32 };
            let (whole, count) = (Bytes::from(data), parts.len() as u32);
            if !some_parity.is_empty() {
                prop_assert_eq!(restore(count, code, &some, &some_parity), Some(whole));
                let without = some.pop_first().or_else(|| some_parity.pop_first());
                prop_assert!(without.is_some());
                prop_assert_eq!(restore(count, code, &some, &some_parity), None);
            }
        }

        #[test]
        fn any_parts_give_something_or_nothing(
            count in 1u32..40,
            parity in 1u32..20,
            bytes in 0u32..20_000,
            some in prop::collection::btree_map(
                0u32..40, prop::collection::vec(any::<u8>(), 0..60), 0..30),
            some_parity in prop::collection::btree_map(
                0u32..20, prop::collection::vec(any::<u8>(), 0..60), 0..10),
        ) {
            let bytes_of = |some: BTreeMap<u32, Vec<u8>>| {
                some.into_iter().map(|(index, data)| (index, data.into())).collect()
            };
            let code = Code { parity, bytes };
            let _ = restore(count, code, &bytes_of(some), &bytes_of(some_parity));
        }
    }

    #[test]
    fn the_example_of_the_protocol() {
        let data: Vec<u8> = (1..=11).collect();
        let [first, _] = &parity(&data, 4, 2)[..] else { panic!() };
        assert_eq!(first[..], [0xbc, 0x4e, 0x0b, 0x01]);
    }

    fn coprime(a: usize, b: usize) -> bool {
        if b == 0 { a == 1 } else { coprime(b, a % b) }
    }
}
