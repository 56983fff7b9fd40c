//! Claims that are missing, unknown, or not what they must be. The authority itself signs them.

use super::*;
use crate::PeerError;
use crate::identity::{CredentialId, Validity};
use crate::{Permission, TenantId};

const LABELS: [(i64, &str); 12] = [
    (1, "iss"),
    (2, "sub"),
    (4, "exp"),
    (5, "nbf"),
    (6, "iat"),
    (7, "cti"),
    (8, "cnf"),
    (-65_537, "role"),
    (-65_538, "permissions"),
    (-65_539, "scope"),
    (-65_540, "device"),
    (-65_541, "name"),
];

fn changed(path: &[i64], value: impl Into<Value>) -> Vec<u8> {
    sealed(&with(&payload(), path, Some(value.into())))
}

fn texts(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
}

fn wrong(claim: &'static str, expected: &'static str) -> CredentialError {
    CredentialError::Type { claim, expected }
}

#[test]
fn every_claim_must_be_there_and_no_other() {
    let mut cases = Cases(0);
    for (label, claim) in LABELS {
        let bytes = sealed(&with(&payload(), &[label], None));
        cases.refused("missing", &bytes, CredentialError::Missing { claim });
    }
    for label in [0, 3, 9, 10, 38, 256, -1, -65_536, -65_545, -70_000] {
        let error = CredentialError::UnknownClaim { label: label.to_string() };
        cases.refused("unknown", &changed(&[label], 1), error);
    }
    let Value::Map(mut entries) = payload() else { unreachable!() };
    entries.push(("admin".into(), true.into()));
    let error = CredentialError::UnknownClaim { label: "Text(\"admin\")".into() };
    cases.refused("unknown", &sealed(&Value::Map(entries)), error);
    cases.refused("no map", &sealed(&Value::from(1)), wrong("claims", "a map"));
    cases.refused("no map", &sealed(&texts(&["a"])), wrong("claims", "a map"));
}

#[test]
fn every_claim_has_its_type() {
    let mut cases = Cases(0);
    let number = "a whole number from 0 on";
    for (label, claim) in [(4, "exp"), (5, "nbf"), (6, "iat")] {
        for value in [Value::from(-1), Value::from("1800000000"), true.into(), texts(&[])] {
            cases.refused(claim, &changed(&[label], value), wrong(claim, number));
        }
    }
    let text = [(2, "sub"), (-65_537, "role"), (-65_541, "name"), (-65_542, "job title")];
    for (label, claim) in text.into_iter().chain([(-65_543, "company")]) {
        for value in [Value::from(1), Value::Bytes(b"Ada".to_vec()), texts(&["Ada"])] {
            cases.refused(claim, &changed(&[label], value), wrong(claim, "text"));
        }
    }
    for value in [Value::from("id"), Value::Bytes(vec![1; 15]), Value::Bytes(vec![1; 17])] {
        cases.refused("cti", &changed(&[7], value), wrong("cti", "16 bytes"));
    }
    for value in [Value::from(1), "".into(), "A".into(), "a b".into(), "x".repeat(65).into()] {
        cases.refused("iss", &changed(&[1], value), wrong("iss", "a tenant's id"));
    }
    for value in [Value::from("RemoteHelp.ViewScreen"), 1.into(), map(&[])] {
        cases.refused("list", &changed(&[-65_538], value), wrong("permissions", "a list"));
    }
    for value in [Value::from("all"), 0.into(), map(&[])] {
        cases.refused("list", &changed(&[-65_539], value), wrong("scope", "a list"));
    }
    for value in [Value::from("laptop"), 1.into(), texts(&[])] {
        cases.refused("map", &changed(&[-65_540], value.clone()), wrong("device", "a map"));
        cases.refused("map", &changed(&[8], value), wrong("cnf", "a map"));
    }
}

#[test]
fn identifiers_and_shown_texts_hold_to_their_rules() {
    let mut cases = Cases(0);
    for (text, code) in [("a b", 0x20), ("a\n", 0x0a), ("ä", 0xe4), ("a\u{202e}", 0x202e)] {
        let error = CredentialError::Identifier { claim: "sub", code };
        cases.refused("sub", &changed(&[2], text), error);
        let error = CredentialError::Identifier { claim: "device id", code };
        cases.refused("device id", &changed(&[-65_540, 1], text), error);
    }
    let length = |claim, count, least, most| CredentialError::Length { claim, count, least, most };
    cases.refused("empty", &changed(&[2], ""), length("sub", 0, 1, 128));
    cases.refused("long", &changed(&[2], "x".repeat(129)), length("sub", 129, 1, 128));
    let shown =
        [(-65_537, "role"), (-65_541, "name"), (-65_542, "job title"), (-65_543, "company")];
    for (label, claim) in shown {
        let error = |source| CredentialError::Shown { claim, source };
        for code in [0x00, 0x0a, 0x1b, 0x7f, 0x9b, 0x200b, 0x200f, 0x202e, 0x2066, 0xfeff, 0x61c] {
            let text = format!("A{}da", char::from_u32(code).unwrap());
            let deceptive = PeerError::Deceptive { code };
            cases.refused(claim, &changed(&[label], text), error(deceptive));
        }
        for empty in ["", "  "] {
            cases.refused(claim, &changed(&[label], empty), error(PeerError::Empty));
        }
        let long = error(PeerError::TooLong { chars: 65 });
        cases.refused(claim, &changed(&[label], "x".repeat(65)), long);
    }
}

#[test]
fn permissions_are_the_products_each_once_and_in_order() {
    let mut cases = Cases(0);
    let unknown = [
        "RemoteHelp.Everything",
        "remotehelp.viewscreen",
        "RemoteHelp.ViewScreen2",
        "RemoteHelp.*",
        "*",
    ];
    for name in unknown {
        let error = CredentialError::UnknownPermission { name: name.into() };
        cases.refused(name, &changed(&[-65_538], texts(&[name])), error);
    }
    let error = CredentialError::Length { claim: "permissions", count: 0, least: 1, most: 6 };
    cases.refused("none", &changed(&[-65_538], texts(&[])), error);
    let unordered = CredentialError::Unordered { claim: "permissions" };
    let names = permission::names(Permissions::of(&Permission::ALL));
    assert!(names.is_sorted_by(|a, b| a < b) && names.len() == 6);
    let reversed: Vec<_> = names.iter().copied().rev().collect();
    cases.refused("order", &changed(&[-65_538], texts(&reversed)), unordered.clone());
    let twice = [names[4], names[4]];
    cases.refused("twice", &changed(&[-65_538], texts(&twice)), unordered);
    let many = names.repeat(2);
    let error = CredentialError::Length { claim: "permissions", count: 12, least: 1, most: 6 };
    cases.refused("many", &changed(&[-65_538], texts(&many)), error);
    let mixed = Value::Array(vec![names[0].into(), 1.into()]);
    cases.refused("mixed", &changed(&[-65_538], mixed), wrong("permissions", "text"));
    let shown = Value::Array(vec!["a\u{202e}".into()]);
    let error = CredentialError::Identifier { claim: "permissions", code: 0x202e };
    cases.refused("no identifier", &changed(&[-65_538], shown), error);
}

#[test]
fn scopes_are_of_one_kind_and_never_empty() {
    let mut cases = Cases(0);
    let expected = "[0], [1, group...] or [2, device...]";
    let list = |values: &[Value]| Value::Array(values.to_vec());
    let bad = [
        list(&[]),
        list(&[3.into()]),
        list(&[(-1).into()]),
        list(&["all".into()]),
        list(&[0.into(), "a".into()]),
        list(&[1.into(), 2.into()]),
        list(&[1.into(), list(&["a".into()])]),
    ];
    for scope in bad {
        cases.refused("scope", &changed(&[-65_539], scope), wrong("scope", expected));
    }
    for kind in [1, 2] {
        let empty = CredentialError::Length { claim: "scope", count: 0, least: 1, most: 64 };
        cases.refused("empty", &changed(&[-65_539], list(&[kind.into()])), empty);
        let unordered = CredentialError::Unordered { claim: "scope" };
        let (a, b): (Value, Value) = ("a".into(), "b".into());
        for names in [[b.clone(), a.clone()], [a.clone(), a]] {
            let scope = [&[kind.into()][..], &names[..]].concat();
            cases.refused("order", &changed(&[-65_539], list(&scope)), unordered.clone());
        }
        let error = CredentialError::Identifier { claim: "scope", code: 0x20 };
        let scope = list(&[kind.into(), "a b".into()]);
        cases.refused("identifier", &changed(&[-65_539], scope), error);
        let many: Vec<Value> = (0..65).map(|n| format!("{n:02}").into()).collect();
        let scope = [&[kind.into()][..], &many[..]].concat();
        let error = CredentialError::Length { claim: "scope", count: 65, least: 1, most: 64 };
        cases.refused("many", &changed(&[-65_539], list(&scope)), error);
    }
}

#[test]
fn devices_and_keys_are_whole_and_nothing_else() {
    let mut cases = Cases(0);
    let device = [(1, "device id"), (2, "enrolled"), (3, "compliance"), (4, "findings")];
    for (label, claim) in device {
        let bytes = sealed(&with(&payload(), &[-65_540, label], None));
        cases.refused(claim, &bytes, CredentialError::Missing { claim });
    }
    let unknown = CredentialError::UnknownClaim { label: "5".into() };
    cases.refused("unknown", &changed(&[-65_540, 5], 1), unknown);
    for value in [Value::from(1), "true".into()] {
        cases.refused("flag", &changed(&[-65_540, 2], value), wrong("enrolled", "true or false"));
    }
    for value in [3, 255] {
        let error = wrong("compliance", "0, 1 or 2");
        cases.refused("compliance", &changed(&[-65_540, 3], value), error);
    }
    let findings = texts(&["a finding"; 9]);
    let error = CredentialError::Length { claim: "findings", count: 9, least: 0, most: 8 };
    cases.refused("findings", &changed(&[-65_540, 4], findings), error);
    let source = PeerError::Deceptive { code: 0x1b };
    let error = CredentialError::Shown { claim: "findings", source };
    cases.refused("findings", &changed(&[-65_540, 4], texts(&["\u{1b}[2J"])), error);

    for (label, claim) in [(1, "kty"), (-1, "crv"), (-2, "x")] {
        let bytes = sealed(&with(&payload(), &[8, 1, label], None));
        cases.refused(claim, &bytes, CredentialError::Missing { claim });
    }
    for (label, value) in [(1, 2), (1, 3), (1, 4), (-1, 1), (-1, 4), (-1, 7)] {
        cases.refused("key", &changed(&[8, 1, label], value), CredentialError::Key);
    }
    for length in [0, 31, 33] {
        let bytes = changed(&[8, 1, -2], Value::Bytes(vec![1; length]));
        cases.refused("x", &bytes, wrong("x", "32 bytes"));
    }
    let mut order_one = vec![0; 32];
    order_one[0] = 1;
    for small in [vec![0; 32], order_one] {
        cases.refused("small", &changed(&[8, 1, -2], Value::Bytes(small)), CredentialError::Key);
    }
    let secret = changed(&[8, 1, -4], Value::Bytes(vec![1; 32]));
    cases.refused("a secret", &secret, CredentialError::UnknownClaim { label: "-4".into() });
    let unknown = CredentialError::UnknownClaim { label: "3".into() };
    cases.refused("kid", &changed(&[8, 3], Value::Bytes(vec![1])), unknown);
}

#[test]
fn grants_of_another_tenant_are_refused_though_the_key_is_known() {
    let mut cases = Cases(0);
    let (expected, found) = (authority().tenant().to_string(), "other".to_owned());
    let error = CredentialError::Tenant { expected, found };
    cases.refused("tenant", &changed(&[1], "other"), error);
    let stranger = Authority::founding(key(8));
    let claims = GrantClaims { tenant: stranger.tenant().clone(), ..grant_claims() };
    let bytes = stranger.grant(&claims).unwrap();
    cases.refused("stranger", &bytes, EnvelopeError::UnknownKey);
    let claims = GrantClaims { tenant: TenantId::new("x").unwrap(), ..grant_claims() };
    let x = Authority::of(TenantId::new("x").unwrap(), key(1));
    let expected = authority().tenant().to_string();
    let error = CredentialError::Tenant { expected, found: "x".into() };
    cases.refused("one key, two tenants", &x.grant(&claims).unwrap(), error);
}

#[test]
fn device_certificates_are_read_as_strictly() {
    let mut cases = Cases(0);
    let base = device_claims_value();
    let mut refused = |payload: &Value, error: CredentialError| {
        let bytes = Envelope::new(DEVICE, payload).bytes();
        assert_eq!(DeviceCertificate::verify(&bytes, &trust(&[]), NOW_S), Err(error));
        cases.0 += 1;
    };
    let labels = LABELS
        .into_iter()
        .filter(|(_, claim)| ["iss", "exp", "nbf", "iat", "cti", "cnf", "device"].contains(claim));
    for (label, claim) in labels.chain([(-65_544, "groups")]) {
        refused(&with(&base, &[label], None), CredentialError::Missing { claim });
    }
    for label in [2, -65_537, -65_538, -65_541] {
        let error = CredentialError::UnknownClaim { label: label.to_string() };
        refused(&with(&base, &[label], Some(1.into())), error);
    }
    let groups = |names: &[&str]| with(&base, &[-65_544], Some(texts(names)));
    refused(&groups(&["b", "a"]), CredentialError::Unordered { claim: "groups" });
    refused(&groups(&["a", "a"]), CredentialError::Unordered { claim: "groups" });
    let error = CredentialError::Identifier { claim: "groups", code: 0x20 };
    refused(&groups(&["a b"]), error);
    let grant = authority().grant(&grant_claims()).unwrap();
    let error = EnvelopeError::MediaType { expected: DEVICE };
    assert_eq!(DeviceCertificate::verify(&grant, &trust(&[]), NOW_S), Err(error.into()));
    let long = Validity::starting(NOW_S, 399 * 86_400);
    let error = CredentialError::Lifetime { seconds: 399 * 86_400, most: 398 * 86_400 };
    let claims = crate::identity::DeviceClaims { validity: long, ..device_claims() };
    assert_eq!(authority().device(&claims), Err(error));
    let revoked = trust(&[CredentialId([2; 16])]);
    let bytes = authority().device(&device_claims()).unwrap();
    let error = CredentialError::Revoked { id: "02".repeat(16) };
    assert_eq!(DeviceCertificate::verify(&bytes, &revoked, NOW_S), Err(error));
    cases.0 += 3;
}

/// The payload of a valid certificate.
fn device_claims_value() -> Value {
    let bytes = authority().device(&device_claims()).unwrap();
    let kind = crate::cose::Kind { media_type: DEVICE, max_bytes: MAX_GRANT_BYTES };
    crate::cose::open(kind, &bytes, &tenant()).unwrap()
}
