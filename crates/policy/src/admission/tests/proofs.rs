//! Proofs of another connection, session, role, key or credential.

use super::*;
use crate::admission::presented::{End, Proved};
use crate::identity::{Proof, ProofError, ProofInput, Role};

fn refused(of: Role) -> AdmissionError {
    AdmissionError::Proof { of, source: ProofError::Refused }
}

/// Exporters and sessions that differ from the true ones in one bit.
fn others() -> Vec<(Exporter, SessionId)> {
    let mut others = Vec::new();
    for bit in 0..256 {
        let mut bytes = [6; 32];
        bytes[bit / 8] ^= 1 << (bit % 8);
        others.push((Exporter::new(bytes).unwrap(), SESSION));
    }
    for bit in 0..128 {
        let mut session = SESSION;
        session.0[bit / 8] ^= 1 << (bit % 8);
        others.push((exporter(), session));
    }
    others
}

#[test]
fn what_was_presented_on_another_connection_or_in_another_session_is_refused() {
    let mut cases = Cases::of("another connection or session");
    for (exporter, session) in others() {
        let shown = helper().present(&exporter, session);
        cases.refused(admit(&shown), refused(Role::Helper));
        let shown = sharer_with_grace().present(&exporter, session);
        cases.refused(check_sharer(&shown), refused(Role::Device));
        // The device's own proof is good, and its person's is recorded elsewhere.
        let End::Sharer { person, .. } = shown.end else { panic!("a sharer") };
        let End::Sharer { device, .. } = present(&sharer()).end else { panic!("a sharer") };
        let shown = Presented { software: SOFTWARE, end: End::Sharer { device, person } };
        cases.refused(check_sharer(&shown), refused(Role::Sharer));
        // And the other way round: true bytes on a connection that is another.
        let true_ones = (helper().present(&super::exporter(), SESSION), present(&sharer()));
        let verdict = rules().admit(&true_ones.0, &exporter, session, NOW_S);
        cases.refused(verdict, refused(Role::Helper));
        let verdict = rules().check_sharer(&true_ones.1, &exporter, session, NOW_S);
        cases.refused(verdict, refused(Role::Device));
    }
}

fn proved<C>(credential: C, hash: [u8; 32], key: &KeyPair, role: Role) -> Proved<C> {
    let input = ProofInput { role, credential: hash, session: SESSION.0, exporter: exporter() };
    Proved { credential, proof: Proof::sign(key, &input) }
}

fn as_helper(person: Proved<Credential>) -> Presented {
    Presented { software: SOFTWARE, end: End::Helper(person) }
}

fn as_sharer(device: Proved<Certificate>, person: Option<Proved<Credential>>) -> Presented {
    Presented { software: SOFTWARE, end: End::Sharer { device, person } }
}

/// The device's part of a message that is all right.
fn true_device() -> Proved<Certificate> {
    let certificate = certified(&device_claims());
    let hash = certificate.hash();
    proved(certificate, hash, &key(2), Role::Device)
}

const ROLES: [Role; 3] = [Role::Helper, Role::Sharer, Role::Device];

#[test]
fn a_proof_in_another_role_is_refused() {
    let mut cases = Cases::of("another role");
    for role in ROLES {
        let grant = granted(&grant_claims());
        let shown = as_helper(proved(grant.clone(), grant.hash(), &key(3), role));
        match role {
            Role::Helper => assert!(admit(&shown).is_ok()),
            _ => cases.refused(admit(&shown), refused(Role::Helper)),
        }
        let certificate = certified(&device_claims());
        let device = proved(certificate.clone(), certificate.hash(), &key(2), role);
        let shown = as_sharer(device, None);
        match role {
            Role::Device => assert!(check_sharer(&shown).is_ok()),
            _ => cases.refused(check_sharer(&shown), refused(Role::Device)),
        }
        let person = proved(grant.clone(), grant.hash(), &key(3), role);
        let shown = as_sharer(true_device(), Some(person));
        match role {
            Role::Sharer => assert!(check_sharer(&shown).is_ok()),
            _ => cases.refused(check_sharer(&shown), refused(Role::Sharer)),
        }
    }
}

#[test]
fn what_an_end_has_shown_is_of_no_use_to_whoever_saw_it() {
    let mut cases = Cases::of("reflection");
    let (expected, found) = (Side::Helper, Side::Sharer);
    let shown = present(&sharer_with_grace());
    cases.refused(admit(&shown), AdmissionError::Side { expected, found });
    let shown_by_helper = present(&helper());
    let (expected, found) = (Side::Sharer, Side::Helper);
    cases.refused(check_sharer(&shown_by_helper), AdmissionError::Side { expected, found });
    // The helper takes the sharer's grant and proof for its own, and the other way round.
    let End::Sharer { person: Some(grace), device } = shown.end else { panic!("a sharer") };
    cases.refused(admit(&as_helper(grace.clone())), refused(Role::Helper));
    let End::Helper(ada) = shown_by_helper.end else { panic!("a helper") };
    cases.refused(
        check_sharer(&as_sharer(device.clone(), Some(ada.clone()))),
        refused(Role::Sharer),
    );
    // Each credential with the other's proof.
    let swapped = Proved { credential: ada.credential.clone(), proof: grace.proof };
    cases.refused(admit(&as_helper(swapped.clone())), refused(Role::Helper));
    cases.refused(check_sharer(&as_sharer(device.clone(), Some(swapped))), refused(Role::Sharer));
    let swapped = Proved { credential: grace.credential.clone(), proof: ada.proof };
    cases.refused(admit(&as_helper(swapped)), refused(Role::Helper));
    let swapped = Proved { credential: ada.credential, proof: device.proof };
    cases.refused(admit(&as_helper(swapped)), refused(Role::Helper));
    let swapped = Proved { credential: device.credential.clone(), proof: grace.proof };
    cases.refused(check_sharer(&as_sharer(swapped, None)), refused(Role::Device));
    // A certificate in a grant's place, and a grant in a certificate's.
    let certificate = Credential::grant(device.credential.as_bytes().to_vec()).unwrap();
    let shown = as_helper(proved(certificate.clone(), certificate.hash(), &key(2), Role::Helper));
    assert!(matches!(admit(&shown), Err(AdmissionError::Credential { of: Role::Helper, .. })));
    let grant = Certificate::new(authority().grant(&grant_claims()).unwrap()).unwrap();
    let shown = as_sharer(proved(grant.clone(), grant.hash(), &key(3), Role::Device), None);
    assert!(matches!(check_sharer(&shown), Err(AdmissionError::Credential { .. })));
    cases.count += 2;
}

#[test]
fn a_credential_without_its_key_is_worth_nothing() {
    let mut cases = Cases::of("another key");
    for seed in (1..=64).filter(|seed| ![2, 3].contains(seed)) {
        let grant = granted(&grant_claims());
        let thief = Holder::helper(grant.clone(), key(seed), SOFTWARE).unwrap();
        cases.refused(admit(&present(&thief)), refused(Role::Helper));
        let certificate = certified(&device_claims());
        let thief = Holder::sharer(certificate.clone(), key(seed), None, SOFTWARE).unwrap();
        cases.refused(check_sharer(&present(&thief)), refused(Role::Device));
        let person = Some((grant, key(seed)));
        let thief = Holder::sharer(certificate, key(2), person, SOFTWARE).unwrap();
        cases.refused(check_sharer(&present(&thief)), refused(Role::Sharer));
    }
    assert_eq!(refused(Role::Helper).end_reason(), EndReason::WrongConnection);
}

#[test]
fn an_error_says_whose_proof_it_is() {
    let names = ROLES.map(|role| refused(role).to_string());
    for (text, name) in names.iter().zip(["helper", "sharer", "device"]) {
        assert!(text.starts_with(&format!("the {name}'s proof is refused")), "{text}");
    }
}

#[test]
fn a_proof_is_for_one_credential_even_of_the_same_holder_and_key() {
    let mut cases = Cases::of("a proof for another grant or certificate");
    let more = GrantClaims { scope: Scope::AllDevices, ..grant_claims() };
    let proof = proved(granted(&more), granted(&more).hash(), &key(3), Role::Helper).proof;
    let shown = as_helper(Proved { credential: granted(&grant_claims()), proof });
    cases.refused(admit(&shown), refused(Role::Helper));
    let proof = Proved { credential: granted(&more), ..proved_helper() };
    cases.refused(admit(&as_helper(proof)), refused(Role::Helper));
    let mut renewed = device_claims();
    renewed.validity.expires_s += 1;
    let device = Proved { credential: certified(&renewed), ..true_device() };
    cases.refused(check_sharer(&as_sharer(device, None)), refused(Role::Device));
}

fn proved_helper() -> Proved<Credential> {
    let grant = granted(&grant_claims());
    proved(grant.clone(), grant.hash(), &key(3), Role::Helper)
}

#[test]
fn nobody_is_helped_on_a_machine_without_a_certificate() {
    let mut cases = Cases::of("no certificate");
    let mut bare = Rules::new(trust(&[]), TenantSettings::default());
    let verdict = bare.admit(&present(&helper()), &exporter(), SESSION, NOW_S);
    cases.refused(verdict, AdmissionError::NoDevice);
    let verdict = rules_with(&helper()).admit(&present(&helper()), &exporter(), SESSION, NOW_S);
    cases.refused(verdict, AdmissionError::NoDevice);
    assert_eq!(AdmissionError::NoDevice.end_reason(), EndReason::Error);
}
