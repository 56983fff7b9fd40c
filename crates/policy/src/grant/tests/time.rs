//! Time and revocation.

use super::*;
use crate::identity::{CredentialId, MAX_SKEW_S, Validity};

fn lasting(not_before_s: u64, expires_s: u64, issued_s: u64) -> Vec<u8> {
    let payload = with(&payload(), &[5], Some(not_before_s.into()));
    let payload = with(&payload, &[4], Some(expires_s.into()));
    sealed(&with(&payload, &[6], Some(issued_s.into())))
}

#[test]
fn a_grant_counts_from_its_start_to_its_end_and_a_skew_beside_them() {
    let mut cases = Cases(0);
    let bytes = lasting(NOW_S, NOW_S + 3600, NOW_S);
    let (not_before_s, expires_s) = (NOW_S, NOW_S + 3600);
    for skew_s in [0, 60, 300, 301, u64::MAX] {
        let trust = trust(&[]).with_skew_s(skew_s);
        let skew_s = skew_s.min(MAX_SKEW_S);
        let verdict = |now_s| Grant::verify(&bytes, &trust, now_s).map(|_| ());
        assert_eq!(verdict(NOW_S - skew_s), Ok(()));
        assert_eq!(verdict(NOW_S + 3599 + skew_s), Ok(()));
        let now_s = NOW_S - skew_s - 1;
        let error = CredentialError::IssuedLater { issued_s: not_before_s, now_s };
        assert_eq!(verdict(now_s), Err(error));
        let now_s = NOW_S + 3600 + skew_s;
        assert_eq!(verdict(now_s), Err(CredentialError::Expired { expires_s, now_s }));
        cases.0 += 2;
    }
    let later = lasting(NOW_S + 61, NOW_S + 3600, NOW_S);
    let error = CredentialError::NotYet { not_before_s: NOW_S + 61, now_s: NOW_S };
    cases.refused("not yet", &later, error);
    let trust = trust(&[]);
    for now_s in [0, 1, NOW_S / 2] {
        let error = CredentialError::IssuedLater { issued_s: NOW_S, now_s };
        assert_eq!(Grant::verify(&bytes, &trust, now_s), Err(error));
        cases.0 += 1;
    }
    let error = CredentialError::Expired { expires_s, now_s: u64::MAX };
    assert_eq!(Grant::verify(&bytes, &trust, u64::MAX), Err(error));
    cases.0 += 1;
}

#[test]
fn spans_that_are_none_or_too_long_are_refused() {
    let mut cases = Cases(0);
    let spans = [
        (NOW_S, NOW_S, NOW_S),
        (NOW_S + 1, NOW_S, NOW_S),
        (NOW_S, NOW_S + 10, NOW_S + 10),
        (NOW_S, NOW_S + 10, NOW_S + 11),
        (NOW_S, NOW_S, NOW_S - 1),
        (NOW_S + 1, NOW_S, NOW_S - 1),
        (0, 0, 0),
        (u64::MAX, 1, 1),
    ];
    for (not_before_s, expires_s, issued_s) in spans {
        let error = CredentialError::Span { issued_s, not_before_s, expires_s };
        cases.refused("span", &lasting(not_before_s, expires_s, issued_s), error);
    }
    let most = MAX_GRANT_S;
    assert_eq!(most, 2_678_400, "31 days");
    for seconds in [most + 1, 2 * most] {
        let error = CredentialError::Lifetime { seconds, most };
        cases.refused("long", &lasting(NOW_S, NOW_S + seconds, NOW_S), error);
    }
    let error = CredentialError::Lifetime { seconds: u64::MAX, most };
    cases.refused("for ever", &lasting(0, u64::MAX, 0), error);
    // Whoever signs today for a time to come signs for no longer than others.
    let error = CredentialError::Lifetime { seconds: most + 3600, most };
    cases.refused("kept back", &lasting(NOW_S + most, NOW_S + most + 3600, NOW_S), error);
    assert!(Grant::verify(&lasting(NOW_S, NOW_S + most, NOW_S), &trust(&[]), NOW_S).is_ok());
}

#[test]
fn what_was_revoked_is_refused_and_without_a_fresh_list_everything_is() {
    let mut cases = Cases(0);
    let claims = GrantClaims { validity: Validity::starting(NOW_S, MAX_GRANT_S), ..grant_claims() };
    let bytes = authority().grant(&claims).unwrap();
    let error = CredentialError::Revoked { id: "03".repeat(16) };
    for others in [vec![3], vec![1, 3], vec![3, 9], vec![1, 2, 3, 4]] {
        let ids: Vec<_> = others.into_iter().map(|n| CredentialId([n; 16])).collect();
        assert_eq!(Grant::verify(&bytes, &trust(&ids), NOW_S), Err(error.clone()));
        cases.0 += 1;
    }
    let near = [CredentialId([2; 16]), CredentialId([4; 16])];
    assert!(Grant::verify(&bytes, &trust(&near), NOW_S).is_ok());
    let never = Trust::new(tenant());
    let stale = |expires_s, now_s| Err(CredentialError::StaleRevocations { expires_s, now_s });
    assert_eq!(Grant::verify(&bytes, &never, NOW_S), stale(0, NOW_S));
    for now_s in [NOW_S + 86_400, NOW_S + 86_401, NOW_S + 7 * 86_400] {
        assert_eq!(Grant::verify(&bytes, &trust(&[]), now_s), stale(NOW_S + 86_400, now_s));
        cases.0 += 1;
    }
    assert!(Grant::verify(&bytes, &trust(&[]), NOW_S + 86_399).is_ok());
    cases.0 += 1;
}

#[test]
fn revocation_lists_only_ever_grow_newer() {
    let mut cases = Cases(0);
    let list = |number, ids: &[u8]| {
        let ids: Vec<_> = ids.iter().map(|n| CredentialId([*n; 16])).collect();
        authority().revocations(&revocations(number, &ids)).unwrap()
    };
    let mut trust = Trust::new(tenant());
    trust.update(&list(5, &[1]), NOW_S).unwrap();
    trust.update(&list(5, &[1]), NOW_S).unwrap();
    for found in [1, 4] {
        let error = CredentialError::OldRevocations { found, known: 5 };
        assert_eq!(trust.update(&list(found, &[]), NOW_S), Err(error));
        cases.0 += 1;
    }
    let error = CredentialError::TwoRevocations { number: 5 };
    assert_eq!(trust.update(&list(5, &[]), NOW_S), Err(error));
    assert_eq!(trust.revocations().unwrap().revoked.len(), 1, "what is known stays");
    trust.update(&list(6, &[1, 2]), NOW_S).unwrap();
    cases.0 += 1;
}

#[test]
fn revocation_lists_are_read_as_strictly() {
    let mut cases = Cases(0);
    let bytes = authority().revocations(&revocations(1, &[CredentialId([1; 16])])).unwrap();
    let kind = crate::cose::Kind { media_type: REVOCATIONS, max_bytes: 1 << 17 };
    let base = crate::cose::open(kind, &bytes, &tenant()).unwrap();
    let mut refused = |path: &[i64], value: Option<Value>, error: CredentialError| {
        let bytes = Envelope::new(REVOCATIONS, &with(&base, path, value)).bytes();
        assert_eq!(Trust::new(tenant()).update(&bytes, NOW_S), Err(error));
        cases.0 += 1;
    };
    let labels = [(1, "iss"), (4, "exp"), (5, "nbf"), (6, "iat")];
    for (label, claim) in labels.into_iter().chain([(-65_550, "number"), (-65_551, "revoked")]) {
        refused(&[label], None, CredentialError::Missing { claim });
    }
    let error = CredentialError::UnknownClaim { label: "7".into() };
    refused(&[7], Some(Value::Bytes(vec![1; 16])), error);
    let (claim, expected) = ("number", "a whole number from 1 on");
    refused(&[-65_550], Some(0.into()), CredentialError::Type { claim, expected });
    let (claim, expected) = ("revoked", "a list of ids of 16 bytes");
    for bad in [Value::from("x"), Value::Bytes(vec![1; 15])] {
        let error = CredentialError::Type { claim, expected };
        refused(&[-65_551], Some(Value::Array(vec![bad])), error);
    }
    let id = |n| Value::Bytes(vec![n; 16]);
    for ids in [vec![id(2), id(1)], vec![id(1), id(1)]] {
        refused(&[-65_551], Some(Value::Array(ids)), CredentialError::Unordered { claim });
    }
    let later = NOW_S + 8 * 86_400;
    let error = CredentialError::Lifetime { seconds: 8 * 86_400, most: 7 * 86_400 };
    refused(&[4], Some(later.into()), error);
    let (expected, found) = (authority().tenant().to_string(), "other".to_owned());
    let error = CredentialError::Tenant { expected, found };
    refused(&[1], Some("other".into()), error);
    let error = CredentialError::IssuedLater { issued_s: NOW_S + 61, now_s: NOW_S };
    refused(&[6], Some((NOW_S + 61).into()), error);
    let many: Vec<_> = (0..4097_u128).map(|n| CredentialId(n.to_be_bytes())).collect();
    let error = CredentialError::Length { claim: "revoked", count: 4097, least: 0, most: 4096 };
    assert_eq!(authority().revocations(&revocations(1, &many)), Err(error));
    let longest = authority().revocations(&revocations(1, &many[1..])).unwrap();
    assert_eq!(Trust::new(tenant()).update(&longest, NOW_S), Ok(()));
    let (bytes, most) = (70_657, 70_656);
    let error = EnvelopeError::TooLarge { bytes, most };
    let verdict = Trust::new(tenant()).update(&vec![0xd2; bytes], NOW_S);
    assert_eq!(verdict, Err(error.into()));
    cases.0 += 2;
}
