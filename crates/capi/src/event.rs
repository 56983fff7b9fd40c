//! Events.

use crate::abi::*;
use crate::memory::{self, Sized32};
use crate::session::on_session_always;
use farpane::net::{PathKind, PathSwitch};
use farpane::policy::Peer;

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_event {
    const FIRST_BYTES: usize = size_of::<farpane_event>();
}

/// An event about nothing but itself.
pub(crate) fn new(kind: u32) -> farpane_event {
    farpane_event {
        struct_size: size_of::<farpane_event>() as u32,
        kind,
        id: 0,
        scopes: 0,
        reason: 0,
        lost: 0,
        missed: 0,
        name: [0; FARPANE_NAME_CAPACITY],
        key: [0; FARPANE_KEY_CAPACITY],
        text: [0; FARPANE_TEXT_CAPACITY],
        path: 0,
    }
}

pub(crate) fn saying(event: farpane_event, text: &str) -> farpane_event {
    farpane_event { text: memory::fixed(text), ..event }
}

/// The end of a session.
pub(crate) fn ended(reason: u32, text: &str, lost: bool) -> farpane_event {
    let event = farpane_event { reason, lost: lost.into(), ..new(FARPANE_EVENT_ENDED) };
    saying(event, text)
}

/// A session goes by another path.
pub(crate) fn path_changed(id: u64, switch: &PathSwitch) -> farpane_event {
    let path = match switch.to {
        PathKind::Direct => FARPANE_PATH_DIRECT,
        PathKind::RelayUdp => FARPANE_PATH_RELAY_UDP,
        _ => FARPANE_PATH_RELAY_TLS,
    };
    let event = farpane_event { id, path, ..new(FARPANE_EVENT_PATH_CHANGED) };
    saying(event, &format!("{}: {}", switch.to, switch.reason))
}

/// The event with the name and the key of the helper that it is about.
pub(crate) fn about(event: farpane_event, peer: &Peer) -> farpane_event {
    let (name, key) = (memory::fixed(peer.display_name()), memory::fixed(peer.key_fingerprint()));
    farpane_event { name, key, ..event }
}

/// Takes the next event into `event`, waiting for it at most `timeout_ms` milliseconds: 0 does not
/// wait, FARPANE_FOREVER waits without end. Nothing in it needs to be released.
///
/// Any thread, but one at a time takes a session's events. Returns FARPANE_AGAIN when there is none
/// in that time, FARPANE_ENDED after the last. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `event` is NULL or writable for its struct_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_event_next(
    session: *mut farpane_session,
    timeout_ms: u32,
    event: *mut farpane_event,
) -> farpane_result {
    on_session_always(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::check_out(event)? };
        match session.wait(timeout_ms, || session.next_event()) {
            Ok(next) => {
                // SAFETY: as above.
                unsafe { memory::write(event, &next)? };
                Ok(FARPANE_OK)
            }
            Err(result) => Ok(result),
        }
    })
}
