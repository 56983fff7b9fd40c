//! People by ID tokens of a provider.

use super::*;
use crate::admission::presented::End;
use crate::grant::Person;
use crate::identity::{Authority, ProofError, Role as Part, Tenant, Trust};
use crate::oidc::tests::provider::{SIGNERS, Signer, TENANT, binding, claims, jwks, profile};
use crate::oidc::{SessionBinding, TokenError, Validator};
use crate::{Permission, TenantId};
use serde_json::{Value, json};

/// The key of the session for which the provider signs tokens.
fn session_key() -> KeyPair {
    key(11)
}

fn tenant_authority() -> Authority {
    Authority::of(TenantId::new(TENANT).unwrap(), key(1))
}

fn token(claims: &Value) -> Credential {
    Credential::token(Signer::Ed25519.token(claims), binding()).unwrap()
}

pub(super) fn helper() -> Holder {
    helper_with(&claims())
}

fn helper_with(claims: &Value) -> Holder {
    Holder::helper(token(claims), session_key(), SOFTWARE).unwrap()
}

fn device(person: Option<(Credential, KeyPair)>) -> Holder {
    let authority = tenant_authority();
    let claims = DeviceClaims { tenant: authority.tenant().clone(), ..device_claims() };
    let certificate = Certificate::new(authority.device(&claims).unwrap()).unwrap();
    Holder::sharer(certificate, key(2), person, SOFTWARE).unwrap()
}

fn roles() -> Roles {
    let rule = |permissions, scope| RoleRule { permissions, scope };
    Roles::new(vec![
        ("HelpDeskOperator".into(), rule(Permissions::view_only(), Scope::AllDevices)),
        (
            "Berlin".into(),
            rule(Role::HelpDeskOperator.permissions(), Scope::Groups(groups(&["berlin"]))),
        ),
    ])
    .unwrap()
}

fn trust_of(authority: &Authority) -> Trust {
    let tenant = authority.tenant().clone();
    let mut trust = Trust::new(Tenant::new(tenant.clone(), "T", &[key(1).public_key()]).unwrap());
    let list = crate::identity::RevocationClaims { tenant, ..revocations(1, &[]) };
    trust.update(&authority.revocations(&list).unwrap(), NOW_S).unwrap();
    trust
}

fn validator() -> Validator {
    let mut validator = Validator::new(profile());
    validator.handle_keys(&jwks(&SIGNERS.map(Signer::jwk)), NOW_S).unwrap();
    validator
}

pub(super) fn rules() -> Rules {
    let rules = Rules::new(trust_of(&tenant_authority()), TenantSettings::default());
    rules.with_provider(validator(), roles()).with_device(&device(None), Capabilities::ALL)
}

/// A machine of the local authority's tenant that also has a provider.
fn rules_of_both() -> Rules {
    super::rules().with_provider(validator(), roles())
}

fn admit(holder: &Holder) -> Result<Authentication, AdmissionError> {
    rules().admit(&present(holder), &exporter(), SESSION, NOW_S)
}

#[test]
fn a_helper_is_admitted_by_a_token_and_may_do_what_its_role_allows() {
    let who = admit(&helper()).unwrap();
    assert_eq!(who.helper.tenant.as_str(), TENANT);
    assert_eq!(who.credential, token(&claims()).hash()[..16]);
    assert_eq!(who.helper.subject.as_str(), "00000000-0000-0000-66f3-3332eca7ea81");
    let names = (who.peer.display_name(), who.peer.job_title(), who.peer.is_verified());
    assert_eq!(names, ("Ada Lovelace", Some("Help desk"), true));
    assert_eq!(who.peer.key_fingerprint(), session_key().public_key().to_string());
    assert_eq!((who.permissions, who.scope), (Permissions::view_only(), Scope::AllDevices));
    assert_eq!(who.valid_us, 3_600_000_000);
    let mut other = claims();
    other["roles"] = json!(["Unknown", "Berlin"]);
    let who = admit(&helper_with(&other)).unwrap();
    assert!(who.permissions.contains(Permission::Unattended));
    assert_eq!(who.scope, Scope::Groups(groups(&["berlin"])));
}

#[test]
fn who_sits_at_a_machine_may_have_signed_in_there() {
    let sharer = device(Some((token(&claims()), session_key())));
    let mut rules = rules().with_device(&sharer, Capabilities::ALL);
    let whom = rules.check_sharer(&present(&sharer), &exporter(), SESSION, NOW_S).unwrap();
    assert_eq!(whom.peer.display_name(), "Ada Lovelace");
    let authority = tenant_authority();
    let person = Person { name: "Eve".into(), job_title: None, company: None };
    let claims = GrantClaims { tenant: authority.tenant().clone(), person, ..grant_claims() };
    let grant = Credential::grant(authority.grant(&claims).unwrap()).unwrap();
    let helper = Holder::helper(grant, key(3), SOFTWARE).unwrap();
    let who = rules.admit(&present(&helper), &exporter(), SESSION, NOW_S).unwrap();
    assert_eq!(who.sharer, whom.sharer);
    assert_eq!(who.peer.display_name(), "Eve");
}

#[test]
fn a_token_of_another_key_session_role_or_provider_is_refused() {
    let mut cases = Cases::of("tokens");
    // Somebody else's token, with a key of one's own in its place.
    let stolen = SessionBinding { key: key(12).public_key(), ..binding() };
    let stolen = Credential::token(Signer::Ed25519.token(&claims()), stolen).unwrap();
    let thief = Holder::helper(stolen, key(12), SOFTWARE).unwrap();
    let refused = |source| AdmissionError::Token { of: Part::Helper, source };
    cases.refused(admit(&thief), refused(TokenError::Nonce));
    // The true key on another connection, and in another role.
    let proof = |of| AdmissionError::Proof { of, source: ProofError::Refused };
    for n in (1..=255).filter(|n| *n != 6) {
        let elsewhere = helper().present(&Exporter::new([n; 32]).unwrap(), SESSION);
        let verdict = rules().admit(&elsewhere, &exporter(), SESSION, NOW_S);
        cases.refused(verdict, proof(Part::Helper));
    }
    let shown = present(&device(Some((token(&claims()), session_key()))));
    let End::Sharer { person: Some(person), .. } = shown.end else { panic!("a person") };
    let replayed = Presented { software: SOFTWARE, end: End::Helper(person) };
    let verdict = rules().admit(&replayed, &exporter(), SESSION, NOW_S);
    cases.refused(verdict, proof(Part::Helper));
    // What the validator refuses.
    let ended = TokenError::Expired { expires_s: NOW_S + 3_600, now_s: NOW_S + 3_660 };
    let verdict = rules().admit(&present(&helper()), &exporter(), SESSION, NOW_S + 3_660);
    assert_eq!(refused(ended.clone()).end_reason(), EndReason::Expired);
    cases.refused(verdict, refused(ended));
    let mut foreign = claims();
    foreign["tid"] = json!("00000000-0000-0000-0000-000000000000");
    let verdict = admit(&helper_with(&foreign));
    assert_eq!(verdict.as_ref().unwrap_err().end_reason(), EndReason::DifferentTenant);
    cases.count += 1;
    // A provider of another tenant than the machine's.
    let verdict = rules_of_both().admit(&present(&helper()), &exporter(), SESSION, NOW_S);
    let (expected, found) = (authority().tenant().to_string(), TENANT.to_owned());
    cases.refused(verdict, refused(TokenError::Tenant { expected, found }));
    let verdict = super::admit(&present(&helper()));
    cases.refused(verdict, AdmissionError::NoProvider { of: Part::Helper });
}

#[test]
fn of_a_tokens_roles_exactly_one_says_what_its_bearer_may_do() {
    let mut cases = Cases::of("roles");
    for (names, known) in [
        (&[][..], 0),
        (&["Unknown"], 0),
        (&["helpdeskoperator", "HelpDeskOperator "], 0),
        (&["Berlin", "HelpDeskOperator"], 2),
        (&["Berlin", "Berlin"], 2),
    ] {
        let mut claims = claims();
        claims["roles"] = json!(names);
        match admit(&helper_with(&claims)) {
            Err(AdmissionError::Token { .. }) => cases.count += 1,
            verdict => cases.refused(verdict, AdmissionError::Roles { known }),
        }
    }
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("roles");
    cases.refused(admit(&helper_with(&claims)), AdmissionError::Roles { known: 0 });
    let rule = RoleRule { permissions: Permissions::view_only(), scope: Scope::AllDevices };
    let twice = vec![("A".to_owned(), rule.clone()), ("A".to_owned(), rule.clone())];
    assert_eq!(Roles::new(twice), Err(RolesError { count: 2 }));
    let many = (0..=MAX_ROLES).map(|n| (n.to_string(), rule.clone())).collect();
    assert_eq!(Roles::new(many), Err(RolesError { count: MAX_ROLES + 1 }));
}

#[test]
fn the_providers_keys_are_asked_for_and_then_the_helper_is_admitted() {
    let rules = Rules::new(trust_of(&tenant_authority()), TenantSettings::default());
    let rules = rules.with_provider(Validator::new(profile()), roles());
    let mut rules = rules.with_device(&device(None), Capabilities::ALL);
    let shown = present(&helper());
    let verdict = rules.admit(&shown, &exporter(), SESSION, NOW_S);
    assert_eq!(verdict, Err(AdmissionError::KeysNeeded));
    rules.handle_keys(&jwks(&[Signer::Ed25519.jwk()]), NOW_S).unwrap();
    assert!(rules.admit(&shown, &exporter(), SESSION, NOW_S).is_ok());
    assert!(super::rules().handle_keys(b"ignored", NOW_S).is_ok());
}
