//! Frames that a helper received.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session, run};
use crate::handle::Table;
use crate::memory::{self, Sized32};
use farpane::Picture;
use std::sync::Arc;

/// All frames that are alive, of all sessions.
static FRAMES: Table<Picture> = Table::new(2, 4096);

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_frame_info {
    const FIRST_BYTES: usize = size_of::<farpane_frame_info>();
}

// SAFETY: `repr(C)`, begins with its size; all bytes 0 are NULL pointers and zeros.
unsafe impl Sized32 for farpane_plane {
    const FIRST_BYTES: usize = size_of::<farpane_plane>();
}

fn on_frame(
    handle: *const farpane_frame,
    body: impl FnOnce(&Picture) -> Outcome,
) -> farpane_result {
    run(|| {
        let frame = FRAMES.get(handle as usize).ok_or_else(|| Failure::handle("frame"))?;
        body(&frame)?;
        Ok(FARPANE_OK)
    })
}

/// Helper: takes the newest frame that was not taken yet into `out`, waiting for it at most
/// `timeout_ms` milliseconds: 0 does not wait, FARPANE_FOREVER waits without end. Frames that
/// nobody took in time are skipped; their damage is in the next. Release it with
/// farpane_frame_unref; it may outlive the session.
///
/// Any thread, but one at a time takes a session's frames. Returns FARPANE_AGAIN when there is none
/// in that time, also before the session is connected, and FARPANE_ENDED after the session's end
/// was taken by farpane_event_next. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_STATE,
/// FARPANE_ERR_ARGUMENT, FARPANE_ERR_LIMIT above 4096 frames alive.
///
/// # Safety
/// `out` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_frame_next(
    session: *mut farpane_session,
    timeout_ms: u32,
    out: *mut *mut farpane_frame,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        unsafe { memory::put("frame", out, std::ptr::null_mut())? };
        let helper = session.helper()?;
        let picture = match session.wait(timeout_ms, || helper.take_picture()) {
            Ok(picture) => picture,
            Err(result) => return Ok(result),
        };
        let handle = FRAMES.insert(Arc::new(picture));
        let handle = handle.ok_or_else(|| Failure::new(FARPANE_ERR_LIMIT, "too many frames"))?;
        // SAFETY: as above.
        unsafe { memory::put("frame", out, handle as *mut farpane_frame)? };
        Ok(FARPANE_OK)
    })
}

/// Stores what is known of a frame.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `info` is NULL or writable for its struct_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_frame_get_info(
    frame: *mut farpane_frame,
    info: *mut farpane_frame_info,
) -> farpane_result {
    on_frame(frame, |picture| {
        let size = picture.pixels.size();
        let value = farpane_frame_info {
            struct_size: 0,
            format: FARPANE_FORMAT_BGRX,
            width: size.width_px,
            height: size.height_px,
            generation: picture.generation,
            damage_count: picture.damage.rects().len() as u32,
            update: picture.update,
            received_us: picture.received_us,
            composed_us: picture.composed_us,
        };
        // SAFETY: the caller's promise.
        unsafe { memory::write(info, &value) }
    })
}

/// Stores where a frame's pixels are: they are not copied, and stay there unchanged until the
/// frame's last reference is released. `index` is 0, as there is one plane.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT.
///
/// # Safety
/// `plane` is NULL or writable for its struct_size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_frame_get_plane(
    frame: *mut farpane_frame,
    index: u32,
    plane: *mut farpane_plane,
) -> farpane_result {
    on_frame(frame, |picture| {
        if index != 0 {
            return Err(Failure::argument(format!("there is no plane {index}")));
        }
        let view = picture.pixels.view();
        let value = farpane_plane {
            struct_size: 0,
            reserved: 0,
            pixels: view.data().as_ptr(),
            pixels_len: view.data().len(),
            stride: view.stride(),
        };
        // SAFETY: the caller's promise.
        unsafe { memory::write(plane, &value) }
    })
}

/// Stores where a frame differs from the one taken before: rectangles inside the picture that may
/// overlap, at most 64, and how many there are in `count`.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE, FARPANE_ERR_ARGUMENT, FARPANE_ERR_BUFFER when
/// `capacity` is below `*count`, and then none is stored.
///
/// # Safety
/// `rects` is NULL or writable for `capacity` rectangles, `count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_frame_get_damage(
    frame: *mut farpane_frame,
    rects: *mut farpane_rect,
    capacity: usize,
    count: *mut usize,
) -> farpane_result {
    on_frame(frame, |picture| {
        let damage = picture.damage.rects();
        // SAFETY: the caller's promise.
        unsafe { memory::put("count", count, damage.len())? };
        if capacity < damage.len() || (rects.is_null() && !damage.is_empty()) {
            let text = format!("{} rectangles are needed", damage.len());
            return Err(Failure::new(FARPANE_ERR_BUFFER, text));
        }
        for (index, rect) in damage.iter().enumerate() {
            let (x, y, width, height) = (rect.x, rect.y, rect.width, rect.height);
            let rect = farpane_rect { x, y, width, height };
            // SAFETY: the caller's promise, and it fits.
            unsafe { rects.add(index).write_unaligned(rect) };
        }
        Ok(())
    })
}

/// Adds a reference to a frame. Each has to be released.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_frame_ref(frame: *mut farpane_frame) -> farpane_result {
    run(|| {
        let added = FRAMES.add_reference(frame as usize);
        added.map(|()| FARPANE_OK).ok_or_else(|| Failure::handle("frame"))
    })
}

/// Releases a reference to a frame. With the last the handle and the pixels are gone.
///
/// Any thread. Errors: FARPANE_ERR_HANDLE.
#[unsafe(no_mangle)]
pub extern "C" fn farpane_frame_unref(frame: *mut farpane_frame) -> farpane_result {
    run(|| {
        let released = FRAMES.release(frame as usize);
        released.map(|_last| FARPANE_OK).ok_or_else(|| Failure::handle("frame"))
    })
}
