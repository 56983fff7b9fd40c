//! Events.

use crate::abi::*;
use crate::memory::{self, Sized32};
use crate::session::on_session_always;
use farpane::net::{PathKind, PathSwitch};
use farpane::policy::{Peer, Posture};
use std::ffi::c_char;

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_event {
    const FIRST_BYTES: usize = std::mem::offset_of!(farpane_event, text_len);
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
        text_len: 0,
        verified: 0,
        posture: 0,
        x: 0,
        y: 0,
        open: 0,
        file: 0,
        outgoing: 0,
        reserved: 0,
        bytes: 0,
        renewal: 0,
    }
}

/// An event, and its whole text.
pub(crate) struct Told {
    pub(crate) event: farpane_event,
    pub(crate) text: String,
}

impl Told {
    pub(crate) fn saying(event: farpane_event, text: String) -> Self {
        let text_len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { event: farpane_event { text: memory::fixed(&text), text_len, ..event }, text }
    }

    /// The same with the name and the key of whom it is about.
    pub(crate) fn about(self, peer: &Peer) -> Self {
        let (name, key) = (peer.display_name(), peer.key_fingerprint());
        let (name, key) = (memory::fixed(name), memory::fixed(key));
        let verified = peer.is_verified().into();
        Self { event: farpane_event { name, key, verified, ..self.event }, ..self }
    }
}

impl From<farpane_event> for Told {
    fn from(event: farpane_event) -> Self {
        Self { event, text: String::new() }
    }
}

/// The end of a session.
pub(crate) fn ended(reason: u32, text: String, lost: bool) -> Told {
    let event = farpane_event { reason, lost: lost.into(), ..new(FARPANE_EVENT_ENDED) };
    Told::saying(event, text)
}

/// A session goes by another path.
pub(crate) fn path_changed(id: u64, switch: &PathSwitch) -> Told {
    let path = match switch.to {
        PathKind::Direct => FARPANE_PATH_DIRECT,
        PathKind::RelayUdp => FARPANE_PATH_RELAY_UDP,
        _ => FARPANE_PATH_RELAY_TLS,
    };
    let event = farpane_event { id, path, ..new(FARPANE_EVENT_PATH_CHANGED) };
    Told::saying(event, format!("{}: {}", switch.to, switch.reason))
}

/// Whether a device keeps its tenant's rules.
pub(crate) fn posture(posture: Posture) -> u32 {
    match posture {
        Posture::Compliant => FARPANE_POSTURE_COMPLIANT,
        Posture::NotCompliant => FARPANE_POSTURE_NOT_COMPLIANT,
        Posture::Unknown => FARPANE_POSTURE_UNKNOWN,
    }
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

/// Copies out the whole text of the event that was taken last, with a NUL behind it, and its bytes
/// without the NUL into `len`. FARPANE_EVENT_TEXT_CAPACITY bytes always suffice.
///
/// The thread that takes the session's events. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT,
/// FARPANE_ERR_BUFFER when `capacity` is not above `*len`.
///
/// # Safety
/// `text` is NULL or writable for `capacity` bytes; `len` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_event_text(
    session: *mut farpane_session,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> farpane_result {
    on_session_always(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::put_text(&session.shared.last_text(), text, capacity, len)? };
        Ok(FARPANE_OK)
    })
}
