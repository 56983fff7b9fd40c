//! How a session goes on: rests, prompts, warnings, leases.

use crate::abi::*;
use crate::boundary::on_session;
use crate::channel::sent;
use crate::session::Live;
use crate::{log, scope};
use farpane::policy::{Capabilities, LeaseId};

/// Holds the session (`held` 1), of the helper `id` or at a helper with `id` 0, or lets it go on
/// (0). Meanwhile nothing is captured and no input counts; the helper gets FARPANE_EVENT_SUSPENDED.
/// Each side lets go only what it holds itself.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_LIMIT, FARPANE_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_session_hold(
    session: *mut farpane_session,
    id: u64,
    held: u32,
) -> farpane_result {
    on_session(session, |session| {
        let held = held != 0;
        session.with_live(id, |live| match live {
            Live::Sharer(sharer) => {
                sharer.hold(id, held);
                Ok(FARPANE_OK)
            }
            Live::Helper(helper) => sent(helper.hold(held)),
        })
    })
}

/// Sharer: a prompt for consent or a password has opened on this machine (`open` 1), or has closed
/// (0). Until as many have closed as have opened, no helper's input counts, and helpers with
/// FARPANE_SCOPE_ELEVATED can send credentials. Call it for every prompt of the system or the app;
/// the question of FARPANE_EVENT_CONSENT_REQUESTED counts by itself.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_prompt_set(session: *mut farpane_session, open: u32) -> farpane_result {
    on_session(session, |session| {
        session.sharer()?.with(|sharer| {
            match open {
                0 => sharer.prompt_closed(),
                _ => sharer.prompt_opened(),
            }
            Ok(FARPANE_OK)
        })
    })
}

/// Says that the warning of FARPANE_EVENT_COMPLIANCE_WARNING was seen: at a sharer, about the
/// helper `id`; at a helper with `id` 0.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_LIMIT, FARPANE_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_compliance_ack(session: *mut farpane_session, id: u64) -> farpane_result {
    on_session(session, |session| {
        session.with_live(id, |live| match live {
            Live::Sharer(sharer) => {
                sharer.acknowledge_compliance(id);
                Ok(FARPANE_OK)
            }
            Live::Helper(helper) => sent(helper.acknowledge_compliance()),
        })
    })
}

/// Sharer: answers FARPANE_EVENT_LEASE_DUE: the session of the helper `id` may go on, with at most
/// `scopes` (FARPANE_SCOPE_* bits; 0 ends it). Without an answer it ends when its lease does.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_FOUND when no such helper is there,
/// FARPANE_ERR_UNSUPPORTED for unknown bits, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_ARGUMENT.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_lease_renew(
    session: *mut farpane_session,
    id: u64,
    renewal: u64,
    scopes: u32,
) -> farpane_result {
    on_session(session, |session| {
        let allowed = match scopes {
            0 => Capabilities::NONE,
            scopes => scope::limit(scopes)?.0,
        };
        let role = session.sharer()?;
        role.with(|sharer| {
            role.check_helper(id)?;
            sharer.renew_lease(id, LeaseId(renewal), allowed);
            Ok(FARPANE_OK)
        })
    })
}

/// Sharer: ends the session of the helper `id` because what it was granted elsewhere was taken
/// back: both sides and the audit log are told so. As farpane_consent_revoke otherwise.
///
/// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
/// FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_grant_revoke(session: *mut farpane_session, id: u64) -> farpane_result {
    on_session(session, |session| {
        let role = session.sharer()?;
        role.with(|sharer| {
            role.check_helper(id)?;
            sharer.revoke(id);
            log::info(&format!("session {}: the grant of helper {id} revoked", session.number));
            Ok(FARPANE_OK)
        })
    })
}
