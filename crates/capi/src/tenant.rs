//! Places in a tenant.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session, run};
use crate::handle::Table;
use crate::memory::{self, Sized32};
use crate::scope;
use farpane::policy::{Capabilities, Side, TenantSettings, Version};
use farpane::{Documents, Membership};
use std::sync::Arc;

/// All memberships that are alive.
static MEMBERSHIPS: Table<Member> = Table::new(3, 256);
/// The longest document: a full revocation list has 70 KiB.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;

// SAFETY: `repr(C)`, begins with its size; all bytes 0 are NULL pointers and zeros.
unsafe impl Sized32 for farpane_membership_config {
    const FIRST_BYTES: usize = size_of::<farpane_membership_config>();
}

/// A membership, and what its sessions are.
pub(crate) struct Member {
    membership: Membership,
    side: Side,
}

/// The membership of this name for sessions of this side; none for no name.
pub(crate) fn get(name: *const farpane_membership, side: Side) -> Outcome<Option<Membership>> {
    if name.is_null() {
        return Ok(None);
    }
    let member = find(name)?;
    if member.side != side {
        return Err(Failure::argument("the membership is for sessions of the other role"));
    }
    Ok(Some(member.membership.clone()))
}

fn find(name: *const farpane_membership) -> Outcome<Arc<Member>> {
    MEMBERSHIPS.get(name as usize).ok_or_else(|| Failure::handle("membership"))
}

/// Makes a membership and stores it in `out`; NULL there when it fails. Any number of sessions may
/// use it. Release it with farpane_membership_unref.
///
/// Any thread. Errors: FARPANE_ERR_ARGUMENT for a document that is missing, damaged, expired, or
/// not of this tenant and key, FARPANE_ERR_UNSUPPORTED, FARPANE_ERR_LIMIT above 256 memberships.
///
/// # Safety
/// `config` is NULL or readable for its struct_size, its documents for their lengths; `out` is NULL
/// or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_membership_create(
    config: *const farpane_membership_config,
    out: *mut *mut farpane_membership,
) -> farpane_result {
    run(|| {
        // SAFETY: the caller's promise.
        let member = unsafe {
            memory::put("membership", out, std::ptr::null_mut())?;
            read(&memory::read(config)?)?
        };
        let name = MEMBERSHIPS.insert(Arc::new(member));
        let name = name.ok_or_else(|| Failure::new(FARPANE_ERR_LIMIT, "too many memberships"))?;
        // SAFETY: as above.
        unsafe { memory::put("membership", out, name as *mut farpane_membership)? };
        Ok(FARPANE_OK)
    })
}

/// # Safety
/// The documents are readable for their lengths.
unsafe fn read(config: &farpane_membership_config) -> Outcome<Member> {
    // SAFETY: the caller's promise.
    let bytes = |what: &str, at, len| unsafe {
        let bytes = memory::slice(what, at, len, MAX_DOCUMENT_BYTES)?;
        bytes.ok_or_else(|| Failure::argument(format!("the {what} is missing")))
    };
    // SAFETY: as above.
    let text = |what: &str, at, len| unsafe {
        let text = memory::text(what, at, len, MAX_DOCUMENT_BYTES)?;
        text.ok_or_else(|| Failure::argument(format!("the {what} is missing")))
    };
    let side = match config.role {
        FARPANE_ROLE_SHARER => Side::Sharer,
        FARPANE_ROLE_HELPER => Side::Helper,
        other => return Err(Failure::argument(format!("there is no role {other}"))),
    };
    let has_person = !config.person.is_null() || !config.person_key.is_null();
    let is_helper = side == Side::Helper;
    if is_helper && (has_person || config.device_scopes != 0) {
        return Err(Failure::argument("a helper has neither a device nor somebody at it"));
    }
    let person = match has_person {
        true => Some((
            bytes("person's grant", config.person, config.person_len)?,
            text("person's key", config.person_key, config.person_key_len)?,
        )),
        false => None,
    };
    let documents = Documents {
        tenant: text("tenant", config.tenant, config.tenant_len)?,
        revocations: bytes("revocation list", config.revocations, config.revocations_len)?,
        credential: bytes("credential", config.credential, config.credential_len)?,
        key: text("key", config.key, config.key_len)?,
        person,
    };
    let device = match config.device_scopes {
        0 => Capabilities::ALL,
        scopes => scope::limit(scopes)?.0,
    };
    let membership = Membership::of(side, &documents, settings(config)?, device);
    let membership = membership.map_err(|error| Failure::argument(error.to_string()))?;
    Ok(Member { membership, side })
}

fn settings(config: &farpane_membership_config) -> Outcome<TenantSettings> {
    const KNOWN: u32 =
        FARPANE_TENANT_DISABLED | FARPANE_TENANT_CHAT_BLOCKED | FARPANE_TENANT_UNENROLLED_ALLOWED;
    if config.settings & !KNOWN != 0 {
        let text =
            format!("settings {:#x} hold bits that this version does not know", config.settings);
        return Err(Failure::new(FARPANE_ERR_UNSUPPORTED, text));
    }
    let number = |number: u32| {
        let wrong = |_| Failure::argument(format!("{number} is too large for a version"));
        u16::try_from(number).map_err(wrong)
    };
    let farpane_membership_config { minimum_major, minimum_minor, minimum_patch, .. } = *config;
    let minimum = Version(number(minimum_major)?, number(minimum_minor)?, number(minimum_patch)?);
    Ok(TenantSettings {
        enabled: config.settings & FARPANE_TENANT_DISABLED == 0,
        chat_blocked: config.settings & FARPANE_TENANT_CHAT_BLOCKED != 0,
        unenrolled_allowed: config.settings & FARPANE_TENANT_UNENROLLED_ALLOWED != 0,
        minimum_version: minimum,
        ..TenantSettings::default()
    })
}

/// Releases a membership. Sessions that use it go on.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_membership_unref(membership: *mut farpane_membership) -> farpane_result {
    run(|| {
        let released = MEMBERSHIPS.release(membership as usize);
        released.map(|_| FARPANE_OK).ok_or_else(|| Failure::handle("membership"))
    })
}

/// Takes in a newer revocation list of the tenant: it counts for whoever comes from now on, by all
/// sessions that use this membership. Sharers that are connected also call
/// farpane_session_set_revocations, which ends the sessions of those it names.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT when it is not the tenant's, is
/// older than the one that is known, or has expired; then that one stays.
///
/// # Safety
/// `list` is NULL or readable for `list_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_membership_set_revocations(
    membership: *mut farpane_membership,
    list: *const u8,
    list_len: usize,
) -> farpane_result {
    run(|| {
        let member = find(membership)?;
        // SAFETY: the caller's promise.
        let list = unsafe { read_list(list, list_len)? };
        let taken = member.membership.handle_revocations(list);
        taken.map_err(|error| Failure::argument(error.to_string()))?;
        Ok(FARPANE_OK)
    })
}

/// Sharer: as farpane_membership_set_revocations; sessions of helpers whom the list names end, and
/// when this returns nothing that is captured from then on gets to them.
///
/// Any thread; waits for the sharing thread, usually less than a millisecond. Errors: as those of
/// farpane_membership_set_revocations, and FARPANE_ERR_STATE before farpane_session_connect.
///
/// # Safety
/// As farpane_membership_set_revocations.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_session_set_revocations(
    session: *mut farpane_session,
    list: *const u8,
    list_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let list = unsafe { read_list(list, list_len)? };
        session.sharer()?.with(|sharer| {
            let taken = sharer.handle_revocations(list);
            taken.map_err(|error| Failure::argument(error.to_string()))?;
            Ok(FARPANE_OK)
        })
    })
}

/// # Safety
/// `list` is NULL or readable for `bytes`.
unsafe fn read_list<'a>(list: *const u8, bytes: usize) -> Outcome<&'a [u8]> {
    // SAFETY: the caller's promise.
    let list = unsafe { memory::slice("revocation list", list, bytes, MAX_DOCUMENT_BYTES)? };
    list.ok_or_else(|| Failure::argument("the revocation list is missing"))
}
