//! Consent, indicator and the start of the capture.

use crate::abi::*;
use crate::boundary::{Failure, on_session};
use crate::helper::parse;
use crate::{log, memory, scope};
use farpane::NotReady;
use farpane::net::MAX_INVITATION_BYTES;
use farpane::policy::Answer;
use std::ffi::c_char;
use std::time::Duration;

/// Allows the request `id` of FARPANE_EVENT_CONSENT_REQUESTED: `scopes` are FARPANE_SCOPE_* bits,
/// no more than were asked for; after `ttl_ms` milliseconds the session ends (0: after 8 hours, the
/// longest there is). FARPANE_EVENT_SHOW_INDICATOR follows.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_NOT_FOUND when no such request waits, FARPANE_ERR_ARGUMENT without
/// FARPANE_SCOPE_VIEW, FARPANE_ERR_UNSUPPORTED for unknown bits.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_consent_grant(
    session: *mut farpane_session,
    id: u64,
    scopes: u32,
    ttl_ms: u64,
) -> farpane_result {
    on_session(session, |session| {
        if scopes == 0 {
            return Err(Failure::argument("without FARPANE_SCOPE_VIEW there is nothing to grant"));
        }
        let rights = scope::rights(scopes)?;
        let role = session.sharer()?;
        role.with(|sharer| {
            role.take_request(id)?;
            let answer = match ttl_ms {
                0 => Answer::Allow(rights),
                ttl_ms => Answer::AllowFor(rights, ttl_ms.saturating_mul(1_000)),
            };
            sharer.answer(id, answer);
            log::info(&format!("session {}: helper {id} granted {rights}", session.number));
            Ok(FARPANE_OK)
        })
    })
}

/// Denies the request `id` of FARPANE_EVENT_CONSENT_REQUESTED.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_NOT_FOUND when no such request waits.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_consent_deny(session: *mut farpane_session, id: u64) -> farpane_result {
    on_session(session, |session| {
        let role = session.sharer()?;
        role.with(|sharer| {
            role.take_request(id)?;
            sharer.answer(id, Answer::Deny);
            log::info(&format!("session {}: helper {id} denied", session.number));
            Ok(FARPANE_OK)
        })
    })
}

/// Takes rights from the helper `id`: `scopes` are the FARPANE_SCOPE_* bits that are left.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_ARGUMENT,
/// FARPANE_ERR_UNSUPPORTED for unknown bits.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_consent_lower(
    session: *mut farpane_session,
    id: u64,
    scopes: u32,
) -> farpane_result {
    on_session(session, |session| {
        let rights = scope::rights(scopes)?;
        let role = session.sharer()?;
        role.with(|sharer| {
            role.check_helper(id)?;
            sharer.lower(id, rights);
            log::info(&format!("session {}: helper {id} lowered to {rights}", session.number));
            Ok(FARPANE_OK)
        })
    })
}

/// Ends the session of the helper `id`. When this returns, nothing that is captured from then on
/// gets to it. FARPANE_EVENT_HELPER_LEFT follows.
///
/// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE, FARPANE_ERR_NOT_FOUND when no such helper is there.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_consent_revoke(session: *mut farpane_session, id: u64) -> farpane_result {
    on_session(session, |session| {
        let role = session.sharer()?;
        role.with(|sharer| {
            role.check_helper(id)?;
            sharer.end(id);
            log::info(&format!("session {}: helper {id} revoked", session.number));
            Ok(FARPANE_OK)
        })
    })
}

/// Consents in advance, to viewing only, to whoever comes with this invitation of this sharer
/// within `ttl_ms` milliseconds. The indicator is needed all the same.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_INVITATION, FARPANE_ERR_ARGUMENT, also when `ttl_ms` is 0.
///
/// # Safety
/// `invitation` is NULL or readable for `invitation_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_consent_in_advance(
    session: *mut farpane_session,
    invitation: *const c_char,
    invitation_len: usize,
    ttl_ms: u64,
) -> farpane_result {
    on_session(session, |session| {
        let max = MAX_INVITATION_BYTES;
        // SAFETY: the caller's promise.
        let text = unsafe { memory::text("invitation", invitation, invitation_len, max)? };
        let text = text.ok_or_else(|| Failure::argument("no invitation is given"))?;
        if ttl_ms == 0 {
            return Err(Failure::argument("a consent for 0 ms is none"));
        }
        session.sharer()?.with(|sharer| {
            sharer.consent_in_advance(&parse(text)?, Duration::from_millis(ttl_ms));
            log::info(&format!("session {}: consent in advance", session.number));
            Ok(FARPANE_OK)
        })
    })
}

/// Says that the indicator is on the sharer's screen at this moment. Call it after
/// FARPANE_EVENT_SHOW_INDICATOR and then every second: 3 s after the last call sharing ends.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_indicator_ack(session: *mut farpane_session) -> farpane_result {
    on_session(session, |session| {
        session.sharer()?.with(|sharer| {
            sharer.acknowledge_indicator();
            Ok(FARPANE_OK)
        })
    })
}

/// Starts the capture, or what is pushed to flow. It goes on for the helpers that come later, and
/// has to be started anew after the last has left.
///
/// Any thread; waits for the sharing thread, usually less than a millisecond. Errors:
/// FARPANE_ERR_CONSENT_REQUIRED, FARPANE_ERR_INDICATOR_REQUIRED, FARPANE_ERR_HANDLE,
/// FARPANE_ERR_STATE. After an error nothing is captured.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_capture_start(session: *mut farpane_session) -> farpane_result {
    on_session(session, |session| {
        session.sharer()?.with(|sharer| {
            sharer.start_capture().map_err(|not_ready| {
                let code = match not_ready {
                    NotReady::ConsentRequired => FARPANE_ERR_CONSENT_REQUIRED,
                    NotReady::IndicatorRequired => FARPANE_ERR_INDICATOR_REQUIRED,
                    _ => FARPANE_ERR_STATE,
                };
                Failure::new(code, not_ready.to_string())
            })?;
            log::info(&format!("session {}: capture started", session.number));
            Ok(FARPANE_OK)
        })
    })
}
