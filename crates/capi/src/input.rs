//! What the helper does with mouse and keyboard.

use crate::abi::*;
use crate::boundary::{Failure, on_session};
use crate::memory::{self, Sized32};

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_input {
    const FIRST_BYTES: usize = size_of::<farpane_input>();
}

/// Helper: does with the sharer's mouse and keyboard what `input` says, if the sharer granted
/// FARPANE_SCOPE_CONTROL. This version asks for viewing only, so it is always refused.
///
/// Any thread, does not block. Errors: FARPANE_ERR_NOT_PERMITTED, FARPANE_ERR_HANDLE,
/// FARPANE_ERR_STATE before the session is connected, FARPANE_ERR_ARGUMENT for an unknown kind.
///
/// # Safety
/// `input` is NULL or readable for its struct_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_input_send(
    session: *mut farpane_session,
    input: *const farpane_input,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let input = unsafe { memory::read(input)? };
        if !(FARPANE_INPUT_MOVE..=FARPANE_INPUT_KEY).contains(&input.kind) {
            return Err(Failure::argument(format!("there is no input {}", input.kind)));
        }
        session.helper()?.with(|_helper| {
            let text = "this session is for viewing only";
            Err(Failure::new(FARPANE_ERR_NOT_PERMITTED, text))
        })
    })
}
