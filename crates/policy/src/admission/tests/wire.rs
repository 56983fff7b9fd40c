//! Messages that are cut, changed, too long or of kinds that there are not.

use super::*;
use crate::admission::credential::{MAX_CREDENTIAL_BYTES, MAX_PRESENTED_TOKEN_BYTES};
use crate::identity::ProofError;
use crate::oidc::SessionBinding;

const BY_TOKEN: usize = 1;

/// One message of each shape; the second is by a token.
fn messages() -> [Vec<u8>; 4] {
    let token = tokens::helper().present(&exporter(), SESSION);
    [present(&helper()), token, present(&sharer()), present(&sharer_with_grace())]
        .map(|presented| presented.to_bytes())
}

/// Where the version of the software stands, which is an end's own word.
const SOFTWARE_BYTES: std::ops::Range<usize> = 2..8;

#[test]
fn what_was_cut_or_lengthened_is_no_message() {
    let mut cases = Cases::of("truncated or lengthened");
    for bytes in messages() {
        for length in 0..bytes.len() {
            assert!(Presented::read(&bytes[..length]).is_err(), "{length}");
            cases.count += 1;
        }
        for more in 1..=64 {
            let longer = [&bytes[..], &vec![0; more]].concat();
            assert_eq!(Presented::read(&longer), Err(PresentedError::Trailing { bytes: more }));
            cases.count += 1;
        }
    }
}

#[test]
fn no_byte_of_a_message_can_be_another() {
    let mut cases = Cases::of("changed bytes");
    for (at, bytes) in messages().into_iter().enumerate() {
        let mut rules = if at == BY_TOKEN { tokens::rules() } else { rules() };
        let is_admitted = |rules: &mut Rules, shown: &Presented| {
            let (helper, sharer) = (
                rules.admit(shown, &exporter(), SESSION, NOW_S),
                rules.check_sharer(shown, &exporter(), SESSION, NOW_S),
            );
            helper.is_ok() || sharer.is_ok()
        };
        assert!(is_admitted(&mut rules, &Presented::read(&bytes).unwrap()));
        let places = (0..bytes.len()).filter(|at| !SOFTWARE_BYTES.contains(at));
        for (at, flipped) in places.flat_map(|at| [(at, 1 << (at % 8)), (at, 0xff)]) {
            let mut changed = bytes.clone();
            changed[at] ^= flipped;
            let Ok(read) = Presented::read(&changed) else {
                cases.count += 1;
                continue;
            };
            assert_eq!(read.to_bytes(), changed, "there is one encoding");
            assert!(!is_admitted(&mut rules, &read), "byte {at}");
            cases.count += 1;
        }
        for at in SOFTWARE_BYTES {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_ne!(Presented::read(&changed).unwrap().software(), SOFTWARE);
        }
    }
}

#[test]
fn kinds_and_versions_that_there_are_not_are_named() {
    let mut cases = Cases::of("kinds and versions");
    let mut named = |at: usize, of: &[u8], fine: &[u8], error: &dyn Fn(u8) -> PresentedError| {
        for value in (0..=u8::MAX).filter(|value| !fine.contains(value)) {
            let mut changed = of.to_vec();
            changed[at] = value;
            assert_eq!(Presented::read(&changed), Err(error(value)), "{at}: {value}");
            cases.count += 1;
        }
    };
    let [helper, _, sharer, _] = messages();
    named(0, &helper, &[1], &|version| PresentedError::Version { version });
    named(1, &helper, &[1, 2], &|kind| PresentedError::Kind { of: "end", kind });
    named(8, &helper, &[1, 2], &|kind| PresentedError::Kind { of: "credential", kind });
    let (proof, last) = (helper.len() - 65, sharer.len() - 1);
    let version = |version| PresentedError::Proof(ProofError::Version { version });
    named(proof, &helper, &[1], &version);
    named(last, &sharer, &[0, 1], &|kind| PresentedError::Kind { of: "person", kind });
}

fn length(of: &'static str, bytes: usize, most: usize) -> PresentedError {
    PresentedError::Length { of, bytes, most }
}

#[test]
fn what_is_too_large_is_neither_presented_nor_read() {
    let mut cases = Cases::of("oversize");
    let (credential, token) = (MAX_CREDENTIAL_BYTES, MAX_PRESENTED_TOKEN_BYTES);
    // As docs/identity.md has them.
    assert_eq!((credential, token, MAX_PRESENTED_BYTES), (8_192, 7_680, 16_320));
    let binding = SessionBinding { key: key(4).public_key(), salt: [7; 32] };
    for bytes in [0, credential + 1, 2 * credential, 1 << 20] {
        let error = length("grant", bytes, credential);
        assert_eq!(Credential::grant(vec![0; bytes]).err(), Some(error));
        let error = length("certificate", bytes, credential);
        assert_eq!(Certificate::new(vec![0; bytes]).err(), Some(error));
        cases.count += 2;
    }
    for bytes in [0, token + 1, 1 << 20] {
        let error = length("token", bytes, token);
        assert_eq!(Credential::token("a".repeat(bytes), binding).err(), Some(error));
        cases.count += 1;
    }
    for text in ["a b", "a\n", "é", "a\u{202e}"] {
        let verdict = Credential::token(text.into(), binding);
        assert_eq!(verdict.err(), Some(PresentedError::Token));
        cases.count += 1;
    }
    let largest = || Certificate::new(vec![0; credential]).unwrap();
    let grant = Credential::grant(vec![0; credential]).unwrap();
    let verdict = Holder::sharer(largest(), key(2), Some((grant, key(4))), SOFTWARE);
    assert!(matches!(verdict, Err(PresentedError::TooLarge { bytes: 16_385.. })));
    let other = Credential::token("a".into(), binding).unwrap();
    let verdict = Holder::helper(other.clone(), key(5), SOFTWARE);
    assert_eq!(verdict.err(), Some(PresentedError::OtherKey));
    let verdict = Holder::sharer(largest(), key(2), Some((other, key(5))), SOFTWARE);
    assert_eq!(verdict.err(), Some(PresentedError::OtherKey));
    for bytes in [MAX_PRESENTED_BYTES + 1, 1 << 20] {
        let error = PresentedError::TooLarge { bytes };
        assert_eq!(Presented::read(&vec![1; bytes]), Err(error));
        cases.count += 1;
    }
    // Lengths that say more than there may be, with all the bytes behind them.
    let claimed = |at: usize, of: &[u8], bytes: usize| {
        let head = [&of[..at], &(bytes as u16).to_be_bytes()[..]].concat();
        Presented::read(&[head, vec![1; bytes.min(16_000)]].concat()).err()
    };
    let [helper, by_token, sharer, _] = messages();
    for bytes in [0, credential + 1, usize::from(u16::MAX)] {
        assert_eq!(claimed(9, &helper, bytes), Some(length("grant", bytes, credential)));
        assert_eq!(claimed(8, &sharer, bytes), Some(length("certificate", bytes, credential)));
        let bytes = if bytes == 0 { 0 } else { bytes.min(token + 1) };
        assert_eq!(claimed(73, &by_token, bytes), Some(length("token", bytes, token)));
        cases.count += 3;
    }
    cases.count += 3;
}

#[test]
fn the_largest_token_fits_beside_the_largest_certificate() {
    let binding = SessionBinding { key: key(4).public_key(), salt: [7; 32] };
    let token = Credential::token("a".repeat(MAX_PRESENTED_TOKEN_BYTES), binding).unwrap();
    let certificate = Certificate::new(vec![0; MAX_CREDENTIAL_BYTES]).unwrap();
    let person = Some((token, key(4)));
    let holder = Holder::sharer(certificate, key(2), person, SOFTWARE).unwrap();
    let bytes = present(&holder).to_bytes();
    assert!(bytes.len() > 15 * 1024 && bytes.len() <= MAX_PRESENTED_BYTES, "{}", bytes.len());
}

#[test]
fn two_credentials_fill_a_message_to_its_last_byte_and_no_further() {
    let holder = |grant: usize| {
        let certificate = Certificate::new(vec![0; MAX_CREDENTIAL_BYTES]).unwrap();
        let grant = Credential::grant(vec![0; grant]).unwrap();
        Holder::sharer(certificate, key(2), Some((grant, key(4))), SOFTWARE)
    };
    let beside = present(&holder(1).unwrap()).to_bytes().len() - 1;
    let most = MAX_PRESENTED_BYTES - beside;
    assert_eq!(present(&holder(most).unwrap()).to_bytes().len(), MAX_PRESENTED_BYTES);
    let error = PresentedError::TooLarge { bytes: MAX_PRESENTED_BYTES + 1 };
    assert_eq!(holder(most + 1).err(), Some(error));
}

#[test]
fn random_bytes_and_changed_bytes_never_panic() {
    use proptest::prelude::*;
    let messages = messages();
    let random = prop::collection::vec(any::<u8>(), 0..512);
    let changed = (0..4_usize, prop::collection::vec((any::<usize>(), any::<u8>()), 0..8));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(bytes in random, (of, changes) in changed)| {
        let mut message = messages[of].clone();
        for (at, byte) in changes {
            let length = message.len();
            message[at % length] = byte;
        }
        for bytes in [&bytes, &message] {
            if let Ok(read) = Presented::read(bytes) {
                prop_assert_eq!(&read.to_bytes(), bytes);
            }
        }
    });
}
