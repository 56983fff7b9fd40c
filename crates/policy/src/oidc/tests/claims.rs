//! Tokens that the provider itself signed, with claims that are not right.

use super::*;
use crate::PeerError;

const SIGNER: Signer = Signer::Ed25519;

#[test]
fn every_claim_must_be_there() {
    let mut cases = Cases(0);
    let required = [
        "iss",
        "tid",
        "aud",
        "oid",
        "sub",
        "exp",
        "nbf",
        "iat",
        "nonce",
        "amr",
        "auth_time",
        "name",
    ];
    for claim in required {
        cases.refused(&SIGNER.with(claim, None), TokenError::Missing { claim });
    }
}

#[test]
fn tokens_of_others_are_refused() {
    let mut cases = Cases(0);
    let expected = profile().issuer().to_owned();
    let other = "11111111-2222-3333-4444-555555555555";
    for found in [
        format!("{expected}/"),
        expected.replace("https", "http"),
        expected.to_uppercase(),
        expected.replace("example", "test"),
        expected.replace(TENANT, other),
        expected.replace(TENANT, "common"),
        expected.replace(TENANT, "{tenantid}"),
        format!("{expected}?x"),
        format!(" {expected}"),
        String::new(),
    ] {
        let error = TokenError::Issuer { expected: expected.clone(), found: found.clone() };
        cases.refused(&SIGNER.with("iss", json!(found)), error);
    }
    for found in [other, &TENANT.to_uppercase(), "", "common", "*", &format!("{TENANT} ")] {
        let error = TokenError::Tenant { expected: TENANT.into(), found: found.to_owned() };
        cases.refused(&SIGNER.with("tid", json!(found)), error);
    }
    for (claim, values) in [
        ("iss", [json!([expected]), json!(1), json!(null), json!({})]),
        ("tid", [json!([TENANT]), json!(1), json!(null), json!({})]),
    ] {
        for value in values {
            let error = TokenError::Claim { claim, expected: "text" };
            cases.refused(&SIGNER.with(claim, value), error);
        }
    }
    for audience in [
        json!("another app"),
        json!(""),
        json!(APP.to_uppercase()),
        json!(format!("{APP} ")),
        json!([]),
        json!([APP, "another app"]),
        json!([APP, APP]),
        json!([[APP]]),
        json!({ "aud": APP }),
        json!(1),
        json!(null),
    ] {
        cases.refused(&SIGNER.with("aud", audience), TokenError::Audience);
    }
    for party in [json!("another app"), json!(null), json!([APP])] {
        cases.refused(&SIGNER.with("azp", party), TokenError::Audience);
    }
}

#[test]
fn tokens_for_other_sessions_are_refused() {
    let mut cases = Cases(0);
    let nonce = binding().nonce();
    let mut others = vec![
        String::new(),
        nonce[..42].to_owned(),
        format!("{nonce}A"),
        format!("{nonce}="),
        nonce.to_lowercase(),
        b64(binding().key.as_bytes()),
        b64([0; 32]),
    ];
    for seed in 12..20 {
        others.push(SessionBinding { key: key(seed).public_key(), ..binding() }.nonce());
        others.push(SessionBinding { salt: [seed; 32], ..binding() }.nonce());
    }
    for other in others {
        cases.refused(&SIGNER.with("nonce", json!(other)), TokenError::Nonce);
    }
    for other in [json!(1), json!(null), json!([nonce])] {
        let error = TokenError::Claim { claim: "nonce", expected: "text" };
        cases.refused(&SIGNER.with("nonce", other), error);
    }
    // A true token, replayed on another connection.
    let token = SIGNER.token(&claims());
    let other = SessionBinding { key: key(12).public_key(), ..binding() };
    assert_eq!(validator().validate(&token, &other, NOW_S), Err(TokenError::Nonce));
    cases.0 += 1;
}

#[test]
fn tokens_count_from_their_start_to_their_end_and_a_skew_beside_them() {
    let mut cases = Cases(0);
    let token = SIGNER.token(&claims());
    for skew_s in [0, 60, 300, 1000] {
        let profile = profile().with_skew_s(skew_s);
        let skew_s = skew_s.min(300);
        let verdict = |now_s: u64| {
            let mut validator = Validator::new(profile.clone());
            validator.handle_keys(&jwks(&[SIGNER.jwk()]), now_s).unwrap();
            validator.validate(&token, &binding(), now_s).map(|_| ())
        };
        assert_eq!(verdict(NOW_S - skew_s), Ok(()));
        assert_eq!(verdict(NOW_S + 3599 + skew_s), Ok(()));
        let now_s = NOW_S - skew_s - 1;
        assert_eq!(verdict(now_s), Err(TokenError::IssuedLater { issued_s: NOW_S, now_s }));
        let (expires_s, now_s) = (NOW_S + 3600, NOW_S + 3600 + skew_s);
        assert_eq!(verdict(now_s), Err(TokenError::Expired { expires_s, now_s }));
        cases.0 += 2;
    }
    for not_before_s in [NOW_S + 61, NOW_S + 3599] {
        let error = TokenError::NotYet { not_before_s, now_s: NOW_S };
        cases.refused(&SIGNER.with("nbf", json!(not_before_s)), error);
    }
    for issued_s in [NOW_S + 61, NOW_S + 3599] {
        let error = TokenError::IssuedLater { issued_s, now_s: NOW_S };
        cases.refused(&SIGNER.with("iat", json!(issued_s)), error);
    }
    let spans = [(NOW_S, NOW_S), (NOW_S - 1, NOW_S), (0, NOW_S), (NOW_S + 86_401, NOW_S)];
    for (expires_s, not_before_s) in spans.into_iter().chain([(u64::MAX, NOW_S)]) {
        let error = TokenError::Span { issued_s: NOW_S, not_before_s, expires_s };
        cases.refused(&SIGNER.with("exp", json!(expires_s)), error);
    }
    let error = TokenError::Span { issued_s: NOW_S, not_before_s: 0, expires_s: NOW_S + 3600 };
    cases.refused(&SIGNER.with("nbf", json!(0)), error);
    let expected = "a whole number of seconds";
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in [json!(-1), json!(1.5), json!("1800000000"), json!(null), json!([NOW_S])] {
            cases.refused(&SIGNER.with(claim, value), TokenError::Claim { claim, expected });
        }
    }
}

#[test]
fn a_sign_in_has_a_second_factor_and_is_fresh() {
    let mut cases = Cases(0);
    for amr in [json!([]), json!(["pwd"]), json!(["MFA"]), json!(["mfa "]), json!(["pwd", "otp"])] {
        cases.refused(&SIGNER.with("amr", amr), TokenError::NoMfa { claim: "amr" });
    }
    let expected = "a list of at most 32 texts";
    let many = json!(vec!["mfa"; 33]);
    for amr in [json!("mfa"), json!(["mfa", 1]), json!([["mfa"]]), json!({ "mfa": 1 }), many] {
        let error = TokenError::Claim { claim: "amr", expected };
        cases.refused(&SIGNER.with("amr", amr), error);
    }
    for at_s in [0, 1, NOW_S - 43_261, NOW_S - 86_400] {
        let error = TokenError::MfaTooOld { at_s, now_s: NOW_S, most_s: 43_200 };
        cases.refused(&SIGNER.with("auth_time", json!(at_s)), error);
    }
    let error = TokenError::IssuedLater { issued_s: NOW_S + 61, now_s: NOW_S };
    cases.refused(&SIGNER.with("auth_time", json!(NOW_S + 61)), error);
    let mut entra = Validator::new(entra());
    entra.handle_keys(&jwks(&[SIGNER.jwk()]), NOW_S).unwrap();
    let mut of_context = |acrs: Value| {
        let token = SIGNER.with("acrs", acrs);
        entra.validate(&token, &binding(), NOW_S).map(|_| ())
    };
    assert_eq!(of_context(json!(["p1", "c7"])), Ok(()));
    let claim = "acrs";
    for acrs in [json!([]), json!(["c1"]), json!(["C7"]), json!(["mfa"])] {
        assert_eq!(of_context(acrs), Err(TokenError::NoMfa { claim }));
    }
    for acrs in [json!("c7"), json!(7), json!({ "c7": true })] {
        assert_eq!(of_context(acrs), Err(TokenError::Claim { claim, expected }));
    }
    let verdict = entra.validate(&SIGNER.token(&claims()), &binding(), NOW_S);
    assert_eq!(verdict, Err(TokenError::Missing { claim }), "`amr` is no context");
    cases.0 += 8;
    let mut strict = Validator::new(profile().with_mfa_age_s(300));
    strict.handle_keys(&jwks(&[SIGNER.jwk()]), NOW_S).unwrap();
    let error = TokenError::MfaTooOld { at_s: NOW_S - 600, now_s: NOW_S, most_s: 300 };
    let verdict = strict.validate(&SIGNER.token(&claims()), &binding(), NOW_S);
    assert_eq!(verdict, Err(error));
    cases.0 += 1;
}

#[test]
fn names_that_deceive_are_refused_and_identifiers_are_plain() {
    let mut cases = Cases(0);
    for claim in ["name", "jobTitle", "companyName"] {
        let shown = |source| TokenError::Shown { claim, source };
        for code in [0x00, 0x0a, 0x1b, 0x7f, 0x9b, 0x200b, 0x200f, 0x202e, 0x2066, 0xfeff, 0x61c] {
            let text = format!("A{}da", char::from_u32(code).unwrap());
            let error = shown(PeerError::Deceptive { code });
            cases.refused(&SIGNER.with(claim, json!(text)), error);
        }
        cases.refused(&SIGNER.with(claim, json!("")), shown(PeerError::Empty));
        let error = shown(PeerError::TooLong { chars: 65 });
        cases.refused(&SIGNER.with(claim, json!("x".repeat(65))), error);
        for value in [json!(1), json!(null), json!(["Ada"])] {
            let error = TokenError::Claim { claim, expected: "text" };
            cases.refused(&SIGNER.with(claim, value), error);
        }
    }
    let expected = "1 to 128 visible ASCII characters";
    for claim in ["oid", "sub"] {
        for text in ["", "a b", "a\n", "ä", &"x".repeat(129)] {
            let error = TokenError::Claim { claim, expected };
            cases.refused(&SIGNER.with(claim, json!(text)), error);
        }
    }
    for role in ["", "a b", "a\u{202e}", &"x".repeat(129)] {
        let error = TokenError::Claim { claim: "roles", expected };
        cases.refused(&SIGNER.with("roles", json!([role])), error);
    }
    let expected = "a list of at most 32 texts";
    for roles in [json!("admin"), json!([1]), json!(null), json!(vec!["r"; 33])] {
        let error = TokenError::Claim { claim: "roles", expected };
        cases.refused(&SIGNER.with("roles", roles), error);
    }
}

#[test]
fn what_lies_on_a_bound_is_within_it() {
    let identifier = "x".repeat(128);
    let on_the_bound = [
        ("exp", json!(NOW_S + 86_400)),
        ("auth_time", json!(NOW_S + 60)),
        ("auth_time", json!(NOW_S - 43_260)),
        ("amr", json!(vec!["mfa"; 32])),
        ("roles", json!(vec!["r"; 32])),
        ("roles", json!([identifier])),
        ("oid", json!(identifier)),
        ("name", json!("x".repeat(64))),
    ];
    for (claim, value) in on_the_bound {
        let token = SIGNER.with(claim, value);
        assert!(is_verified(&mut validator(), &token), "{claim}");
    }
}
