//! Everybody is of one tenant, or there is no session.

use super::*;
use crate::identity::{Authority, Tenant, Trust};
use crate::{IdError, TenantId};

fn tenant_id(name: &str) -> Result<TenantId, IdError> {
    TenantId::new(name)
}

/// The tenant that this machine trusts, or another, whose authority has the same key or its own.
fn authority_of(ours: bool, seed: u8) -> Authority {
    match ours {
        true => authority(),
        false => Authority::of(tenant_id("fabrikam").unwrap(), key(seed)),
    }
}

fn grant_of(ours: bool, seed: u8, claims: &GrantClaims) -> Credential {
    let authority = authority_of(ours, seed);
    let claims = GrantClaims { tenant: authority.tenant().clone(), ..claims.clone() };
    Credential::grant(authority.grant(&claims).unwrap()).unwrap()
}

fn certificate_of(ours: bool, seed: u8) -> Certificate {
    let authority = authority_of(ours, seed);
    let claims = DeviceClaims { tenant: authority.tenant().clone(), ..device_claims() };
    Certificate::new(authority.device(&claims).unwrap()).unwrap()
}

/// On the sharer's machine and on the helper's: of helper, sharer and device each is of this
/// tenant or of another.
#[test]
fn of_the_eight_combinations_of_tenants_one_is_admitted() {
    let mut cases = Cases::of("other tenants, of 8 combinations");
    for seed in [1, 9] {
        let mut admitted = 0;
        for bits in 0..8_u8 {
            let [helps, shares, device] = [0, 1, 2].map(|bit| bits & 1 << bit == 0);
            let grant = grant_of(helps, seed, &grant_claims());
            let helper = Holder::helper(grant, key(3), SOFTWARE).unwrap();
            let person = Some((grant_of(shares, seed, &grace()), key(4)));
            let certificate = certificate_of(device, seed);
            let sharer = Holder::sharer(certificate, key(2), person, SOFTWARE).unwrap();
            let mut rules = rules_with(&sharer);
            let who = rules.admit(&present(&helper), &exporter(), SESSION, NOW_S);
            let whom = rules.check_sharer(&present(&sharer), &exporter(), SESSION, NOW_S);
            assert_eq!(who.is_ok(), bits == 0, "{bits}");
            assert_eq!(whom.is_ok(), shares && device, "{bits}");
            admitted += usize::from(who.is_ok());
            let errors = who.err().into_iter().chain(whom.err());
            for error in errors {
                let reason = error.end_reason();
                // A key that is not the tenant's says nothing of whose it is.
                let expected = if seed == 1 { EndReason::DifferentTenant } else { reason };
                assert_eq!(reason, expected, "{error}");
                cases.count += 1;
            }
        }
        assert_eq!(admitted, 1);
    }
}

#[test]
fn two_machines_of_different_tenants_meet_nobody() {
    let mut cases = Cases::of("a machine of another tenant");
    let other = Authority::of(tenant_id("fabrikam").unwrap(), key(9));
    let tenant = Tenant::new(other.tenant().clone(), "Fabrikam", &[other.public_key()]).unwrap();
    let mut trust = Trust::new(tenant);
    let list =
        crate::identity::RevocationClaims { tenant: other.tenant().clone(), ..revocations(1, &[]) };
    trust.update(&other.revocations(&list).unwrap(), NOW_S).unwrap();
    let theirs = Holder::sharer(certificate_of(false, 9), key(2), None, SOFTWARE).unwrap();
    let mut rules = Rules::new(trust, TenantSettings::default());
    assert!(rules.check_sharer(&present(&theirs), &exporter(), SESSION, NOW_S).is_ok());
    assert!(rules.check_sharer(&present(&sharer()), &exporter(), SESSION, NOW_S).is_err());
    assert!(check_sharer(&present(&theirs)).is_err());
    let mut rules = rules.with_device(&theirs, Capabilities::ALL);
    assert!(rules.admit(&present(&helper()), &exporter(), SESSION, NOW_S).is_err());
    cases.count += 3;
}
