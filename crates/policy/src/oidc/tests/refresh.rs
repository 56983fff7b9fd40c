//! When the provider is asked for its keys.

use super::*;

#[test]
fn keys_are_asked_for_when_they_are_needed_and_not_again_and_again() {
    let mut validator = Validator::new(profile());
    let token = Signer::Rsa.token(&claims());
    let ask = |validator: &mut Validator, now_s| validator.validate(&token, &binding(), now_s);
    assert_eq!(ask(&mut validator, NOW_S), Ok(Verdict::KeysNeeded));
    let unknown = Err(TokenError::UnknownKey { kid: Signer::Rsa.kid() });
    assert_eq!(ask(&mut validator, NOW_S + 1), unknown);
    validator.handle_keys(&jwks(&[Signer::P256.jwk()]), NOW_S + 1).unwrap();
    for now_s in NOW_S + 1..NOW_S + REFRESH_S {
        assert_eq!(ask(&mut validator, now_s), unknown, "the provider has no such key");
    }
    assert_eq!(ask(&mut validator, NOW_S + REFRESH_S), Ok(Verdict::KeysNeeded));
    validator.handle_keys(&jwks(&[Signer::Rsa.jwk()]), NOW_S + REFRESH_S).unwrap();
    assert!(matches!(ask(&mut validator, NOW_S + 61), Ok(Verdict::Verified(_))));
    println!("negative cases: tokens and JWKS: {REFRESH_S}");
}

#[test]
fn a_flood_of_unknown_keys_asks_eight_times_a_minute() {
    let mut validator = validator();
    let mut asked = 0;
    for n in 0..2000 {
        let kid = format!("../../dev/null/{n}");
        let token = Signer::Ed25519.with_header("kid", json!(kid));
        match validator.validate(&token, &binding(), NOW_S + n / 100) {
            Ok(Verdict::KeysNeeded) => asked += 1,
            verdict => assert_eq!(verdict, Err(TokenError::UnknownKey { kid })),
        }
    }
    assert_eq!(asked, MAX_REFRESHES);
    println!("negative cases: tokens and JWKS: 1");
}

#[test]
fn keys_that_were_withdrawn_or_are_old_count_no_longer() {
    let mut validator = validator();
    let token = Signer::Rsa.token(&claims());
    validator.handle_keys(&jwks(&[Signer::P256.jwk()]), NOW_S).unwrap();
    let verdict = validator.validate(&token, &binding(), NOW_S);
    assert_eq!(verdict, Ok(Verdict::KeysNeeded), "withdrawn");
    let mut old = Validator::new(profile());
    old.handle_keys(&jwks(&[Signer::Rsa.jwk()]), NOW_S - MAX_KEYS_AGE_S).unwrap();
    assert_eq!(old.validate(&token, &binding(), NOW_S), Ok(Verdict::KeysNeeded));
    let mut ahead = Validator::new(profile());
    ahead.handle_keys(&jwks(&[Signer::Rsa.jwk()]), NOW_S + 1).unwrap();
    assert_eq!(ahead.validate(&token, &binding(), NOW_S), Ok(Verdict::KeysNeeded));
}
