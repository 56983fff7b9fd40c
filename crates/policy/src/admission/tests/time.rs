//! Credentials that do not count yet, count no longer, or were taken back.

use super::*;
use crate::identity::{CredentialError, CredentialId, Role, Trust, Validity};

/// Whose credential is wrong: the helper's grant, this machine's certificate or its person's
/// grant, each on the machine that has to notice.
#[derive(Clone, Copy)]
enum Wrong {
    Helper,
    Device,
    Sharer,
}

const WRONG: [Wrong; 3] = [Wrong::Helper, Wrong::Device, Wrong::Sharer];

impl Wrong {
    fn role(self) -> Role {
        match self {
            Self::Helper => Role::Helper,
            Self::Device => Role::Device,
            Self::Sharer => Role::Sharer,
        }
    }

    fn id(self) -> CredentialId {
        match self {
            Self::Helper => grant_claims().id,
            Self::Device => device_claims().id,
            Self::Sharer => grace().id,
        }
    }
}

/// What each end shows when the credential of `wrong` has this validity.
fn ends(wrong: Wrong, validity: Validity) -> (Presented, Holder) {
    let (mut ada, mut device, mut grace) = (grant_claims(), device_claims(), grace());
    match wrong {
        Wrong::Helper => ada.validity = validity,
        Wrong::Device => device.validity = validity,
        Wrong::Sharer => grace.validity = validity,
    }
    let person = Some((granted(&grace), key(4)));
    let sharer = Holder::sharer(certified(&device), key(2), person, SOFTWARE).unwrap();
    (present(&helper_by(&ada, key(3))), sharer)
}

/// Both machines' verdicts; the helper's own one does not look at the helper's grant.
fn both(
    cases: &mut Cases,
    trust: &Trust,
    wrong: Wrong,
    (shown, sharer): (Presented, Holder),
    now_s: u64,
    source: CredentialError,
) {
    let error = AdmissionError::Credential { of: wrong.role(), source };
    let rules = Rules::new(trust.clone(), TenantSettings::default());
    let mut rules = rules.with_device(&sharer, Capabilities::ALL);
    cases.refused(rules.admit(&shown, &exporter(), SESSION, now_s), error.clone());
    if !matches!(wrong, Wrong::Helper) {
        let verdict = rules.check_sharer(&present(&sharer), &exporter(), SESSION, now_s);
        cases.refused(verdict, error);
    }
}

#[test]
fn what_has_ended_or_has_not_begun_is_refused() {
    let mut cases = Cases::of("expired or not yet valid");
    let trust = trust(&[]);
    for wrong in WRONG {
        for over_s in [60, 61, 3_600, 86_400] {
            let expires_s = NOW_S - over_s;
            let validity = Validity::starting(expires_s - 100, 100);
            let source = CredentialError::Expired { expires_s, now_s: NOW_S };
            let error = AdmissionError::Credential { of: wrong.role(), source: source.clone() };
            assert_eq!(error.end_reason(), EndReason::Expired);
            both(&mut cases, &trust, wrong, ends(wrong, validity), NOW_S, source);
        }
        for early_s in [61, 3_600, 86_400] {
            let not_before_s = NOW_S + early_s;
            let validity =
                Validity { issued_s: NOW_S, not_before_s, expires_s: not_before_s + 100 };
            let source = CredentialError::NotYet { not_before_s, now_s: NOW_S };
            both(&mut cases, &trust, wrong, ends(wrong, validity), NOW_S, source);
            let issued_s = NOW_S + early_s;
            let validity = Validity { issued_s, not_before_s: NOW_S, expires_s: issued_s + 100 };
            let source = CredentialError::IssuedLater { issued_s, now_s: NOW_S };
            both(&mut cases, &trust, wrong, ends(wrong, validity), NOW_S, source);
        }
    }
}

#[test]
fn what_was_taken_back_is_refused_as_soon_as_the_list_is_there() {
    let mut cases = Cases::of("revoked");
    let valid = Validity::starting(NOW_S, 3_600);
    for wrong in WRONG {
        let source = CredentialError::Revoked { id: wrong.id().to_string() };
        both(&mut cases, &trust(&[wrong.id()]), wrong, ends(wrong, valid), NOW_S, source.clone());
        let mut rules = rules_with(&sharer_with_grace());
        assert!(rules.admit(&present(&helper()), &exporter(), SESSION, NOW_S).is_ok());
        let list = authority().revocations(&revocations(2, &[wrong.id()])).unwrap();
        rules.handle_revocations(&list, NOW_S).unwrap();
        let verdict = rules.admit(&present(&helper()), &exporter(), SESSION, NOW_S);
        let error = AdmissionError::Credential { of: wrong.role(), source };
        assert_eq!(error.end_reason(), EndReason::Revoked);
        cases.refused(verdict, error);
    }
}

#[test]
fn without_a_list_that_counts_nobody_is_admitted() {
    let mut cases = Cases::of("stale revocation list");
    let valid = Validity::starting(NOW_S, 30 * 86_400);
    for now_s in [NOW_S + 86_400, NOW_S + 86_401, NOW_S + 10 * 86_400] {
        let source = CredentialError::StaleRevocations { expires_s: NOW_S + 86_400, now_s };
        // This machine's own certificate is the first to be looked at.
        let (shown, sharer) = ends(Wrong::Device, valid);
        both(&mut cases, &trust(&[]), Wrong::Device, (shown, sharer), now_s, source);
    }
    let source = CredentialError::StaleRevocations { expires_s: 0, now_s: NOW_S };
    both(
        &mut cases,
        &Trust::new(tenant()),
        Wrong::Device,
        ends(Wrong::Device, valid),
        NOW_S,
        source,
    );
}
