//! Credentials of a tenant. The first byte chooses: 0, the rest is a grant as it is; 1 to 3, the
//! rest is the payload of a grant, of a device certificate or of a revocation list, which this
//! module signs, as no fuzzer could; 4, the rest is a grant's protected header, which it signs.

use crate::Seed;
use farpane_policy::grant::{Grant, GrantClaims, Person};
use farpane_policy::identity::{
    Authority, CredentialId, Device, DeviceCertificate, DeviceClaims, KeyPair, RevocationClaims,
    Tenant, Trust, Validity,
};
use farpane_policy::{DeviceId, GroupId, Posture, Role, Scope, SubjectId};
use std::sync::LazyLock;

const WHOLE: u8 = 0;
const PAYLOAD: [u8; 3] = [1, 2, 3];
const HEADER: u8 = 4;
const TYPES: [&str; 3] = [
    "application/farpane-grant+cwt",
    "application/farpane-device+cwt",
    "application/farpane-revocations+cwt",
];
const NOW_S: u64 = 1_800_000_000;

static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::from_seed(&[1; 32]).expect("a key"));
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::founding(KEY.clone()));
static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let mut trust = Trust::new(tenant());
    let list = AUTHORITY.revocations(&revocations()).expect("a list");
    trust.update(&list, NOW_S).expect("the authority's list");
    trust
});

/// Whether the input is a credential that counts; if so, the authority must sign the same bytes
/// for what was read.
pub fn accepts(input: &[u8]) -> bool {
    let Some((&kind, rest)) = input.split_first() else { return false };
    match kind {
        WHOLE => is_grant(rest),
        1 => is_grant(&sealed(&header(TYPES[0]), rest)),
        2 => is_device(&sealed(&header(TYPES[1]), rest)),
        3 => is_list(&sealed(&header(TYPES[2]), rest)),
        HEADER => {
            let grant = AUTHORITY.grant(&grant()).expect("a grant");
            is_grant(&sealed(rest, payload_of(&grant, TYPES[0])))
        }
        _ => false,
    }
}

fn is_grant(bytes: &[u8]) -> bool {
    let Ok(grant) = Grant::verify(bytes, &TRUST, NOW_S) else { return false };
    assert_eq!(AUTHORITY.grant(grant.claims()).as_deref(), Ok(bytes));
    true
}

fn is_device(bytes: &[u8]) -> bool {
    let Ok(device) = DeviceCertificate::verify(bytes, &TRUST, NOW_S) else { return false };
    assert_eq!(AUTHORITY.device(device.claims()).as_deref(), Ok(bytes));
    true
}

fn is_list(bytes: &[u8]) -> bool {
    let Ok(list) = RevocationClaims::verify(bytes, TRUST.tenant()) else { return false };
    assert_eq!(AUTHORITY.revocations(&list).as_deref(), Ok(bytes));
    true
}

/// A COSE_Sign1 of these parts.
fn sealed(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let (header, payload) = (byte_string(header), byte_string(payload));
    let context = &b"\x84\x6aSignature1"[..];
    let signature = KEY.sign(&[context, &header[..], &byte_string(b""), &payload].concat());
    [&[0xd2, 0x84][..], &header, &[0xa0], &payload, &byte_string(&signature)].concat()
}

/// Type, Ed25519, and the name of the key.
fn header(media_type: &str) -> Vec<u8> {
    let length = media_type.len() as u8;
    let id = KEY.public_key().id();
    [&[0xa3, 0x01, 0x32, 0x04, 0x50][..], &id, &[0x10, 0x78, length], media_type.as_bytes()]
        .concat()
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head = match length {
        0..24 => vec![0x40 | length as u8],
        24..256 => vec![0x58, length as u8],
        256..65_536 => [&[0x59][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[0x5a][..], &(length as u32).to_be_bytes()].concat(),
    };
    [head, bytes.to_vec()].concat()
}

/// Credentials of all kinds, and some that lack one thing.
pub fn seeds() -> Vec<Seed> {
    let grant = AUTHORITY.grant(&grant()).expect("a grant");
    let device = AUTHORITY.device(&device_claims()).expect("a certificate");
    let list = AUTHORITY.revocations(&revocations()).expect("a list");
    let [of_grant, of_device, of_list] =
        [(&grant, 0), (&device, 1), (&list, 2)].map(|(bytes, kind)| payload_of(bytes, TYPES[kind]));
    let indefinite = [&[0xbf][..], &of_grant[1..], &[0xff]].concat();
    let twice = [&[of_list[0] + 1, 0x01, 0x60][..], &of_list[1..]].concat();
    let mut eddsa = header(TYPES[0]);
    eddsa[2] = 0x27;
    vec![
        ("grant", led(WHOLE, &grant)),
        ("grant-payload", led(PAYLOAD[0], of_grant)),
        ("device-payload", led(PAYLOAD[1], of_device)),
        ("revocations-payload", led(PAYLOAD[2], of_list)),
        ("grant-header", led(HEADER, &header(TYPES[0]))),
        ("bad-grant-cut", led(WHOLE, &grant[..grant.len() - 1])),
        ("bad-grant-trailing", led(WHOLE, &[&grant[..], &[0]].concat())),
        ("bad-device-as-grant", led(WHOLE, &device)),
        ("bad-payload-indefinite", led(PAYLOAD[0], &indefinite)),
        ("bad-payload-claim-twice", led(PAYLOAD[2], &twice)),
        ("bad-payload-of-another-kind", led(PAYLOAD[1], of_grant)),
        ("bad-header-algorithm", led(HEADER, &eddsa)),
        ("bad-header-of-another-kind", led(HEADER, &header(TYPES[1]))),
    ]
}

fn led(kind: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind][..], rest].concat()
}

/// What was signed in `bytes`: between the header with an empty map and the signature.
fn payload_of<'a>(bytes: &'a [u8], media_type: &str) -> &'a [u8] {
    let start = 2 + byte_string(&header(media_type)).len() + 1;
    let end = bytes.len() - 66;
    let head = match bytes[start] {
        0x58 => 2,
        0x59 => 3,
        _ => 1,
    };
    &bytes[start + head..end]
}

fn tenant() -> Tenant {
    let id = AUTHORITY.tenant().clone();
    Tenant::new(id, "Contoso", &[AUTHORITY.public_key()]).expect("a tenant")
}

fn grant() -> GrantClaims {
    GrantClaims {
        id: CredentialId([3; 16]),
        tenant: AUTHORITY.tenant().clone(),
        subject: SubjectId::new("ada@contoso.example").expect("an id"),
        person: Person {
            name: "Ada Lovelace".into(),
            job_title: Some("Help desk".into()),
            company: Some("Contoso".into()),
        },
        role: "Help Desk Operator".into(),
        permissions: Role::HelpDeskOperator.permissions(),
        scope: Scope::Groups(vec![group("berlin"), group("sales")]),
        device: device(),
        key: KEY.public_key(),
        validity: Validity::starting(NOW_S, 3600),
    }
}

fn group(name: &str) -> GroupId {
    GroupId::new(name).expect("an id")
}

fn device() -> Device {
    let findings = vec!["The disk is not encrypted".into()];
    let id = DeviceId::new("laptop-7").expect("an id");
    Device { id, enrolled: true, posture: Posture::NotCompliant, findings }
}

fn device_claims() -> DeviceClaims {
    DeviceClaims {
        id: CredentialId([2; 16]),
        tenant: AUTHORITY.tenant().clone(),
        device: device(),
        groups: vec![group("berlin")],
        key: KEY.public_key(),
        validity: Validity::starting(NOW_S, 3600),
    }
}

fn revocations() -> RevocationClaims {
    RevocationClaims {
        tenant: AUTHORITY.tenant().clone(),
        number: 7,
        revoked: vec![CredentialId([4; 16]), CredentialId([5; 16])],
        validity: Validity::starting(NOW_S, 3600),
    }
}
