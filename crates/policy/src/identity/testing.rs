//! Credentials for tests, and envelopes that no authority would make.

use super::{
    Authority, CredentialId, Device, DeviceClaims, KeyPair, RevocationClaims, Tenant, Trust,
    Validity,
};
use crate::grant::{GrantClaims, Person};
use crate::{DeviceId, GroupId, Posture, Role, Scope, SubjectId};
use coset::cbor::Value;

/// When the tests take place, in seconds since 1970.
pub(crate) const NOW_S: u64 = 1_800_000_000;

pub(crate) fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

pub(crate) fn authority() -> Authority {
    Authority::founding(key(1))
}

pub(crate) fn tenant() -> Tenant {
    let authority = authority();
    Tenant::new(authority.tenant().clone(), "Contoso", &[authority.public_key()]).unwrap()
}

/// Trust with a list that revokes `revoked`.
pub(crate) fn trust(revoked: &[CredentialId]) -> Trust {
    let mut trust = Trust::new(tenant());
    trust.update(&authority().revocations(&revocations(1, revoked)).unwrap(), NOW_S).unwrap();
    trust
}

pub(crate) fn revocations(number: u64, revoked: &[CredentialId]) -> RevocationClaims {
    RevocationClaims {
        tenant: authority().tenant().clone(),
        number,
        revoked: revoked.to_vec(),
        validity: Validity::starting(NOW_S, 86_400),
    }
}

pub(crate) fn groups(names: &[&str]) -> Vec<GroupId> {
    names.iter().map(|name| GroupId::new(name).unwrap()).collect()
}

pub(crate) fn device() -> Device {
    Device {
        id: DeviceId::new("laptop-7").unwrap(),
        enrolled: true,
        posture: Posture::NotCompliant,
        findings: vec!["The disk is not encrypted".into()],
    }
}

pub(crate) fn device_claims() -> DeviceClaims {
    DeviceClaims {
        id: CredentialId([2; 16]),
        tenant: authority().tenant().clone(),
        device: device(),
        groups: groups(&["berlin", "sales"]),
        key: key(2).public_key(),
        validity: Validity::starting(NOW_S, 86_400),
    }
}

pub(crate) fn grant_claims() -> GrantClaims {
    GrantClaims {
        id: CredentialId([3; 16]),
        tenant: authority().tenant().clone(),
        subject: SubjectId::new("ada@contoso.example").unwrap(),
        person: Person {
            name: "Ada Lovelace".into(),
            job_title: Some("Help desk".into()),
            company: Some("Contoso".into()),
        },
        role: "Help Desk Operator".into(),
        permissions: Role::HelpDeskOperator.permissions(),
        scope: Scope::Groups(groups(&["berlin"])),
        device: device(),
        key: key(3).public_key(),
        validity: Validity::starting(NOW_S, 3600),
    }
}

/// The four parts of a COSE_Sign1, each as it is to be encoded.
#[derive(Clone)]
pub(crate) struct Envelope {
    pub(crate) protected: Vec<u8>,
    pub(crate) unprotected: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    /// What is signed in place of the parts above, when it is something else.
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) key: KeyPair,
}

impl Envelope {
    /// A valid one around `payload`.
    pub(crate) fn new(media_type: &str, payload: &Value) -> Self {
        Self {
            protected: encoded(&header(media_type)),
            unprotected: vec![0xa0],
            payload: encoded(payload),
            signature: None,
            key: key(1),
        }
    }

    /// Its bytes, signed truly whatever is in them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let message = encoded(&Value::Array(vec![
            "Signature1".into(),
            Value::Bytes(self.protected.clone()),
            Value::Bytes(Vec::new()),
            Value::Bytes(self.payload.clone()),
        ]));
        let signature = self.signature.clone().unwrap_or_else(|| self.key.sign(&message).to_vec());
        let mut bytes = vec![0xd2, 0x84];
        bytes.extend(encoded(&Value::Bytes(self.protected.clone())));
        bytes.extend(&self.unprotected);
        bytes.extend(encoded(&Value::Bytes(self.payload.clone())));
        bytes.extend(encoded(&Value::Bytes(signature)));
        bytes
    }
}

/// The protected header of a valid credential.
pub(crate) fn header(media_type: &str) -> Value {
    map(&[
        (1, (-19).into()),
        (4, Value::Bytes(key(1).public_key().id().to_vec())),
        (16, media_type.into()),
    ])
}

pub(crate) fn map(entries: &[(i64, Value)]) -> Value {
    Value::Map(entries.iter().map(|(label, value)| ((*label).into(), value.clone())).collect())
}

pub(crate) fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// `map` with `value` in place of what is at `path`, or without it.
pub(crate) fn with(map: &Value, path: &[i64], value: Option<Value>) -> Value {
    let Value::Map(mut entries) = map.clone() else { panic!("no map") };
    let label = Value::from(path[0]);
    let at = entries.iter().position(|(key, _)| *key == label);
    let value = match (at, &path[1..]) {
        (Some(at), rest @ [_, ..]) => Some(with(&entries[at].1, rest, value)),
        _ => value,
    };
    match (at, value) {
        (Some(at), Some(value)) => entries[at].1 = value,
        (Some(at), None) => drop(entries.remove(at)),
        (None, Some(value)) => entries.push((label, value)),
        (None, None) => {}
    }
    entries.sort_by_key(|(key, _)| encoded(key));
    Value::Map(entries)
}
