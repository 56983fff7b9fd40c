//! Grants, device certificates and revocation lists, true and forged.

mod claims;
mod envelope;
mod time;

use super::*;
use crate::identity::testing::*;
use crate::identity::{DeviceCertificate, EnvelopeError};
use crate::{GroupId, Permissions, Scope};
use coset::cbor::Value;

const GRANT: &str = "application/farpane-grant+cwt";
const DEVICE: &str = "application/farpane-device+cwt";
const REVOCATIONS: &str = "application/farpane-revocations+cwt";

/// Counts the cases of one test, and says so at its end.
struct Cases(usize);

impl Cases {
    fn refused(&mut self, name: &str, bytes: &[u8], error: impl Into<CredentialError>) {
        let verdict = Grant::verify(bytes, &trust(&[]), NOW_S);
        assert_eq!(verdict, Err(error.into()), "{name}");
        self.0 += 1;
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        println!("negative cases: grants: {}", self.0);
    }
}

fn payload() -> Value {
    grant_claims().write()
}

fn sealed(payload: &Value) -> Vec<u8> {
    Envelope::new(GRANT, payload).bytes()
}

#[test]
fn a_grant_comes_back_as_it_was_issued() {
    for scope in
        [Scope::AllDevices, Scope::Groups(groups(&["a", "b"])), Scope::Devices(vec![device().id])]
    {
        let mut claims = grant_claims();
        claims.scope = scope;
        claims.person.job_title = None;
        let bytes = authority().grant(&claims).unwrap();
        let grant = Grant::verify(&bytes, &trust(&[]), NOW_S).unwrap();
        assert_eq!(*grant.claims(), claims);
        assert_eq!(grant.hash(), sha256(&[&bytes]));
        assert_eq!(bytes, sealed(&claims.write()), "there is one encoding");
        assert_eq!(grant.remaining_s(NOW_S + 600), 3000);
    }
}

#[test]
fn a_device_certificate_comes_back_as_it_was_issued() {
    use crate::Posture::{Compliant, NotCompliant, Unknown};
    let mut claims = device_claims();
    for posture in [Unknown, Compliant, NotCompliant] {
        claims.device.posture = posture;
        let bytes = authority().device(&claims).unwrap();
        let device = DeviceCertificate::verify(&bytes, &trust(&[]), NOW_S).unwrap();
        assert_eq!(*device.claims(), claims);
        assert_eq!(device.hash(), sha256(&[&bytes]));
    }
}

#[test]
fn after_a_change_of_keys_both_count_until_the_old_one_is_dropped() {
    let (old, new) = (authority(), Authority::of(authority().tenant().clone(), key(9)));
    let keys = [new.public_key(), old.public_key()];
    let both = crate::identity::Tenant::new(old.tenant().clone(), "Contoso", &keys).unwrap();
    let one = crate::identity::Tenant::new(old.tenant().clone(), "Contoso", &keys[..1]).unwrap();
    let verdict = |tenant, signer: &Authority| {
        let mut trust = Trust::new(tenant);
        trust.update(&new.revocations(&revocations(2, &[])).unwrap(), NOW_S).unwrap();
        Grant::verify(&signer.grant(&grant_claims()).unwrap(), &trust, NOW_S)
    };
    assert!(verdict(both.clone(), &old).is_ok() && verdict(both, &new).is_ok());
    assert!(verdict(one.clone(), &new).is_ok());
    assert_eq!(verdict(one, &old), Err(EnvelopeError::UnknownKey.into()));
}

#[test]
fn an_authority_signs_nothing_that_its_readers_refuse() {
    let mut claims = grant_claims();
    claims.tenant = crate::TenantId::new("other").unwrap();
    assert!(matches!(authority().grant(&claims), Err(CredentialError::Tenant { .. })));
    let mut claims = grant_claims();
    claims.permissions = Permissions::NONE;
    assert!(matches!(authority().grant(&claims), Err(CredentialError::Length { .. })));
    let mut claims = grant_claims();
    claims.person.name = "A\u{202e}da".into();
    assert!(matches!(authority().grant(&claims), Err(CredentialError::Shown { .. })));
    let mut claims = grant_claims();
    let group = |n: usize| GroupId::new(&format!("{n:03}{}", "g".repeat(120))).unwrap();
    claims.scope = Scope::Groups((0..64).map(group).collect());
    claims.device.findings = vec!["f".repeat(64); 8];
    let bytes = authority().grant(&claims);
    let bytes = match bytes {
        Err(CredentialError::Envelope(EnvelopeError::TooLarge { bytes, most: 8192 })) => bytes,
        other => panic!("{other:?}"),
    };
    assert!(bytes > 8192);
}
