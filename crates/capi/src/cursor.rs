//! The sharer's pointer, as the helper draws it.

use crate::abi::*;
use crate::boundary::{Failure, on_session};
use crate::memory;

/// Helper: stores where the sharer's pointer is and what it looks like; copies its picture to
/// `bgra` unless that is NULL: width * height pixels of blue, green, red, alpha, colours
/// premultiplied. 262144 bytes always suffice. Frames never contain the pointer.
///
/// Any thread. Returns FARPANE_AGAIN while nothing is known of a pointer. Errors:
/// FARPANE_ERR_HANDLE, FARPANE_ERR_STATE before the session is connected, FARPANE_ERR_ARGUMENT,
/// FARPANE_ERR_BUFFER when the picture needs more than `capacity` bytes; `cursor` is then stored
/// all the same.
///
/// # Safety
/// `cursor` is NULL or writable for its struct_size, `bgra` is NULL or writable for `capacity`
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_cursor_get(
    session: *mut farpane_session,
    cursor: *mut farpane_cursor,
    bgra: *mut u8,
    capacity: usize,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::check_out(cursor)? };
        let Some(remote) = session.helper()?.with(|helper| Ok(helper.cursor()))? else {
            return Ok(FARPANE_AGAIN);
        };
        let shape = remote.shape.as_deref();
        let side = |pick: fn(&farpane::CursorShape) -> u32| shape.map_or(0, pick);
        let value = farpane_cursor {
            struct_size: 0,
            visible: remote.position.visible.into(),
            x: remote.position.x,
            y: remote.position.y,
            shape: shape.map_or(0, |shape| shape.id),
            width: side(|shape| shape.width),
            height: side(|shape| shape.height),
            hot_x: side(|shape| shape.hot_x),
            hot_y: side(|shape| shape.hot_y),
        };
        // SAFETY: as above.
        unsafe { memory::write(cursor, &value)? };
        let pixels = shape.map_or(&[][..], |shape| &shape.bgra);
        if bgra.is_null() {
            return Ok(FARPANE_OK);
        }
        if capacity < pixels.len() {
            let text = format!("{} bytes are needed", pixels.len());
            return Err(Failure::new(FARPANE_ERR_BUFFER, text));
        }
        // SAFETY: as above, and it fits.
        unsafe { std::ptr::copy_nonoverlapping(pixels.as_ptr(), bgra, pixels.len()) };
        Ok(FARPANE_OK)
    })
}
