//! What the helper does with mouse and keyboard, and what it asks for.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session};
use crate::channel::{sent, unsent};
use crate::memory::{self, Sized32};
use crate::scope;
use farpane::input::{Button, InputEvent, Key, Wheel};

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_input {
    const FIRST_BYTES: usize = size_of::<farpane_input>();
}

/// Helper: does with the sharer's mouse and keyboard what `input` says, in pixels of the frame.
/// Counts between FARPANE_EVENT_INPUT with FARPANE_SCOPE_CONTROL and the next one without; moves
/// also with FARPANE_SCOPE_VIEW alone: they are shown, and the sharer's pointer stays where it is.
///
/// Any thread, does not block. Returns FARPANE_AGAIN when so much waits that it was not taken: call
/// again, above all with what lets go of a key. Errors: FARPANE_ERR_NOT_PERMITTED while input does
/// not count, FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is connected,
/// FARPANE_ERR_ARGUMENT for an unknown kind, button or key and for more than 32 clicks.
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
        session.helper()?.with(|helper| match helper.send_input(&[event(&input)?]) {
            Ok(1) => Ok(FARPANE_OK),
            Ok(_) => Ok(FARPANE_AGAIN),
            Err(error) => Err(unsent(&error)),
        })
    })
}

/// Helper: asks for `scopes` (FARPANE_SCOPE_* bits) in place of what it has. Less is there at once,
/// more once the sharer consents: FARPANE_EVENT_CONSENT_GRANTED or FARPANE_EVENT_REFUSED follows.
///
/// Any thread, does not block. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is
/// connected, FARPANE_ERR_ARGUMENT, FARPANE_ERR_UNSUPPORTED for unknown bits.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_consent_request(
    session: *mut farpane_session,
    scopes: u32,
) -> farpane_result {
    on_session(session, |session| {
        let rights = scope::rights(scopes)?;
        session.helper()?.with(|helper| sent(helper.ask(rights)))
    })
}

fn event(input: &farpane_input) -> Outcome<InputEvent> {
    let down = input.pressed != 0;
    let unknown = |what: &str| Failure::argument(format!("there is no {what} {}", input.code));
    Ok(match input.kind {
        FARPANE_INPUT_MOVE => InputEvent::Move { x: input.x, y: input.y },
        FARPANE_INPUT_BUTTON => {
            let button = Button::from_number(input.code).ok_or_else(|| unknown("button"))?;
            if down { InputEvent::Press(button) } else { InputEvent::Release(button) }
        }
        FARPANE_INPUT_SCROLL => {
            let wheel = Wheel::new(input.scroll_x, input.scroll_y);
            let wrong = || Failure::argument("the wheel turns by 1 to 32 clicks");
            InputEvent::Wheel(wheel.ok_or_else(wrong)?)
        }
        FARPANE_INPUT_KEY => {
            let key = Key::new(input.code).ok_or_else(|| unknown("key"))?;
            if down { InputEvent::KeyDown(key) } else { InputEvent::KeyUp(key) }
        }
        other => return Err(Failure::argument(format!("there is no input {other}"))),
    })
}
