use super::*;
use crate::capability::Capability;
use crate::device::Posture;
use crate::example;
use crate::id::DeviceId;

fn decide(who: &Authentication, settings: &TenantSettings) -> Result<Sources, EndReason> {
    let sources = all_sources();
    let tenant = TenantId::new("contoso").unwrap();
    authorise(&tenant, settings, who, &sources, Capabilities::ALL)
}

fn all_sources() -> Sources {
    let mut sources = Sources::default();
    Source::ALL.into_iter().for_each(|source| sources.set(source, Capabilities::ALL));
    sources.set(Source::Consent, Capabilities::NONE);
    sources
}

#[test]
fn of_the_eight_combinations_of_tenants_one_is_accepted() {
    let mut accepted = 0;
    for combination in 0..8 {
        let tenant = |bit: u32| match combination & (1 << bit) {
            0 => TenantId::new("contoso").unwrap(),
            _ => TenantId::new("fabrikam").unwrap(),
        };
        let mut who = example::who();
        who.helper.tenant = tenant(0);
        who.sharer.tenant = tenant(1);
        who.device.tenant = tenant(2);
        let decision = decide(&who, &TenantSettings::default());
        match combination {
            0 => assert!(decision.is_ok()),
            _ => assert_eq!(decision, Err(EndReason::DifferentTenant), "{combination}"),
        }
        accepted += u32::from(decision.is_ok());
    }
    assert_eq!(accepted, 1);
}

#[test]
fn a_tenant_that_has_switched_help_off_accepts_nobody() {
    let settings = TenantSettings { enabled: false, ..TenantSettings::default() };
    assert_eq!(decide(&example::who(), &settings), Err(EndReason::TenantDisabled));
}

#[test]
fn software_of_either_end_may_be_too_old() {
    let settings =
        TenantSettings { minimum_version: Version(1, 0, 0), ..TenantSettings::default() };
    let old = Version(0, 9, 9);
    assert!(decide(&example::who(), &settings).is_ok());
    let mut who = example::who();
    who.helper_version = old;
    assert_eq!(decide(&who, &settings), Err(EndReason::VersionTooOld));
    let mut who = example::who();
    who.device.version = old;
    assert_eq!(decide(&who, &settings), Err(EndReason::VersionTooOld));
}

#[test]
fn a_device_that_is_not_enrolled_needs_the_tenant_and_a_scope_that_names_it() {
    let mut who = example::who();
    who.device.enrolled = false;
    let named = Scope::Devices(vec![DeviceId::new("laptop").unwrap()]);
    let allowed = TenantSettings { unenrolled_allowed: true, ..TenantSettings::default() };
    assert_eq!(decide(&who, &allowed), Err(EndReason::OutOfScope));
    assert_eq!(decide(&who, &TenantSettings::default()), Err(EndReason::NotEnrolled));
    who.scope = named;
    assert_eq!(decide(&who, &TenantSettings::default()), Err(EndReason::NotEnrolled));
    assert!(decide(&who, &allowed).is_ok());
}

#[test]
fn a_helper_helps_only_within_its_scope() {
    let mut who = example::who();
    who.scope = Scope::Devices(vec![DeviceId::new("another").unwrap()]);
    assert_eq!(decide(&who, &TenantSettings::default()), Err(EndReason::OutOfScope));
}

#[test]
fn every_source_but_consent_is_narrowed_and_none_widened() {
    let mut who = example::who();
    who.permissions = Permissions::view_only();
    who.device.allowed = Capabilities::of(&[Capability::View, Capability::Chat]);
    who.device.posture = Posture::Unknown;
    let settings = TenantSettings { chat_blocked: true, ..TenantSettings::default() };
    let mut before = all_sources();
    let lease = Capabilities::of(&[Capability::View, Capability::Audio]);
    let tenant = TenantId::new("contoso").unwrap();
    let after = authorise(&tenant, &settings, &who, &before, lease).unwrap();
    assert_eq!(after.of(Source::Tenant), settings.capabilities());
    assert_eq!(after.of(Source::Grant), who.permissions.capabilities());
    assert_eq!(after.of(Source::Device), who.device.allowed);
    assert_eq!(after.of(Source::Lease), lease);
    assert_eq!(after.of(Source::Local), Capabilities::ALL);
    assert!(after.effective().is_empty(), "there is no consent");
    assert_eq!(after.possible(), Capabilities::of(&[Capability::View]));
    for source in Source::ALL {
        before.set(source, Capabilities::NONE);
    }
    assert_eq!(authorise(&tenant, &settings, &who, &before, lease), Ok(before));
}

#[test]
fn a_mode_needs_its_capabilities_and_the_unattended_one_its_permission() {
    let sources = all_sources();
    let mut who = example::who();
    for mode in Mode::ALL {
        let asked = Rights::of(mode);
        assert_eq!(permitted(asked, &who, &sources), Some(asked));
        let mut sources = sources;
        sources.set(Source::Local, Capabilities::of(&[Capability::View]));
        let permitted = permitted(asked, &who, &sources);
        let seeing = matches!(mode, Mode::View | Mode::Unattended);
        assert_eq!(permitted.is_some(), seeing, "{mode}");
        assert!(permitted.is_none_or(|rights| rights.mode() == mode));
    }
    who.permissions = crate::permission::Role::SchoolAdministrator.permissions();
    assert_eq!(permitted(Rights::of(Mode::Unattended), &who, &sources), None);
    assert!(permitted(Rights::of(Mode::Elevated), &who, &sources).is_some());
}
