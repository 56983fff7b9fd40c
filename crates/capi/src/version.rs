//! What this library is, and what its results mean.

use crate::abi::*;
use crate::boundary::{last_error, run};
use crate::memory;
use std::ffi::{CStr, c_char};

/// The version of the interface that this library has: compare its high 16 bits with those of
/// FARPANE_ABI_VERSION before anything else. Any thread, never fails.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_abi_version() -> u32 {
    FARPANE_ABI_VERSION
}

/// The version of this library as "1.2.3", NUL-terminated, valid for ever. Any thread, never
/// fails.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast::<c_char>()
}

/// A result in a few words, NUL-terminated, valid for ever. Any thread, never fails: an unknown
/// result has words too.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_result_str(result: farpane_result) -> *const c_char {
    words(result).as_ptr()
}

fn words(result: farpane_result) -> &'static CStr {
    match result {
        FARPANE_OK => c"done",
        FARPANE_AGAIN => c"nothing is there yet",
        FARPANE_ENDED => c"the session is over",
        FARPANE_ERR_ARGUMENT => c"an argument is invalid",
        FARPANE_ERR_HANDLE => c"no living object has this handle",
        FARPANE_ERR_UNSUPPORTED => c"this version of the library cannot do it",
        FARPANE_ERR_STATE => c"not possible in this state or role",
        FARPANE_ERR_BUFFER => c"the buffer is too small",
        FARPANE_ERR_CONSENT_REQUIRED => c"the sharer has not consented",
        FARPANE_ERR_INDICATOR_REQUIRED => c"the indicator does not show",
        FARPANE_ERR_NOT_PERMITTED => c"the sharer has not granted this",
        FARPANE_ERR_NOT_FOUND => c"no request or helper has this number",
        FARPANE_ERR_LIMIT => c"too many objects are alive",
        FARPANE_ERR_INVITATION => c"the invitation cannot be used",
        FARPANE_ERR_SYSTEM => c"the network, the display or the system refused",
        FARPANE_ERR_REENTRANT => c"called from inside a callback",
        FARPANE_ERR_PANIC => c"a bug in the library ended the session",
        _ => c"an unknown result",
    }
}

/// Copies out what the last error on this thread said, as NUL-terminated UTF-8, and stores its
/// bytes without the NUL in `len`. Functions that succeed leave it as it was.
///
/// Any thread. Errors: FARPANE_ERR_BUFFER when `capacity` is not above `*len`, and then nothing is
/// copied; FARPANE_ERR_ARGUMENT when `len` is NULL. These do not replace what is remembered.
///
/// # Safety
/// `text` is NULL or writable for `capacity` bytes; `len` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_last_error(
    text: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> farpane_result {
    run(|| {
        let said = last_error();
        // SAFETY: the caller's promise.
        let copied = unsafe { memory::put_text(&said, text, capacity, len) };
        Ok(copied.map_or_else(|failure| failure.code, |()| FARPANE_OK))
    })
}
