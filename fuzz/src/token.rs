//! ID tokens and sets of keys. The first byte chooses: 0, the rest is a token as it is; 1, the
//! rest is the claims of one, and 2, its header, which this module signs, as no fuzzer could; 3,
//! the rest is a provider's set of keys.

use crate::Seed;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farpane_policy::TenantId;
use farpane_policy::identity::KeyPair;
use farpane_policy::oidc::{Profile, SessionBinding, Validator, Verdict};
use std::sync::LazyLock;

const TOKEN: u8 = 0;
const CLAIMS: u8 = 1;
const HEADER: u8 = 2;
const KEYS: u8 = 3;
const NOW_S: u64 = 1_800_000_000;
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const APP: &str = "6cb04018-a3f5-46a7-b995-940c78f5aef3";
const TRUE_HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"a"}"#;

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_seed(&[1; 32]).expect("a key"));

/// Whether the input is a valid token or a set of keys. The names of whoever it lets in can be
/// shown.
pub fn accepts(input: &[u8]) -> bool {
    let Some((&kind, rest)) = input.split_first() else { return false };
    match kind {
        TOKEN => str::from_utf8(rest).is_ok_and(is_valid),
        CLAIMS => is_valid(&token(TRUE_HEADER.as_bytes(), rest)),
        HEADER => is_valid(&token(rest, claims().as_bytes())),
        KEYS => validator().handle_keys(rest, NOW_S).is_ok(),
        _ => false,
    }
}

fn is_valid(token: &str) -> bool {
    let Ok(Verdict::Verified(person)) = validator().validate(token, &binding(), NOW_S) else {
        return false;
    };
    let name = person.person.name;
    assert!(!name.trim().is_empty() && !name.chars().any(char::is_control));
    assert!(person.expires_s + 60 > NOW_S && person.tenant.as_str() == TENANT);
    true
}

fn validator() -> Validator {
    let tenant = TenantId::new(TENANT).expect("an id");
    let issuer = format!("https://login.example/{TENANT}");
    let profile = Profile::new(&issuer, &tenant, APP).expect("a profile");
    let mut validator = Validator::new(profile);
    validator.handle_keys(keys().as_bytes(), NOW_S).expect("a set of keys");
    validator
}

fn binding() -> SessionBinding {
    SessionBinding { key: KEY.public_key(), salt: [7; 32] }
}

fn token(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", b64(header), b64(claims));
    let signature = b64(&KEY.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn claims() -> String {
    let (nonce, start, end) = (binding().nonce(), NOW_S - 60, NOW_S + 3600);
    [
        format!(r#"{{"iss":"https://login.example/{TENANT}","tid":"{TENANT}","aud":"{APP}","#),
        format!(r#""oid":"o","sub":"s","exp":{end},"nbf":{start},"iat":{start},"#),
        format!(r#""auth_time":{start},"amr":["pwd","mfa"],"nonce":"{nonce}","#),
        r#""name":"Ada Lovelace","jobTitle":"Help desk","roles":["Operator"]}"#.to_owned(),
    ]
    .concat()
}

fn keys() -> String {
    let x = b64(KEY.public_key().as_bytes());
    [
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"a","#,
        &format!(r#""x":"{x}"}},"#),
        r#"{"kty":"RSA","use":"enc","kid":"b","n":"AQAB","e":"AQAB"},"#,
        r#"{"kty":"EC","crv":"P-256","kid":"c","x":"AQAB","y":"AQAB"}]}"#,
    ]
    .concat()
}

/// A token, its parts and a set of keys, and some that lack one thing.
pub fn seeds() -> Vec<Seed> {
    let (whole, claims, keys) =
        (token(TRUE_HEADER.as_bytes(), claims().as_bytes()), claims(), keys());
    let unsigned = format!("{}.{}.", b64(br#"{"alg":"none"}"#), b64(claims.as_bytes()));
    let led = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        ("token", led(TOKEN, &whole)),
        ("claims", led(CLAIMS, &claims)),
        ("header", led(HEADER, TRUE_HEADER)),
        ("keys", led(KEYS, &keys)),
        ("bad-token-unsigned", led(TOKEN, &unsigned)),
        ("bad-token-cut", led(TOKEN, &whole[..whole.len() - 4])),
        ("bad-claims-twice", led(CLAIMS, &claims.replacen('{', r#"{"iss":"x","#, 1))),
        ("bad-claims-nonce", led(CLAIMS, &claims.replace("nonce", "nonse"))),
        ("bad-header-jku", led(HEADER, &TRUE_HEADER.replacen('{', r#"{"jku":"https://x","#, 1))),
        ("bad-header-algorithm", led(HEADER, &TRUE_HEADER.replace("EdDSA", "HS256"))),
        ("bad-keys-twice", led(KEYS, &keys.replace("\"b\"", "\"a\""))),
        ("bad-keys-deep", led(KEYS, &format!("{{\"keys\":{}{}}}", "[".repeat(99), "]".repeat(99)))),
    ]
}
