//! Sets of keys that are ambiguous or too large, and keys that verify nothing.

use super::*;

fn refused_set(cases: &mut Cases, bytes: &[u8], error: JwksError) {
    let mut validator = validator();
    assert_eq!(validator.handle_keys(bytes, NOW_S), Err(error));
    let token = Signer::Rsa.token(&claims());
    assert!(validator.validate(&token, &binding(), NOW_S).is_ok(), "the former keys stay");
    cases.0 += 1;
}

fn numbered(count: usize) -> Vec<Value> {
    let key = |n: usize| json!({ "kid": n.to_string(), "kty": "oct" });
    (0..count).map(key).collect()
}

#[test]
fn sets_are_bounded() {
    let mut cases = Cases(0);
    for count in [0, 65, 1000] {
        let error = JwksError::Count { count, most: MAX_KEYS };
        refused_set(&mut cases, &jwks(&numbered(count)), error);
    }
    let ten_thousand = format!("{{\"keys\":[{}{{}}]}}", "{},".repeat(9_999));
    let error = JwksError::Count { count: 10_000, most: MAX_KEYS };
    refused_set(&mut cases, ten_thousand.as_bytes(), error);
    let ten_thousand = jwks(&numbered(10_000));
    let error = JwksError::TooLarge { bytes: ten_thousand.len(), most: MAX_JWKS_BYTES };
    refused_set(&mut cases, &ten_thousand, error);
    for bytes in [MAX_JWKS_BYTES + 1, 300 * 1024, 1 << 22] {
        let error = JwksError::TooLarge { bytes, most: MAX_JWKS_BYTES };
        refused_set(&mut cases, &vec![b' '; bytes], error);
    }
    let mut most = validator();
    let mut keys = numbered(61);
    keys.extend(SIGNERS.map(Signer::jwk));
    most.handle_keys(&jwks(&keys), NOW_S).unwrap();
    let mut longest = jwks(&[Signer::Rsa.jwk()]);
    longest.resize(MAX_JWKS_BYTES, b' ');
    assert_eq!((MAX_JWKS_BYTES, most.handle_keys(&longest, NOW_S)), (262_144, Ok(())));
    let kid = "k".repeat(128);
    let mut named = Signer::P256.jwk();
    named["kid"] = json!(kid);
    most.handle_keys(&jwks(&[named]), NOW_S).unwrap();
    assert!(is_verified(&mut most, &Signer::P256.with_header("kid", json!(kid))));
}

#[test]
fn sets_have_one_meaning() {
    let mut cases = Cases(0);
    let deep = format!("{{\"keys\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let rsa = Signer::Rsa.jwk().to_string();
    let again = format!("{{\"keys\":[{{\"kid\":\"x\",{}]}}", &rsa[1..]);
    let duplicate = |name: &str| JsonError::Duplicate { name: name.into() }.into();
    let sets: [(&[u8], JwksError); 16] = [
        (b"", JsonError::Syntax.into()),
        (b"<html>", JsonError::Syntax.into()),
        (b"{\"keys\":[]", JsonError::Syntax.into()),
        (b"{\"keys\":[]}{}", JsonError::Syntax.into()),
        (b"{\"keys\":[\"\xff\"]}", JsonError::Syntax.into()),
        (b"[]", JsonError::NotObject.into()),
        (b"null", JsonError::NotObject.into()),
        (deep.as_bytes(), JsonError::TooDeep { most: 8 }.into()),
        (b"{\"keys\":[],\"keys\":[]}", duplicate("keys")),
        (again.as_bytes(), duplicate("kid")),
        (b"{}", JwksError::Shape),
        (b"{\"keys\":{}}", JwksError::Shape),
        (b"{\"keys\":null}", JwksError::Shape),
        (b"{\"keys\":[1]}", JwksError::Shape),
        (b"{\"keys\":[[]]}", JwksError::Shape),
        (b"{\"Keys\":[]}", JwksError::Shape),
    ];
    for (bytes, error) in sets {
        refused_set(&mut cases, bytes, error);
    }
    for kid in [json!(null), json!(1), json!(""), json!("a b"), json!("ä"), json!("k".repeat(129))]
    {
        let mut bad = Signer::P256.jwk();
        bad["kid"] = kid;
        refused_set(&mut cases, &jwks(&[Signer::Rsa.jwk(), bad]), JwksError::KeyId { at: 1 });
    }
    let mut bare = Signer::P256.jwk();
    bare.as_object_mut().unwrap().remove("kid");
    refused_set(&mut cases, &jwks(&[bare]), JwksError::KeyId { at: 0 });
    let mut twin = Signer::P256.jwk();
    twin["kid"] = json!(Signer::Rsa.kid());
    for pair in [[Signer::Rsa.jwk(), twin.clone()], [twin, Signer::Rsa.jwk()]] {
        let error = JwksError::TwoKeys { kid: Signer::Rsa.kid() };
        refused_set(&mut cases, &jwks(&pair), error);
    }
    let same = [Signer::Rsa.jwk(), Signer::Rsa.jwk()];
    refused_set(&mut cases, &jwks(&same), JwksError::TwoKeys { kid: Signer::Rsa.kid() });
}

/// A token by `signer` with its key changed in one member.
fn refused_key(cases: &mut Cases, signer: Signer, member: &str, value: Value, why: KeyProblem) {
    let mut jwk = signer.jwk();
    match value {
        Value::Null => drop(jwk.as_object_mut().unwrap().remove(member)),
        value => jwk[member] = value,
    }
    let mut validator = Validator::new(profile());
    validator.handle_keys(&jwks(&[jwk]), NOW_S).unwrap();
    let verdict = validator.validate(&signer.token(&claims()), &binding(), NOW_S);
    assert_eq!(verdict, Err(TokenError::Key { kid: signer.kid(), problem: why }), "{member}");
    cases.0 += 1;
}

#[test]
fn a_keys_use_and_algorithm_are_respected() {
    let mut cases = Cases(0);
    for signer in SIGNERS {
        for purpose in [json!("enc"), json!("SIG"), json!(""), json!(1), json!(["sig"])] {
            refused_key(&mut cases, signer, "use", purpose, KeyProblem::Use);
        }
        for operations in [json!([]), json!(["sign"]), json!("verify"), json!(["encrypt"])] {
            refused_key(&mut cases, signer, "key_ops", operations, KeyProblem::Use);
        }
        let expected = signer.algorithm();
        for alg in [json!("HS256"), json!("none"), json!("PS256"), json!("ES384"), json!(1)] {
            refused_key(&mut cases, signer, "alg", alg, KeyProblem::Algorithm { expected });
        }
        for kty in [json!("oct"), json!("rsa"), json!(""), json!(1), Value::Null] {
            refused_key(&mut cases, signer, "kty", kty, KeyProblem::Type);
        }
        for member in ["d", "k", "p", "q", "dp", "dq", "qi", "oth"] {
            refused_key(&mut cases, signer, member, json!("AQAB"), KeyProblem::Private);
        }
    }
}

#[test]
fn weak_and_malformed_keys_verify_nothing() {
    let mut cases = Cases(0);
    let modulus = |bits: usize| {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] = 0xff >> (bytes.len() * 8 - bits);
        json!(b64(bytes))
    };
    for bits in [1, 512, 768, 1024, 1536, 2040, 2047, 8193, 16_384] {
        refused_key(&mut cases, Signer::Rsa, "n", modulus(bits), KeyProblem::RsaBits { bits });
    }
    for exponent in [&[1][..], &[3], &[17], &[0, 1, 0, 1], &[1, 0, 3], &[1, 0, 0, 0, 1], &[]] {
        let exponent = json!(b64(exponent));
        refused_key(&mut cases, Signer::Rsa, "e", exponent, KeyProblem::RsaExponent);
    }
    let bad = [Value::Null, json!(1), json!("="), json!("AQAB="), json!("A+B/"), json!("A")];
    let parts = [
        (Signer::Rsa, "n"),
        (Signer::Rsa, "e"),
        (Signer::P256, "x"),
        (Signer::P256, "y"),
        (Signer::Ed25519, "x"),
    ];
    for (signer, part) in parts {
        for value in bad.clone() {
            refused_key(&mut cases, signer, part, value, KeyProblem::Form { part });
        }
    }
    let n = Signer::Rsa.jwk()["n"].as_str().unwrap().to_owned();
    let padded = json!(format!("AAAA{n}"));
    refused_key(&mut cases, Signer::Rsa, "n", padded, KeyProblem::Form { part: "n" });
    refused_key(&mut cases, Signer::Rsa, "n", json!(""), KeyProblem::Form { part: "n" });
    for length in [0, 31, 33] {
        let value = json!(b64(vec![1; length]));
        for &(signer, part) in &parts[2..] {
            refused_key(&mut cases, signer, part, value.clone(), KeyProblem::Form { part });
        }
    }
    let small = json!(b64([0; 32]));
    refused_key(&mut cases, Signer::Ed25519, "x", small, KeyProblem::Form { part: "x" });
    for curve in ["P-384", "P-521", "secp256k1", "p-256", ""] {
        refused_key(&mut cases, Signer::P256, "crv", json!(curve), KeyProblem::Type);
    }
    for curve in ["Ed448", "X25519", "X448", "P-256"] {
        refused_key(&mut cases, Signer::Ed25519, "crv", json!(curve), KeyProblem::Type);
    }
}

#[test]
fn other_keys_of_the_same_form_verify_nothing() {
    let mut cases = Cases(0);
    let changed = [
        (Signer::Rsa, "n", b64([&[0xff; 255][..], &[0xfd]].concat())),
        (Signer::P256, "x", b64([1; 32])),
        (Signer::P256, "y", b64([0xff; 32])),
        (Signer::Ed25519, "x", b64(key(21).public_key().as_bytes())),
    ];
    for (signer, part, value) in changed {
        let mut jwk = signer.jwk();
        jwk[part] = json!(value);
        let mut validator = Validator::new(profile());
        validator.handle_keys(&jwks(&[jwk]), NOW_S).unwrap();
        let verdict = validator.validate(&signer.token(&claims()), &binding(), NOW_S);
        assert_eq!(verdict, Err(TokenError::Signature), "{part}");
        cases.0 += 1;
    }
}
