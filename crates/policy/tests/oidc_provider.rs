//! ID tokens of a real OpenID provider (`oidc-provider` for Node.js), by a real sign-in over HTTP.

#[path = "oidc/browser.rs"]
mod browser;
#[path = "oidc/process.rs"]
mod process;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use browser::{Answer, Browser};
use farpane_policy::TenantId;
use farpane_policy::identity::KeyPair;
use farpane_policy::oidc::{
    IdToken, Profile, ProfileError, SessionBinding, TokenError, Validator, Verdict,
};
use process::Provider;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

const TENANT: &str = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const ISSUER: &str = "https://login.example/3f2504e0-4f89-41d3-9a0c-0305e82c3301/v2.0";
/// Nobody listens there: the browser reads the code from the address that it is sent to.
const REDIRECT: &str = "http://127.0.0.1:1/callback";

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn binding() -> SessionBinding {
    let key = KeyPair::generate(&SystemRandom::new()).unwrap();
    SessionBinding { key: key.public_key(), salt: random() }
}

fn validator(app: &str) -> Validator {
    let profile = Profile::new(ISSUER, &TenantId::new(TENANT).unwrap(), app).unwrap();
    Validator::new(profile)
}

/// Signs in as `user`, with or without a second factor: the authorization code flow with PKCE.
fn sign_in(provider: &Provider, app: &str, user: &str, otp: &str, nonce: &str) -> String {
    let mut browser = Browser::new(provider.port());
    let verifier = URL_SAFE_NO_PAD.encode(random());
    let hash = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(hash);
    let start = browser.get(&format!(
        "/auth?client_id={app}&response_type=code&scope=openid&redirect_uri={REDIRECT}\
         &state=s-1&nonce={nonce}&code_challenge={challenge}&code_challenge_method=S256"
    ));
    let page = start.location();
    assert!(browser.get(&page).body.contains("<form"), "a page to sign in on");
    let wrong = browser.post(&page, &format!("user={user}&password=guess"));
    assert_eq!(wrong.status, 403);
    let form = format!("user={user}&password=correct+horse&otp={otp}");
    let onward = browser.post(&page, &form).location();
    let back = browser.get(&onward).location();
    let query = back.strip_prefix(REDIRECT).unwrap_or_else(|| panic!("it leads to {back}"));
    let query = query.trim_start_matches('?');
    let field = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name));
    assert_eq!(field("state="), Some("s-1"));
    let code = field("code=").expect("a code");
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&client_id={app}\
         &code_verifier={verifier}"
    );
    let Answer { status, body, .. } = browser.post("/token", &form);
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["id_token"].as_str().expect("an ID token").to_owned()
}

/// What the caller of the library does when it is asked to: discovery, then the keys.
fn fetch_keys(provider: &Provider) -> String {
    let mut browser = Browser::new(provider.port());
    let found = browser.get("/.well-known/openid-configuration").body;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["issuer"], ISSUER);
    let address = found["jwks_uri"].as_str().unwrap();
    browser.get(&browser.path_of(address)).body
}

/// Validates with the provider's keys, which are asked for first.
fn validated(
    provider: &Provider,
    app: &str,
    token: &str,
    binding: &SessionBinding,
) -> Result<IdToken, TokenError> {
    let mut validator = validator(app);
    assert_eq!(validator.validate(token, binding, now_s()), Ok(Verdict::KeysNeeded));
    validator.handle_keys(fetch_keys(provider).as_bytes(), now_s()).unwrap();
    match validator.validate(token, binding, now_s())? {
        Verdict::Verified(person) => Ok(*person),
        verdict => panic!("{verdict:?}"),
    }
}

#[test]
fn people_sign_in_at_a_real_provider_for_one_session() {
    let provider = Provider::start(&[ISSUER, TENANT, REDIRECT]);
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let (app, binding) = (format!("app-{algorithm}"), binding());
        let token = sign_in(&provider, &app, "grace", "123456", &binding.nonce());
        let person = validated(&provider, &app, &token, &binding).unwrap();
        assert_eq!((person.tenant.as_str(), person.subject.as_str()), (TENANT, "oid-of-grace"));
        assert_eq!(person.person.name, "Grace Hopper");
        assert_eq!(person.person.job_title.as_deref(), Some("Rear admiral"));
        assert!(person.signed_in_s.abs_diff(now_s()) < 60);
        refused_elsewhere(&provider, &app, &token, &binding);
    }
    let (app, binding) = ("app-ES256", binding());
    let token = sign_in(&provider, app, "grace", "", &binding.nonce());
    assert_eq!(
        validated(&provider, app, &token, &binding),
        Err(TokenError::NoMfa { claim: "amr" })
    );
}

/// A true token is of no use for another session, app, tenant or time, or with a changed bit.
fn refused_elsewhere(provider: &Provider, app: &str, token: &str, own: &SessionBinding) {
    assert_eq!(validated(provider, app, token, &binding()), Err(TokenError::Nonce));
    let other_salt = SessionBinding { salt: random(), ..*own };
    assert_eq!(validated(provider, app, token, &other_salt), Err(TokenError::Nonce));
    assert_eq!(validated(provider, "another-app", token, own), Err(TokenError::Audience));

    let keys = fetch_keys(provider);
    let other = TenantId::new("00000000-0000-0000-0000-000000000000").unwrap();
    assert_eq!(Profile::new(ISSUER, &other, app), Err(ProfileError::Issuer));
    let issuer = ISSUER.replace(TENANT, other.as_str());
    let mut elsewhere = Validator::new(Profile::new(&issuer, &other, app).unwrap());
    elsewhere.handle_keys(keys.as_bytes(), now_s()).unwrap();
    let error = TokenError::Issuer { expected: issuer, found: ISSUER.to_owned() };
    assert_eq!(elsewhere.validate(token, own, now_s()), Err(error));

    let mut late = validator(app);
    let later_s = now_s() + 3600 + 120;
    late.handle_keys(keys.as_bytes(), later_s).unwrap();
    let verdict = late.validate(token, own, later_s);
    assert!(matches!(verdict, Err(TokenError::Expired { .. })), "{verdict:?}");

    let (message, signature) = token.rsplit_once('.').unwrap();
    let changed = match signature.strip_prefix('A') {
        Some(rest) => format!("{message}.B{rest}"),
        None => format!("{message}.A{}", &signature[1..]),
    };
    assert_eq!(validated(provider, app, &changed, own), Err(TokenError::Signature));
}
