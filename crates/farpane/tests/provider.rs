//! Members of a tenant who sign in at an OpenID provider whose keys are not known yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use farpane::capture::PushScreen;
use farpane::net::{Identity, Invitation};
use farpane::policy::admission::{Certificate, Credential, Holder, RoleRule, Roles, Rules};
use farpane::policy::identity::{
    Authority, CredentialId, Device, DeviceClaims, KeyPair, RevocationClaims, Tenant, Trust,
    Validity,
};
use farpane::policy::oidc::{Profile, SessionBinding, Validator};
use farpane::policy::{
    Capabilities, DeviceId, EndReason, Permissions, Posture, Scope, TenantId, TenantSettings,
};
use farpane::{
    Helper, HelperEvent, HelperOptions, Membership, Sharer, SharerEvent, SharerOptions,
    software_version,
};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const ISSUER: &str = "https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0";
const APP: &str = "6cb04018-a3f5-46a7-b995-940c78f5aef3";
/// Only a hang reaches it.
const LIMIT: Duration = Duration::from_secs(20);

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn tenant() -> TenantId {
    TenantId::new(TENANT).unwrap()
}

/// A token of who signed in with the session's key `seed`, by the provider's key.
fn token(name: &str, seed: u8) -> Credential {
    let binding = SessionBinding { key: key(seed).public_key(), salt: [seed; 32] };
    let header = json!({ "alg": "EdDSA", "typ": "JWT", "kid": "first" });
    let now_s = now_s();
    let claims = json!({
        "iss": ISSUER, "tid": TENANT, "aud": APP, "oid": format!("{name}-1"), "sub": name,
        "exp": now_s + 3_600, "nbf": now_s - 60, "iat": now_s - 60, "auth_time": now_s - 600,
        "amr": ["pwd", "mfa"], "nonce": binding.nonce(), "name": name,
        "roles": ["HelpDeskOperator"], "ver": "2.0",
    });
    let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let signature = b64(key(20).sign(message.as_bytes()));
    Credential::token(format!("{message}.{signature}"), binding).unwrap()
}

/// The provider's keys: the one that signs, or another of the same name.
fn keys(seed: u8) -> Vec<u8> {
    let x = b64(key(seed).public_key().as_bytes());
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "first", "x": x }] })
        .to_string()
        .into_bytes()
}

fn rules() -> Rules {
    let authority = Authority::of(tenant(), key(1));
    let (validity, revoked) = (Validity::starting(now_s() - 60, 3_600), Vec::new());
    let mut trust =
        Trust::new(Tenant::new(tenant(), "Contoso", &[authority.public_key()]).unwrap());
    let list = RevocationClaims { tenant: tenant(), number: 1, revoked, validity };
    trust.update(&authority.revocations(&list).unwrap(), now_s()).unwrap();
    let rule = RoleRule { permissions: Permissions::view_only(), scope: Scope::AllDevices };
    let roles = Roles::new(vec![("HelpDeskOperator".to_owned(), rule)]).unwrap();
    let profile = Profile::new(ISSUER, &tenant(), APP).unwrap();
    Rules::new(trust, TenantSettings::default()).with_provider(Validator::new(profile), roles)
}

/// A device at which somebody sits who signed in, and a helper who did.
fn members() -> (Membership, Membership) {
    let authority = Authority::of(tenant(), key(1));
    let (posture, findings) = (Posture::Compliant, Vec::new());
    let id = DeviceId::new("laptop-7").unwrap();
    let claims = DeviceClaims {
        id: CredentialId([2; 16]),
        tenant: tenant(),
        device: Device { id, enrolled: true, posture, findings },
        groups: Vec::new(),
        key: key(2).public_key(),
        validity: Validity::starting(now_s() - 60, 3_600),
    };
    let certificate = Certificate::new(authority.device(&claims).unwrap()).unwrap();
    let person = Some((token("Grace", 12), key(12)));
    let device = Holder::sharer(certificate, key(2), person, software_version()).unwrap();
    let helper = Holder::helper(token("Ada", 11), key(11), software_version()).unwrap();
    let at_device = rules().with_device(&device, Capabilities::ALL);
    (Membership::new(device, at_device), Membership::new(helper, rules()))
}

/// A sharer that listens, and a helper that has come to it. Neither knows a key.
fn meet() -> (Sharer, Helper) {
    let (at_device, at_helper) = members();
    let screen = PushScreen::new().unwrap();
    let mut options = SharerOptions::new(move || Ok(Box::new(screen.source())));
    options.listen = "127.0.0.1:0".parse().unwrap();
    options.membership = Some(at_device);
    let sharer = Sharer::start(options).unwrap();
    let address = sharer.local_address().to_string();
    let invitation: Invitation = sharer.invite(vec![address], LIMIT).unwrap();
    let options = HelperOptions { membership: Some(at_helper), ..HelperOptions::default() };
    let helper = Helper::connect(&invitation, &Identity::generate().unwrap(), options).unwrap();
    (sharer, helper)
}

fn at_helper(helper: &Helper) -> HelperEvent {
    helper.next_event(LIMIT).expect("an event at the helper")
}

fn at_sharer(sharer: &Sharer) -> SharerEvent {
    sharer.next_event(LIMIT).expect("an event at the sharer")
}

#[test]
fn who_signed_in_is_let_in_once_the_keys_were_fetched() {
    let (sharer, helper) = meet();
    assert_eq!(at_helper(&helper), HelperEvent::KeysNeeded);
    assert!(helper.handle_keys(b"no keys").is_err());
    helper.handle_keys(&keys(20)).unwrap();
    let HelperEvent::SharerVerified(verified) = at_helper(&helper) else { panic!("no sharer") };
    assert_eq!(verified.peer.display_name(), "Grace");
    // The sharer's end has to know who sits there before it looks at anybody else.
    let SharerEvent::KeysNeeded { helper: id } = at_sharer(&sharer) else { panic!("no keys") };
    assert!(sharer.handle_keys(b"no keys").is_err());
    sharer.handle_keys(&keys(20)).unwrap();
    let asked = at_sharer(&sharer);
    let SharerEvent::ConsentRequested { helper, request } = asked else { panic!("{asked:?}") };
    let peer = &request.peer;
    assert_eq!((helper, peer.display_name(), peer.is_verified()), (id, "Ada", true));
}

#[test]
fn a_token_that_no_key_of_the_provider_signed_lets_nobody_in() {
    let (sharer, helper) = meet();
    assert_eq!(at_helper(&helper), HelperEvent::KeysNeeded);
    helper.handle_keys(&keys(21)).unwrap();
    let ended = at_helper(&helper);
    let HelperEvent::Ended { cause, lost, .. } = ended else { panic!("{ended:?}") };
    assert_eq!((cause, lost), (EndReason::NotPermitted, false));
    let (sharer_2, helper) = meet();
    drop(sharer);
    assert_eq!(at_helper(&helper), HelperEvent::KeysNeeded);
    helper.handle_keys(&keys(20)).unwrap();
    assert!(matches!(at_helper(&helper), HelperEvent::SharerVerified(_)));
    assert!(matches!(at_sharer(&sharer_2), SharerEvent::KeysNeeded { .. }));
    sharer_2.handle_keys(&keys(21)).unwrap();
    let refused = at_sharer(&sharer_2);
    assert!(matches!(refused, SharerEvent::Refused { .. }), "{refused:?}");
    let ended = at_helper(&helper);
    assert!(
        matches!(ended, HelperEvent::Ended { cause: EndReason::NotPermitted, .. }),
        "{ended:?}"
    );
}
