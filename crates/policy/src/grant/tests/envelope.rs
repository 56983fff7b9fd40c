//! Envelopes that are not quite right.

use super::*;
use crate::identity::CborError;

fn with_header(header: &Value) -> Vec<u8> {
    Envelope { protected: encoded(header), ..Envelope::new(GRANT, &payload()) }.bytes()
}

fn cbor(error: CborError) -> EnvelopeError {
    EnvelopeError::Cbor(error)
}

#[test]
fn algorithms_other_than_ed25519_are_refused_wherever_they_are_named() {
    let mut cases = Cases(0);
    // EdDSA, ES256, ES384, ES512, ES256K, PS256, RS1, HMAC, Ed448, A128GCM, reserved, unassigned.
    for algorithm in [-8, -7, -35, -36, -47, -37, -65_535, 5, -53, 1, 0, -999] {
        let header = with(&header(GRANT), &[1], Some(algorithm.into()));
        cases.refused("algorithm", &with_header(&header), EnvelopeError::Algorithm);
    }
    for algorithm in [Value::from("Ed25519"), Value::Bytes(vec![0x32]), Value::Bool(true)] {
        let header = with(&header(GRANT), &[1], Some(algorithm));
        cases.refused("algorithm", &with_header(&header), EnvelopeError::Algorithm);
    }
    let header = with(&header(GRANT), &[1], None);
    cases.refused("no algorithm", &with_header(&header), EnvelopeError::Algorithm);
    for unprotected in [
        map(&[(1, (-19).into())]),
        map(&[(1, (-8).into())]),
        map(&[(4, Value::Bytes(vec![1]))]),
        map(&[(99, Value::Bool(true))]),
    ] {
        let unprotected = encoded(&unprotected);
        let bytes = Envelope { unprotected, ..Envelope::new(GRANT, &payload()) }.bytes();
        cases.refused("unprotected", &bytes, EnvelopeError::Unprotected);
    }
}

#[test]
fn headers_that_are_critical_or_unknown_are_refused() {
    let mut cases = Cases(0);
    for critical in [vec![1], vec![4], vec![16], vec![-65_537], vec![]] {
        let critical = critical.into_iter().map(|label: i64| label.into()).collect();
        let header = with(&header(GRANT), &[2], Some(Value::Array(critical)));
        cases.refused("crit", &with_header(&header), EnvelopeError::Critical);
    }
    // Content type, IV, partial IV, counter signature, x5chain, x5u, KID context, own.
    for label in [3, 5, 6, 7, 33, 35, 10, -70_000] {
        let header = with(&header(GRANT), &[label], Some(Value::Bytes(vec![1])));
        let error = EnvelopeError::Header { label: format!("Int({label})") };
        cases.refused("header", &with_header(&header), error);
    }
    let Value::Map(mut entries) = header(GRANT) else { unreachable!() };
    entries.push(("a".into(), 1.into()));
    let error = EnvelopeError::Header { label: "Text(\"a\")".into() };
    cases.refused("text label", &with_header(&Value::Map(entries)), error);
}

#[test]
fn credentials_of_another_kind_or_key_are_refused() {
    let mut cases = Cases(0);
    let wrong = EnvelopeError::MediaType { expected: GRANT };
    for other in [DEVICE, REVOCATIONS, "application/cwt", "", "application/farpane-grant+cwt "] {
        let bytes = Envelope::new(other, &payload()).bytes();
        cases.refused("type", &bytes, wrong.clone());
    }
    for value in [None, Some(Value::from(61)), Some(Value::Bytes(GRANT.as_bytes().to_vec()))] {
        let header = with(&header(GRANT), &[16], value);
        cases.refused("type", &with_header(&header), wrong.clone());
    }
    let id = key(1).public_key().id();
    let other = key(2).public_key().id().to_vec();
    for key_id in [vec![], vec![0; 16], id[..15].to_vec(), [&id[..], &[0]].concat(), other] {
        let header = with(&header(GRANT), &[4], Some(Value::Bytes(key_id)));
        cases.refused("key id", &with_header(&header), EnvelopeError::UnknownKey);
    }
    for value in [None, Some(Value::from("1")), Some(Value::from(1))] {
        let header = with(&header(GRANT), &[4], value);
        cases.refused("key id", &with_header(&header), EnvelopeError::UnknownKey);
    }
    let forged = Envelope { key: key(2), ..Envelope::new(GRANT, &payload()) }.bytes();
    cases.refused("another's signature", &forged, EnvelopeError::Signature);
    let device = authority().device(&device_claims()).unwrap();
    cases.refused("a device's certificate", &device, wrong);
}

#[test]
fn signatures_of_other_bytes_or_lengths_are_refused() {
    let mut cases = Cases(0);
    let bytes = sealed(&payload());
    for at in bytes.len() - 64..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        cases.refused("a bit of the signature", &changed, EnvelopeError::Signature);
    }
    for length in [0, 1, 32, 63, 65, 96, 128] {
        let signature = Some(vec![1; length]);
        let bytes = Envelope { signature, ..Envelope::new(GRANT, &payload()) }.bytes();
        let error = EnvelopeError::SignatureLength { bytes: length };
        cases.refused("length", &bytes, error);
    }
    let text = [b"Ada Lovelace", b"Eve Lovelace"];
    let at = bytes.windows(12).position(|window| window == text[0]).unwrap();
    let mut changed = bytes.clone();
    changed[at..at + 12].copy_from_slice(text[1]);
    cases.refused("another name", &changed, EnvelopeError::Signature);
    let zero = Envelope { signature: Some(vec![0; 64]), ..Envelope::new(GRANT, &payload()) };
    cases.refused("a signature of zeros", &zero.bytes(), EnvelopeError::Signature);
}

#[test]
fn bytes_that_are_no_envelope_are_refused() {
    let mut cases = Cases(0);
    let bytes = sealed(&payload());
    cases.refused("nothing", &[], EnvelopeError::Shape);
    for tag in [0xd1, 0xd0, 0x84, 0x00, 0xff, b'{'] {
        let changed = [&[tag][..], &bytes[1..]].concat();
        cases.refused("tag", &changed, EnvelopeError::Tag { byte: tag });
    }
    cases.refused(
        "tag in two bytes",
        &[&[0xd8, 0x12][..], &bytes[1..]].concat(),
        EnvelopeError::Tag { byte: 0xd8 },
    );
    for length in [1, 2, 3, 10, 60, 100, bytes.len() - 1] {
        cases.refused("cut", &bytes[..length], cbor(CborError::Truncated));
    }
    for more in [1, 2, 100] {
        let longer = [&bytes[..], &vec![0; more]].concat();
        cases.refused("trailing", &longer, cbor(CborError::Trailing { bytes: more }));
    }
    let twice = [&bytes[..], &bytes].concat();
    let trailing = cbor(CborError::Trailing { bytes: bytes.len() });
    cases.refused("two grants", &twice, trailing);
    let too_large = EnvelopeError::TooLarge { bytes: 8193, most: 8192 };
    cases.refused("8193 bytes", &vec![0xd2; 8193], too_large);
    let (three, five) = ([0x83, 0x40, 0xa0, 0x40], [0x85, 0x40, 0xa0, 0x40, 0x40, 0x40]);
    let others: [&[u8]; 8] = [
        &three,
        &five,
        &[0xa0],
        &[0x01],
        &[0x84, 0x40, 0xa0, 0x01, 0x40],
        &[0x84, 0x40, 0x40, 0x40, 0x40],
        &[0x84, 0xa0, 0xa0, 0x40, 0x40],
        &[0x84, 0x40, 0xa0, 0x40, 0x60],
    ];
    for other in others {
        cases.refused("shape", &[&[0xd2][..], other].concat(), EnvelopeError::Shape);
    }
    let detached = [0xd2, 0x84, 0x40, 0xa0, 0xf6, 0x40];
    let error = CborError::Unsupported { at: 3, byte: 0xf6 };
    cases.refused("no payload", &detached, cbor(error));
    let header = Envelope { protected: vec![], ..Envelope::new(GRANT, &payload()) };
    cases.refused("an empty header", &header.bytes(), cbor(CborError::Truncated));
    let header = Envelope { protected: vec![0x80], ..Envelope::new(GRANT, &payload()) };
    cases.refused("a header that is a list", &header.bytes(), EnvelopeError::Shape);
    let indefinite = [&[0xd2, 0x9f][..], &bytes[2..], &[0xff]].concat();
    cases.refused("indefinite", &indefinite, cbor(CborError::Indefinite { at: 0 }));
}

#[test]
fn a_credential_may_be_as_large_as_its_kind_allows() {
    let mut cases = Cases(0);
    let kind = |max_bytes| crate::cose::Kind { media_type: GRANT, max_bytes };
    let bytes = sealed(&payload());
    let most = bytes.len() - 1;
    let too_large = EnvelopeError::TooLarge { bytes: bytes.len(), most };
    assert_eq!(crate::cose::seal(kind(bytes.len()), &payload(), &key(1)), Ok(bytes.clone()));
    assert_eq!(crate::cose::seal(kind(most), &payload(), &key(1)), Err(too_large.clone()));
    assert_eq!(crate::cose::open(kind(bytes.len()), &bytes, &tenant()), Ok(payload()));
    assert_eq!(crate::cose::open(kind(most), &bytes, &tenant()), Err(too_large));
    cases.0 += 2;
}

#[test]
fn a_header_or_a_payload_has_one_encoding() {
    let mut cases = Cases(0);
    let good = encoded(&header(GRANT));
    let mut bad: Vec<(Vec<u8>, CborError)> = vec![
        ([&[0xbf][..], &good[1..], &[0xff]].concat(), CborError::Indefinite { at: 0 }),
        ([&[0xb8, 0x03][..], &good[1..]].concat(), CborError::LongForm { at: 0 }),
        ([&[0xa4, 0x01, 0x32][..], &good[1..]].concat(), CborError::DuplicateKey { at: 3 }),
        ([&[0xa4, 0x04, 0x40][..], &good[1..]].concat(), CborError::KeyOrder { at: 3 }),
        ([&good[..], &[0]].concat(), CborError::Trailing { bytes: 1 }),
        (vec![0xa1, 0x18, 0x01, 0x32], CborError::LongForm { at: 1 }),
    ];
    for (protected, error) in bad.drain(..) {
        let bytes = Envelope { protected, ..Envelope::new(GRANT, &payload()) }.bytes();
        cases.refused("header", &bytes, cbor(error));
    }
    let good = encoded(&payload());
    let nested = [vec![0xa1, 0x00], vec![0x81; 12], vec![0x00]].concat();
    let bad: Vec<(Vec<u8>, CborError)> = vec![
        (vec![], CborError::Truncated),
        (good[..good.len() - 1].to_vec(), CborError::Truncated),
        ([&good[..], &[0x00]].concat(), CborError::Trailing { bytes: 1 }),
        ([&[0xbf][..], &good[1..], &[0xff]].concat(), CborError::Indefinite { at: 0 }),
        (vec![0xa1, 0x01, 0x7f, 0x61, b'a', 0xff], CborError::Indefinite { at: 2 }),
        (vec![0xa1, 0x01, 0x5f, 0x41, 0, 0xff], CborError::Indefinite { at: 2 }),
        (vec![0xa1, 0x01, 0x9f, 0xff], CborError::Indefinite { at: 2 }),
        (vec![0xa2, 0x01, 0x00, 0x01, 0x00], CborError::DuplicateKey { at: 3 }),
        (vec![0xa2, 0x04, 0x00, 0x04, 0x01], CborError::DuplicateKey { at: 3 }),
        (vec![0xa2, 0x20, 0x00, 0x01, 0x00], CborError::KeyOrder { at: 3 }),
        (vec![0xa1, 0x01, 0x61, 0xff], CborError::NotUtf8 { at: 2 }),
        (vec![0xa1, 0x04, 0x1a, 0, 0, 0, 1], CborError::LongForm { at: 2 }),
        (
            vec![0xa1, 0x04, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            CborError::Unsupported { at: 2, byte: 0xfb },
        ),
        (vec![0xa1, 0x04, 0xc1, 0x00], CborError::Unsupported { at: 2, byte: 0xc1 }),
        (vec![0xa1, 0x04, 0xf7], CborError::Unsupported { at: 2, byte: 0xf7 }),
        (vec![0xd8, 0x3d, 0xa0], CborError::Unsupported { at: 0, byte: 0xd8 }),
        (nested, CborError::TooDeep { at: 10 }),
    ];
    for (payload_bytes, error) in bad {
        let envelope = Envelope { payload: payload_bytes, ..Envelope::new(GRANT, &payload()) };
        cases.refused("payload", &envelope.bytes(), cbor(error));
    }
}

#[test]
fn no_cut_and_no_changed_bit_passes_or_panics() {
    let bytes = sealed(&payload());
    let trust = trust(&[]);
    for length in 0..bytes.len() {
        assert!(Grant::verify(&bytes[..length], &trust, NOW_S).is_err());
    }
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(Grant::verify(&changed, &trust, NOW_S).is_err(), "bit {bit}");
    }
}
