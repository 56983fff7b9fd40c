//! Invitations.

use crate::abi::*;
use crate::boundary::{Failure, on_session};
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
        let max = MAX_ADDRESSES_BYTES;
        // SAFETY: the caller's promise.
        let addresses = unsafe { memory::text("addresses", addresses, addresses_len, max)? };
        let addresses = addresses.unwrap_or_default().split(',').map(str::trim);
        let addresses: Vec<_> = addresses.filter(|a| !a.is_empty()).map(str::to_owned).collect();
        // SAFETY: as above.
        unsafe { memory::put("length", len, 0)? };
        session.sharer()?.with(|sharer| {
            let invitation = sharer.invite(addresses, Duration::from_millis(valid_ms));
            let invitation = invitation
                .map_err(|error| Failure::new(FARPANE_ERR_INVITATION, error.to_string()))?;
            // SAFETY: as above.
            let copied = unsafe { memory::put_text(&invitation.to_text(), text, capacity, len) };
            if copied.is_err() {
                sharer.withdraw(&invitation);
            }
            copied.map(|()| FARPANE_OK)
        })
    })
}
