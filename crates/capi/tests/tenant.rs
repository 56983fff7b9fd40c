//! Members of a tenant, leases and audit logs, as C programs use them.

mod common;

use common::*;
use farpane::audit::AuditReader;
use farpane::policy::audit::Trust;
use farpane::policy::grant::{GrantClaims, Person};
use farpane::policy::identity::{
    Authority, CredentialId, Device, DeviceClaims, KeyPair, RevocationClaims, Tenant, Validity,
};
use farpane::policy::{DeviceId, Posture, Role, Scope, SubjectId};
use farpane_capi::abi::*;
use farpane_capi::*;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::time::{SystemTime, UNIX_EPOCH};

fn key(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32]).unwrap()
}

fn validity() -> Validity {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Validity::starting(now.as_secs() - 60, 3_600)
}

/// A tenant, and what it gives out.
struct Contoso {
    authority: Authority,
    tenant: String,
}

const GRANT: CredentialId = CredentialId([3; 16]);

impl Contoso {
    fn of(seed: u8) -> Self {
        let authority = Authority::founding(key(seed));
        let keys = [authority.public_key()];
        let tenant = Tenant::new(authority.tenant().clone(), "Contoso", &keys).unwrap().to_json();
        Self { authority, tenant }
    }

    fn device(posture: Posture) -> Device {
        let id = DeviceId::new("laptop-7").unwrap();
        Device { id, enrolled: true, posture, findings: Vec::new() }
    }

    fn revocations(&self, number: u64, revoked: &[CredentialId]) -> Vec<u8> {
        let (tenant, revoked) = (self.authority.tenant().clone(), revoked.to_vec());
        let claims = RevocationClaims { tenant, number, revoked, validity: validity() };
        self.authority.revocations(&claims).unwrap()
    }

    fn grant(&self) -> Vec<u8> {
        let person = Person {
            name: "Ada Lovelace".into(),
            job_title: Some("Help desk".into()),
            company: Some("Contoso".into()),
        };
        let claims = GrantClaims {
            id: GRANT,
            tenant: self.authority.tenant().clone(),
            subject: SubjectId::new("ada@contoso.example").unwrap(),
            person,
            role: "Help Desk Operator".into(),
            permissions: Role::HelpDeskOperator.permissions(),
            scope: Scope::AllDevices,
            device: Self::device(Posture::Compliant),
            key: key(11).public_key(),
            validity: validity(),
        };
        self.authority.grant(&claims).unwrap()
    }

    fn certificate(&self, posture: Posture) -> Vec<u8> {
        let claims = DeviceClaims {
            id: CredentialId([2; 16]),
            tenant: self.authority.tenant().clone(),
            device: Self::device(posture),
            groups: Vec::new(),
            key: key(12).public_key(),
            validity: validity(),
        };
        self.authority.device(&claims).unwrap()
    }

    fn helper(&self) -> Membership {
        Membership::create(&self.documents(FARPANE_ROLE_HELPER, self.grant())).unwrap()
    }

    fn sharer(&self, posture: Posture) -> Membership {
        let documents = self.documents(FARPANE_ROLE_SHARER, self.certificate(posture));
        Membership::create(&documents).unwrap()
    }

    fn documents(&self, role: u32, credential: Vec<u8>) -> Documents {
        let seed = if role == FARPANE_ROLE_HELPER { 11 } else { 12 };
        let key = key(seed).to_pem().to_string();
        let (tenant, revocations) = (self.tenant.clone(), self.revocations(1, &[]));
        Documents { role, tenant, revocations, credential, key }
    }
}

struct Documents {
    role: u32,
    tenant: String,
    revocations: Vec<u8>,
    credential: Vec<u8>,
    key: String,
}

impl Documents {
    fn raw(&self) -> farpane_membership_config {
        farpane_membership_config {
            struct_size: size_of::<farpane_membership_config>() as u32,
            role: self.role,
            tenant: self.tenant.as_ptr().cast(),
            tenant_len: self.tenant.len(),
            revocations: self.revocations.as_ptr(),
            revocations_len: self.revocations.len(),
            credential: self.credential.as_ptr(),
            credential_len: self.credential.len(),
            key: self.key.as_ptr().cast(),
            key_len: self.key.len(),
            ..zeroed()
        }
    }
}

/// Released when dropped.
struct Membership(*mut farpane_membership);

impl Membership {
    fn create(documents: &Documents) -> Result<Self, farpane_result> {
        let mut membership = null_mut();
        // SAFETY: the documents have their lengths, the place is valid.
        match unsafe { farpane_membership_create(&documents.raw(), &mut membership) } {
            FARPANE_OK => Ok(Self(membership)),
            error => {
                assert!(membership.is_null());
                Err(error)
            }
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        assert_eq!(farpane_membership_unref(self.0), FARPANE_OK);
    }
}

/// A sharer that listens and a helper that is connecting.
fn ends(sharer: &farpane_session_config, helper: &farpane_session_config) -> (Session, Session) {
    let listen = "127.0.0.1:0";
    let (listen, listen_len) = (listen.as_ptr().cast(), listen.len());
    let sharer = Session::create(&farpane_session_config { listen, listen_len, ..*sharer });
    sharer.connect();
    let text = sharer.invite();
    let (invitation, invitation_len) = (text.as_ptr().cast(), text.len());
    let helper = Session::create(&farpane_session_config { invitation, invitation_len, ..*helper });
    assert_eq!(farpane_session_connect(helper.0), FARPANE_OK);
    (sharer, helper)
}

fn of(role: u32, membership: &Membership) -> farpane_session_config {
    farpane_session_config { membership: membership.0, ..config(role) }
}

fn revoke(
    list: &[u8],
    call: unsafe extern "C" fn(*mut farpane_session, *const u8, usize) -> farpane_result,
    session: &Session,
) -> farpane_result {
    // SAFETY: the list has that length.
    unsafe { call(session.0, list.as_ptr(), list.len()) }
}

#[test]
fn members_know_each_other_are_warned_and_end_when_they_are_revoked() {
    let contoso = Contoso::of(1);
    let (at_helper, at_sharer) = (contoso.helper(), contoso.sharer(Posture::NotCompliant));
    let (sharer, helper) =
        ends(&of(FARPANE_ROLE_SHARER, &at_sharer), &of(FARPANE_ROLE_HELPER, &at_helper));
    // Sessions need the membership no more.
    drop((at_helper, at_sharer));
    let verified = helper.wait(FARPANE_EVENT_SHARER_VERIFIED);
    assert_eq!((text(&verified.text).as_str(), verified.key[0] != 0), ("laptop-7", true));
    let warned = helper.wait(FARPANE_EVENT_COMPLIANCE_WARNING);
    assert_eq!(warned.posture, FARPANE_POSTURE_NOT_COMPLIANT);
    let warning = sharer.wait(FARPANE_EVENT_COMPLIANCE_WARNING);
    assert_eq!(warning.posture, FARPANE_POSTURE_NOT_COMPLIANT);
    assert_eq!(farpane_compliance_ack(helper.0, 0), FARPANE_OK, "{}", last_error());
    assert_eq!(sharer.next(200).map(|event| event.kind).unwrap_err(), FARPANE_AGAIN);
    assert_eq!(farpane_compliance_ack(sharer.0, warning.id), FARPANE_OK, "{}", last_error());
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!((text(&request.name).as_str(), request.verified), ("Ada Lovelace", 1));
    assert_eq!(text(&request.text), "Help desk, Contoso");
    assert_eq!(request.posture, FARPANE_POSTURE_NOT_COMPLIANT);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 0), FARPANE_OK);
    sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    let _keeping = Keeping::of(&sharer);
    helper.wait(FARPANE_EVENT_CONSENT_GRANTED);
    let other = Contoso::of(9).revocations(2, &[GRANT]);
    let set = farpane_session_set_revocations;
    assert_eq!(revoke(&other, set, &sharer), FARPANE_ERR_ARGUMENT);
    assert_eq!(revoke(&contoso.revocations(2, &[]), set, &sharer), FARPANE_OK);
    assert_eq!(revoke(&contoso.revocations(1, &[GRANT]), set, &sharer), FARPANE_ERR_ARGUMENT);
    assert_eq!(revoke(&contoso.revocations(3, &[GRANT]), set, &sharer), FARPANE_OK);
    assert_eq!(sharer.wait(FARPANE_EVENT_HELPER_LEFT).reason, FARPANE_END_REVOKED);
    assert_eq!(helper.wait(FARPANE_EVENT_ENDED).reason, FARPANE_END_REVOKED);
}

#[test]
fn strangers_and_the_revoked_are_not_let_in() {
    let (contoso, other) = (Contoso::of(1), Contoso::of(9));
    let at_sharer = contoso.sharer(Posture::Compliant);
    let sharer_config = of(FARPANE_ROLE_SHARER, &at_sharer);
    let refused = |helper: &farpane_session_config, reason| {
        let (sharer, helper) = ends(&sharer_config, helper);
        let refused = sharer.wait(FARPANE_EVENT_HELPER_REFUSED);
        assert_ne!(refused.text[0], 0);
        assert_eq!(helper.wait(FARPANE_EVENT_ENDED).reason, reason);
    };
    refused(&config(FARPANE_ROLE_HELPER), FARPANE_END_NOT_PERMITTED);
    // A helper does not even show itself to another tenant's sharer.
    let stranger = other.helper();
    let (sharer, helper) = ends(&sharer_config, &of(FARPANE_ROLE_HELPER, &stranger));
    assert_eq!(helper.wait(FARPANE_EVENT_ENDED).reason, FARPANE_END_NOT_PERMITTED);
    assert_eq!(sharer.next(100).map(|event| event.kind).unwrap_err(), FARPANE_AGAIN);
    let member = contoso.helper();
    let list = contoso.revocations(2, &[GRANT]);
    // SAFETY: the list has that length.
    let set = unsafe { farpane_membership_set_revocations(at_sharer.0, list.as_ptr(), list.len()) };
    assert_eq!(set, FARPANE_OK, "{}", last_error());
    refused(&of(FARPANE_ROLE_HELPER, &member), FARPANE_END_REVOKED);
}

/// Takes 10 s: a renewal is due every 5.
#[test]
fn a_lease_of_the_apps_is_renewed_and_then_refused() {
    let flags = FARPANE_SESSION_LEASE_BY_APP;
    let (sharer, helper) = ends(
        &farpane_session_config { flags, ..config(FARPANE_ROLE_SHARER) },
        &config(FARPANE_ROLE_HELPER),
    );
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 0), FARPANE_OK);
    sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    let _keeping = Keeping::of(&sharer);
    let due = sharer.wait(FARPANE_EVENT_LEASE_DUE);
    assert_eq!((due.id, text(&due.name).as_str()), (request.id, "helper"));
    let renew = |id, renewal, scopes| farpane_lease_renew(sharer.0, id, renewal, scopes);
    assert_eq!(renew(due.id, due.renewal, 1 << 20), FARPANE_ERR_UNSUPPORTED);
    assert_eq!(renew(due.id + 1, due.renewal, FARPANE_SCOPE_VIEW), FARPANE_ERR_NOT_FOUND);
    assert_eq!(renew(due.id, due.renewal, FARPANE_SCOPE_VIEW), FARPANE_OK);
    let next = sharer.wait(FARPANE_EVENT_LEASE_DUE);
    assert_ne!(next.renewal, due.renewal);
    assert_eq!(renew(next.id, next.renewal, 0), FARPANE_OK);
    let ends = [sharer.wait(FARPANE_EVENT_HELPER_LEFT), helper.wait(FARPANE_EVENT_ENDED)];
    assert_eq!(ends.map(|event| event.reason), [FARPANE_END_NOT_PERMITTED; 2]);
}

/// Released when dropped.
struct Log(*mut farpane_audit);

impl Log {
    fn open(path: &Path) -> Result<Self, farpane_result> {
        let (path, mut audit) = (path.to_str().unwrap(), null_mut());
        // SAFETY: the text has that length, the place is valid.
        match unsafe { farpane_audit_open(path.as_ptr().cast(), path.len(), &mut audit) } {
            FARPANE_OK => Ok(Self(audit)),
            error => {
                assert!(audit.is_null());
                Err(error)
            }
        }
    }

    /// What is recorded in a log in which nothing is wrong.
    fn records(path: &Path) -> Vec<String> {
        let (reader, mut records) = (AuditReader::open(path).unwrap(), Vec::new());
        let observe = |observation| records.push(format!("{observation:?}"));
        let report = reader.verify(Trust::default(), &[], true, observe, |_| {}).unwrap();
        assert_eq!(report.findings, 0, "{records:#?}");
        records
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        assert_eq!(farpane_audit_unref(self.0), FARPANE_OK);
    }
}

#[test]
fn what_happens_is_in_the_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Log::open(&path).unwrap_or_else(|error| panic!("{error}: {}", last_error()));
    assert_eq!(Log::open(&path).err(), Some(FARPANE_ERR_SYSTEM), "it is open already");
    let (sharer, helper) = ends(
        &farpane_session_config { audit: log.0, ..config(FARPANE_ROLE_SHARER) },
        &config(FARPANE_ROLE_HELPER),
    );
    drop(log);
    let request = sharer.wait(FARPANE_EVENT_CONSENT_REQUESTED);
    assert_eq!(farpane_consent_grant(sharer.0, request.id, FARPANE_SCOPE_VIEW, 0), FARPANE_OK);
    sharer.wait(FARPANE_EVENT_SHOW_INDICATOR);
    let _keeping = Keeping::of(&sharer);
    helper.wait(FARPANE_EVENT_CONSENT_GRANTED);
    assert_eq!(farpane_grant_revoke(sharer.0, request.id), FARPANE_OK);
    assert_eq!(sharer.wait(FARPANE_EVENT_HELPER_LEFT).reason, FARPANE_END_REVOKED);
    drop((sharer, helper));
    assert!(Log::open(&path).is_ok(), "the session has closed it");
    let records = Log::records(&path);
    let has = |word: &str| records.iter().any(|record| record.contains(word));
    assert!(records.len() > 5 && has("Ended") && has("Revoked"), "{records:#?}");
}

#[test]
fn nobody_is_asked_where_nobody_is_and_the_log_names_the_grant() {
    let (contoso, folder) = (Contoso::of(1), tempfile::tempdir().unwrap());
    let path = folder.path().join("log");
    let (at_helper, at_sharer) = (contoso.helper(), contoso.sharer(Posture::Compliant));
    let scopes = FARPANE_SCOPE_VIEW | FARPANE_SCOPE_UNATTENDED;
    let log = Log::open(&path).unwrap_or_else(|error| panic!("{error}: {}", last_error()));
    let of_sharer =
        farpane_session_config { scopes, audit: log.0, ..of(FARPANE_ROLE_SHARER, &at_sharer) };
    let of_helper = farpane_session_config { scopes, ..of(FARPANE_ROLE_HELPER, &at_helper) };
    let (sharer, helper) = ends(&of_sharer, &of_helper);
    sharer.push(&Picture::new(WIDTH, HEIGHT, 5));
    let shown = sharer.next_of(&[FARPANE_EVENT_CONSENT_REQUESTED, FARPANE_EVENT_SHOW_INDICATOR]);
    assert_eq!((shown.kind, shown.scopes), (FARPANE_EVENT_SHOW_INDICATOR, scopes));
    let _keeping = Keeping::of(&sharer);
    assert_eq!(farpane_capture_start(sharer.0), FARPANE_OK, "{}", last_error());
    assert_eq!(helper.wait(FARPANE_EVENT_CONSENT_GRANTED).scopes, scopes);
    assert!(helper.frame().is(5));
    // It is an invitation's and a grant's; without the sharer's word the same helper is refused.
    let attended = farpane_session_config { scopes: FARPANE_SCOPE_VIEW, ..of_sharer };
    let (sharer, helper) = ends(&attended, &of_helper);
    assert_eq!(helper.wait(FARPANE_EVENT_ENDED).reason, FARPANE_END_NOT_PERMITTED);
    drop((sharer, log));
    let (records, grant) = (Log::records(&path), format!("{:?}", GRANT.0));
    let named = |record: &&String| record.contains("ConsentUnattended") && record.contains(&grant);
    assert_eq!(records.iter().filter(named).count(), 1, "{records:#?}");
}

#[test]
fn documents_that_are_no_membership_are_refused() {
    let (contoso, other) = (Contoso::of(1), Contoso::of(9));
    let good = || contoso.documents(FARPANE_ROLE_HELPER, contoso.grant());
    assert!(Membership::create(&good()).is_ok());
    let wrong = [
        ("another tenant's list", Documents { revocations: other.revocations(1, &[]), ..good() }),
        ("no tenant", Documents { tenant: "{}".into(), ..good() }),
        ("no key", Documents { key: "key".into(), ..good() }),
        ("no role", Documents { role: 3, ..good() }),
        ("no grant", Documents { credential: Vec::new(), ..good() }),
    ];
    for (what, documents) in wrong {
        assert_eq!(Membership::create(&documents).err(), Some(FARPANE_ERR_ARGUMENT), "{what}");
    }
    let documents = good();
    let change = |change: &dyn Fn(&mut farpane_membership_config)| {
        let (mut raw, mut membership) = (documents.raw(), null_mut());
        change(&mut raw);
        // SAFETY: what is wrong is refused before it is read.
        let result = unsafe { farpane_membership_create(&raw, &mut membership) };
        assert_eq!(membership.is_null(), result != FARPANE_OK);
        result
    };
    assert_eq!(change(&|raw| raw.tenant = null()), FARPANE_ERR_ARGUMENT);
    assert_eq!(change(&|raw| raw.credential_len = usize::MAX), FARPANE_ERR_ARGUMENT);
    assert_eq!(change(&|raw| raw.device_scopes = 1), FARPANE_ERR_ARGUMENT);
    assert_eq!(change(&|raw| raw.person = raw.credential), FARPANE_ERR_ARGUMENT);
    assert_eq!(change(&|raw| raw.settings = 8), FARPANE_ERR_UNSUPPORTED);
    assert_eq!(change(&|raw| raw.minimum_patch = 65_536), FARPANE_ERR_ARGUMENT);
    // A membership of the other role, and names of none.
    let helper = contoso.helper();
    let create = |config: farpane_session_config| {
        let mut session = null_mut();
        // SAFETY: both are valid.
        let result = unsafe { farpane_session_create(&config, &mut session) };
        farpane_session_unref(session);
        result
    };
    assert_eq!(create(of(FARPANE_ROLE_SHARER, &helper)), FARPANE_ERR_ARGUMENT);
    let name = helper.0;
    drop(helper);
    let stale = farpane_session_config { membership: name, ..config(FARPANE_ROLE_SHARER) };
    assert_eq!(create(stale), FARPANE_ERR_HANDLE);
    let audit = name.cast();
    let kind = farpane_session_config { audit, ..config(FARPANE_ROLE_SHARER) };
    assert_eq!(create(kind), FARPANE_ERR_HANDLE);
    let flags = farpane_session_config { flags: 2, ..config(FARPANE_ROLE_SHARER) };
    assert_eq!(create(flags), FARPANE_ERR_UNSUPPORTED);
    assert_eq!(farpane_membership_unref(name), FARPANE_ERR_HANDLE);
}
