//! Tokens whose form, header or signature is wrong.

use super::*;

#[test]
fn algorithms_other_than_the_three_are_refused_before_any_key_is_looked_at() {
    let mut cases = Cases(0);
    let names = [
        "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256",
        "PS384", "PS512", "ES384", "ES512", "ES256K", "Ed448", "rs256", "RS256 ", "dir",
        "RSA-OAEP",
    ];
    let values = names.map(|name| json!(name)).into_iter();
    for alg in values.chain([json!(null), json!(256), json!(["RS256"]), json!({})]) {
        let token = Signer::Rsa.with_header("alg", alg.clone());
        cases.refused(&token, TokenError::Algorithm { found: alg.to_string() });
    }
    let token = Signer::Rsa.with_header("alg", None);
    cases.refused(&token, TokenError::Algorithm { found: "absent".into() });
}

#[test]
fn a_public_key_is_no_hmac_secret_and_no_signature_is_none() {
    let mut cases = Cases(0);
    let jwk = Signer::Rsa.jwk();
    let modulus = jwk["n"].as_str().unwrap();
    for secret in [modulus.as_bytes(), jwk.to_string().as_bytes(), b"", &[0; 32]] {
        let header = json!({ "alg": "HS256", "typ": "JWT", "kid": Signer::Rsa.kid() });
        let message = format!("{}.{}", b64(header.to_string()), b64(claims().to_string()));
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        let tag = ring::hmac::sign(&secret, message.as_bytes());
        let token = format!("{message}.{}", b64(tag));
        cases.refused(&token, TokenError::Algorithm { found: "\"HS256\"".into() });
    }
    for alg in ["none", "None"] {
        let header = json!({ "alg": alg, "typ": "JWT" }).to_string();
        let token = format!("{}.{}.", b64(header), b64(claims().to_string()));
        cases.refused(&token, TokenError::Algorithm { found: format!("\"{alg}\"") });
    }
    for signer in SIGNERS {
        let token = signer.token(&claims());
        let message = token.rsplit_once('.').unwrap().0;
        let lengths = [0, 1, 32, 63, 64, 65, 96, 255, 256, 257];
        for signature in lengths.map(|length| vec![0; length]) {
            cases.refused(&format!("{message}.{}", b64(signature)), TokenError::Signature);
        }
    }
}

#[test]
fn a_key_verifies_only_its_own_algorithm_and_its_own_signatures() {
    let mut cases = Cases(0);
    for signer in SIGNERS {
        for other in SIGNERS.into_iter().filter(|other| *other != signer) {
            let kid = other.kid();
            let expected = other.algorithm();
            let token = signer.with_header("kid", json!(kid));
            cases.refused(&token, TokenError::KeyAlgorithm { kid, expected });
            let kid = signer.kid();
            let expected = signer.algorithm();
            let token = signer.with_header("alg", json!(other.algorithm()));
            cases.refused(&token, TokenError::KeyAlgorithm { kid, expected });
            let header = signer.header().to_string();
            let token = other.token_of(&header, &claims().to_string());
            cases.refused(&token, TokenError::Signature);
        }
    }
    // Two keys of one kind.
    let header = Signer::Ed25519.header().to_string();
    let message = format!("{}.{}", b64(header), b64(claims().to_string()));
    let token = format!("{message}.{}", b64(key(21).sign(message.as_bytes())));
    cases.refused(&token, TokenError::Signature);
    // Claims of one token, signature of another.
    for signer in SIGNERS {
        let (honest, forged) = (signer.token(&claims()), signer.with("name", json!("Eve")));
        let signature = honest.rsplit_once('.').unwrap().1;
        let message = forged.rsplit_once('.').unwrap().0;
        cases.refused(&format!("{message}.{signature}"), TokenError::Signature);
    }
}

#[test]
fn headers_that_bring_a_key_or_an_extension_are_refused() {
    let mut cases = Cases(0);
    let evil = json!("https://evil.example/keys");
    let members = [
        ("jku", evil.clone()),
        ("x5u", evil.clone()),
        ("url", evil),
        ("jwk", Signer::Ed25519.jwk()),
        ("x5c", json!(["MIIB"])),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A128GCM")),
        ("cty", json!("JWT")),
        ("epk", json!({})),
        ("apu", json!("x")),
        ("p2c", json!(1_000_000_000)),
        ("nonce", json!("x")),
        ("iss", json!(TENANT)),
        ("ALG", json!("none")),
        ("", json!(1)),
    ];
    for (name, value) in members {
        let token = Signer::P256.with_header(name, value);
        cases.refused(&token, TokenError::HeaderMember { name: name.into() });
    }
    for typ in [
        json!("jwt"),
        json!("at+jwt"),
        json!("logout+jwt"),
        json!("dpop+jwt"),
        json!("JOSE"),
        json!("application/jwt"),
        json!(""),
        json!(1),
        json!(null),
        json!(["JWT"]),
    ] {
        let token = Signer::P256.with_header("typ", typ.clone());
        cases.refused(&token, TokenError::Type { found: typ.to_string() });
    }
    for kid in [
        json!(""),
        json!(1),
        json!(null),
        json!(["key-ES256"]),
        json!("k".repeat(129)),
        json!("a b"),
        json!("a\nb"),
        json!("' OR 1=1 --"),
        json!("schlüssel"),
    ] {
        cases.refused(&Signer::P256.with_header("kid", kid), TokenError::KeyId);
    }
    cases.refused(&Signer::P256.with_header("kid", None), TokenError::KeyId);
}

#[test]
fn texts_that_are_no_token_are_refused() {
    let mut cases = Cases(0);
    let token = Signer::Rsa.token(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    let bad = [
        String::new(),
        "a".into(),
        "a.b".into(),
        message.into(),
        format!("{token}.{signature}"),
        format!("{token}.x.y"),
        format!("{token}="),
        format!("{token} "),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{header}=.{body}.{signature}"),
        format!("{header}.{body}\n.{signature}"),
        format!("{header}.{body}+.{signature}"),
        format!("{header}.{body}/.{signature}"),
        format!("Bearer {token}"),
        format!("{header}.{body}.ä"),
        format!("{header}..{body}.{signature}"),
        json!({ "protected": header, "payload": body, "signature": signature }).to_string(),
        format!("{header}.{body}.AB"),
    ];
    for token in bad {
        cases.refused(&token, TokenError::Shape);
    }
    assert_eq!(MAX_TOKEN_BYTES, 16_384);
    cases.refused(&"a".repeat(MAX_TOKEN_BYTES), TokenError::Shape);
    for bytes in [MAX_TOKEN_BYTES + 1, 1 << 20] {
        let error = TokenError::TooLarge { bytes, most: MAX_TOKEN_BYTES };
        cases.refused(&"a".repeat(bytes), error.clone());
        cases.refused(&".".repeat(bytes), error);
    }
    let huge = Signer::Rsa.with("x", json!("x".repeat(20_000)));
    let error = TokenError::TooLarge { bytes: huge.len(), most: MAX_TOKEN_BYTES };
    cases.refused(&huge, error);
}

#[test]
fn headers_and_claims_have_one_meaning() {
    let mut cases = Cases(0);
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let duplicate = |name: &str| JsonError::Duplicate { name: name.into() };
    let (valid_header, valid_claims) = (Signer::P256.header().to_string(), claims().to_string());
    let too_deep = JsonError::TooDeep { most: 8 };
    let again = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let headers = [
        ("[]".to_owned(), JsonError::NotObject),
        ("null".into(), JsonError::NotObject),
        ("".into(), JsonError::Syntax),
        ("{".into(), JsonError::Syntax),
        (format!("{valid_header}x"), JsonError::Syntax),
        (format!("\u{feff}{valid_header}"), JsonError::Syntax),
        (again(&valid_header, "\"alg\":\"none\""), duplicate("alg")),
        (again(&valid_header, "\"\\u0061lg\":\"none\""), duplicate("alg")),
        (again(&valid_header, "\"kid\":\"x\""), duplicate("kid")),
        (deep(8), too_deep.clone()),
        (deep(4000), too_deep.clone()),
    ];
    for (header, error) in headers {
        let token = Signer::P256.token_of(&header, &valid_claims);
        cases.refused(&token, TokenError::HeaderJson(error));
    }
    let mut claims = vec![
        ("[]".to_owned(), JsonError::NotObject),
        ("\"x\"".into(), JsonError::NotObject),
        ("".into(), JsonError::Syntax),
        (format!("{valid_claims}{valid_claims}"), JsonError::Syntax),
        (valid_claims[1..].into(), JsonError::Syntax),
        (deep(8), too_deep.clone()),
        (deep(5000), too_deep),
    ];
    for name in ["iss", "tid", "aud", "oid", "exp", "nbf", "nonce", "amr", "name"] {
        claims.push((again(&valid_claims, &format!("\"{name}\":1")), duplicate(name)));
    }
    for (claims, error) in claims {
        let token = Signer::P256.token_of(&valid_header, &claims);
        cases.refused(&token, TokenError::ClaimsJson(error));
    }
    let token = Signer::P256.token_of_bytes(valid_header.as_bytes(), b"{\"name\":\"\xff\"}");
    cases.refused(&token, TokenError::ClaimsJson(JsonError::Syntax));
}
