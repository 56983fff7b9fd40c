use super::*;
use crate::identity::testing::key;

fn input() -> ProofInput {
    ProofInput {
        role: Role::Helper,
        credential: [4; 32],
        session: [5; 16],
        exporter: Exporter::new([6; 32]).unwrap(),
    }
}

/// Inputs that differ from the one that was signed, each in one thing.
fn others() -> Vec<ProofInput> {
    let mut others: Vec<_> =
        [Role::Sharer, Role::Device].map(|role| ProofInput { role, ..input() }).to_vec();
    for at in 0..32 {
        let mut other = input();
        other.credential[at] ^= 1 << (at % 8);
        others.push(other);
        let mut exporter = [6; 32];
        exporter[at] ^= 1 << (at % 8);
        others.push(ProofInput { exporter: Exporter::new(exporter).unwrap(), ..input() });
    }
    for at in 0..16 {
        let mut other = input();
        other.session[at] ^= 1 << (at % 8);
        others.push(other);
    }
    others
}

#[test]
fn a_proof_holds_for_its_key_role_credential_session_and_connection_and_no_other() {
    let proof = Proof::sign(&key(7), &input());
    assert_eq!(proof.verify(&key(7).public_key(), &input()), Ok(()));
    let mut cases = 0;
    for other in others() {
        assert_eq!(proof.verify(&key(7).public_key(), &other), Err(ProofError::Refused));
        cases += 1;
    }
    assert_eq!(proof.verify(&key(8).public_key(), &input()), Err(ProofError::Refused));
    for bit in 0..SIGNATURE_BYTES * 8 {
        let mut bytes = proof.to_bytes();
        bytes[1 + bit / 8] ^= 1 << (bit % 8);
        let changed = Proof::from_bytes(&bytes).unwrap();
        let verdict = changed.verify(&key(7).public_key(), &input());
        assert_eq!(verdict, Err(ProofError::Refused), "bit {bit}");
    }
    cases += 1 + SIGNATURE_BYTES * 8;
    println!("negative cases: handshake: {cases}");
}

#[test]
fn proofs_come_back_from_their_bytes_and_other_bytes_are_named() {
    let proof = Proof::sign(&key(7), &input());
    let bytes = proof.to_bytes();
    assert_eq!(Proof::from_bytes(&bytes), Ok(proof));
    for length in (0..PROOF_BYTES).chain([PROOF_BYTES + 1]) {
        let bytes = [&bytes[..], &[0]].concat();
        let error = ProofError::Length { bytes: length };
        assert_eq!(Proof::from_bytes(&bytes[..length]), Err(error));
    }
    for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
        let mut bytes = bytes;
        bytes[0] = version;
        assert_eq!(Proof::from_bytes(&bytes), Err(ProofError::Version { version }));
    }
    println!("negative cases: handshake: {}", PROOF_BYTES + 1 + 255);
}

#[test]
fn an_exporter_that_nobody_exported_is_refused() {
    assert_eq!(Exporter::new([0; 32]), Err(ProofError::NoExporter));
}

#[test]
fn what_else_the_key_signs_is_no_proof() {
    let mut message = input().message();
    message[DOMAIN.len() - 2] = b'2';
    let signature = key(7).sign(&message);
    let proof = Proof::from_bytes(&[&[VERSION][..], &signature[..]].concat()).unwrap();
    assert_eq!(proof.verify(&key(7).public_key(), &input()), Err(ProofError::Refused));
}
