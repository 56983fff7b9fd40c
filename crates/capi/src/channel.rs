//! Messages and clipboards.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session};
use crate::memory;
use crate::session::Live;
use farpane::{MAX_CHAT_BYTES, MAX_CLIPBOARD_BYTES, Unsent};
use std::ffi::c_char;

const _: () = assert!(MAX_CHAT_BYTES == FARPANE_MAX_CHAT_BYTES);
const _: () = assert!(MAX_CLIPBOARD_BYTES == FARPANE_MAX_CLIPBOARD_BYTES);
const _: () = assert!(MAX_CLIPBOARD_BYTES < FARPANE_EVENT_TEXT_CAPACITY);

/// Sends a message of at most FARPANE_MAX_CHAT_BYTES: to the helper `id`, or to the sharer with
/// `id` 0. Ends of lines and tabs are the only control characters it may hold.
///
/// Any thread, does not block for long. Errors: FARPANE_ERR_NOT_PERMITTED when the session does not
/// allow messages now, FARPANE_ERR_NOT_FOUND when no such helper is there, FARPANE_ERR_LIMIT when
/// too much waits to be sent, FARPANE_ERR_ARGUMENT, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE.
///
/// # Safety
/// `text` is NULL or readable for `text_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_chat_send(
    session: *mut farpane_session,
    id: u64,
    text: *const c_char,
    text_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let text = unsafe { read("message", text, text_len, MAX_CHAT_BYTES)? };
        session.with_live(id, |live| {
            sent(match live {
                Live::Sharer(sharer) => sharer.send_chat(id, text),
                Live::Helper(helper) => helper.send_chat(text),
            })
        })
    })
}

/// Sends this side's clipboard, of at most FARPANE_MAX_CLIPBOARD_BYTES: to the helper `id`, which
/// needs FARPANE_SCOPE_CLIPBOARD_OUT, or to the sharer with `id` 0, FARPANE_SCOPE_CLIPBOARD_IN.
///
/// Any thread, does not block for long. Errors: as those of farpane_chat_send.
///
/// # Safety
/// `text` is NULL or readable for `text_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_clipboard_send(
    session: *mut farpane_session,
    id: u64,
    text: *const c_char,
    text_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let text = unsafe { read("clipboard", text, text_len, MAX_CLIPBOARD_BYTES)? };
        session.with_live(id, |live| {
            sent(match live {
                Live::Sharer(sharer) => sharer.send_clipboard(id, text),
                Live::Helper(helper) => helper.send_clipboard(text),
            })
        })
    })
}

/// # Safety
/// `at` is NULL or readable for `bytes`.
unsafe fn read<'a>(what: &str, at: *const c_char, bytes: usize, most: usize) -> Outcome<&'a str> {
    // SAFETY: the caller's promise.
    let text = unsafe { memory::text(what, at, bytes, most)? };
    text.ok_or_else(|| Failure::argument(format!("the {what} is missing")))
}

/// What sending came to.
pub(crate) fn sent(sent: Result<(), Unsent>) -> Outcome<farpane_result> {
    sent.map(|()| FARPANE_OK).map_err(|error| unsent(&error))
}

pub(crate) fn unsent(error: &Unsent) -> Failure {
    let code = match error {
        Unsent::NotAllowed => FARPANE_ERR_NOT_PERMITTED,
        Unsent::Full => FARPANE_ERR_LIMIT,
        Unsent::Invalid => FARPANE_ERR_ARGUMENT,
        _ => FARPANE_ERR_STATE,
    };
    Failure::new(code, error.to_string())
}
