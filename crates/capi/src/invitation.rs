//! Invitations.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session};
use crate::memory;
use farpane::net::MAX_ADDRESSES;
use std::ffi::c_char;
use std::time::Duration;

/// The longest list of addresses: a DNS name has at most 253 characters.
const MAX_ADDRESSES_BYTES: usize = MAX_ADDRESSES * 262;

/// Sharer: makes an invitation for one helper, valid for `valid_ms` milliseconds, and copies it
/// out as text with a NUL; its bytes without the NUL go to `len`. FARPANE_INVITATION_CAPACITY bytes
/// always suffice. Give it to the helper over a safe way: whoever has it may ask to see the screen.
///
/// `addresses` is where the helper finds this sharer, in the order in which to try: "host:port"
/// texts with commas between. It may be empty where the session has relays, which are tried after
/// them.
///
/// Any thread. Waits until every relay has answered or failed, at most 5 s; without relays it does
/// not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before
/// farpane_session_connect, FARPANE_ERR_ARGUMENT, FARPANE_ERR_INVITATION for unusable addresses or
/// times and when too many invitations are alive, FARPANE_ERR_BUFFER when `capacity` is not above
/// `*len`, and then there is no invitation.
///
/// # Safety
/// `addresses` is NULL or readable for `addresses_len` bytes, `text` is NULL or writable for
/// `capacity` bytes; `len` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_invitation_create(
    session: *mut farpane_session,
    addresses: *const c_char,
    addresses_len: usize,
    valid_ms: u64,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let addresses = unsafe {
            memory::put("length", len, 0)?;
            read_addresses(addresses, addresses_len)?
        };
        session.sharer()?.with(|sharer| {
            let invitation = sharer.invite(addresses, Duration::from_millis(valid_ms));
            let invitation = invitation.map_err(unusable)?;
            // SAFETY: as above.
            let copied = unsafe { memory::put_text(&invitation.to_text(), text, capacity, len) };
            if copied.is_err() {
                sharer.withdraw(&invitation);
            }
            copied.map(|()| FARPANE_OK)
        })
    })
}

/// Sharer: as farpane_invitation_create, without a secret in the invitation: it may travel openly.
/// The code that lets a helper in goes to `code` as text with a NUL: FARPANE_CODE_CAPACITY bytes.
/// Show it, to be told to the helper by another way, as by telephone. It is valid for 10 minutes at
/// the most, and until 5 wrong ones were tried.
///
/// Any thread. Waits and errors as those of farpane_invitation_create; also FARPANE_ERR_ARGUMENT
/// when `code` is NULL.
///
/// # Safety
/// As farpane_invitation_create; `code` is NULL or writable for FARPANE_CODE_CAPACITY bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_invitation_create_with_code(
    session: *mut farpane_session,
    addresses: *const c_char,
    addresses_len: usize,
    valid_ms: u64,
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
    code: *mut c_char,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let addresses = unsafe {
            memory::put("length", len, 0)?;
            read_addresses(addresses, addresses_len)?
        };
        if code.is_null() {
            return Err(Failure::argument("no place for the code is given"));
        }
        session.sharer()?.with(|sharer| {
            let invited = sharer.invite_with_code(addresses, Duration::from_millis(valid_ms));
            let (invitation, told) = invited.map_err(unusable)?;
            let mut code_len = 0;
            // SAFETY: as above.
            let copied = unsafe {
                memory::put_text(&invitation.to_text(), text, capacity, len).and_then(|()| {
                    memory::put_text(&told.to_text(), code, FARPANE_CODE_CAPACITY, &mut code_len)
                })
            };
            if copied.is_err() {
                sharer.withdraw(&invitation);
            }
            copied.map(|()| FARPANE_OK)
        })
    })
}

/// The addresses between commas.
///
/// # Safety
/// `addresses` is NULL or readable for `bytes`.
unsafe fn read_addresses(addresses: *const c_char, bytes: usize) -> Outcome<Vec<String>> {
    // SAFETY: the caller's promise.
    let text = unsafe { memory::text("addresses", addresses, bytes, MAX_ADDRESSES_BYTES)? };
    let addresses = text.unwrap_or_default().split(',').map(str::trim);
    Ok(addresses.filter(|address| !address.is_empty()).map(str::to_owned).collect())
}

fn unusable(error: farpane::Error) -> Failure {
    Failure::new(FARPANE_ERR_INVITATION, error.to_string())
}
