//! Pictures that the app captured itself.

use crate::abi::*;
use crate::boundary::{Failure, Outcome, on_session};
use crate::memory::{self, Sized32};
use farpane::capture::CursorShape;
use farpane::frame::{FrameRef, MAX_DIMENSION_PX, PixelFormat, Rect, Size};

/// The most rectangles of damage.
const MAX_DAMAGE: usize = 4096;

// SAFETY: `repr(C)`, begins with its size; all bytes 0 are NULL pointers and zeros.
unsafe impl Sized32 for farpane_picture {
    const FIRST_BYTES: usize = size_of::<farpane_picture>();
}

// SAFETY: `repr(C)`, begins with its size, only integers.
unsafe impl Sized32 for farpane_cursor {
    const FIRST_BYTES: usize = size_of::<farpane_cursor>();
}

/// Sharer without a source: takes a picture of the screen, reading each pixel of its damage once,
/// during the call. The first picture, and one of another size, is taken whole. Pictures may be
/// pushed at any time and any rate: what cannot be sent is replaced by what comes later.
///
/// Any thread, one at a time; does not wait for the network. Errors: FARPANE_ERR_HANDLE,
/// FARPANE_ERR_STATE when the session captures by itself, FARPANE_ERR_ARGUMENT,
/// FARPANE_ERR_UNSUPPORTED.
///
/// # Safety
/// `picture` is NULL or readable for its struct_size, its pixels for pixels_len bytes and its
/// damage for damage_count rectangles, and nobody writes them during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_frame_push(
    session: *mut farpane_session,
    picture: *const farpane_picture,
) -> farpane_result {
    on_session(session, |session| {
        // SAFETY: the caller's promise.
        let picture = unsafe { memory::read(picture)? };
        // SAFETY: as above.
        let (view, damage) = unsafe { (view(&picture)?, damage(&picture)?) };
        let pushed = session.sharer()?.pushed()?.push(&view, &damage);
        pushed.map_err(|error| Failure::argument(error.to_string()))?;
        Ok(FARPANE_OK)
    })
}

/// # Safety
/// The pixels are readable for their length.
unsafe fn view(picture: &farpane_picture) -> Outcome<FrameRef<'_>> {
    let format = match picture.format {
        FARPANE_FORMAT_BGRX => PixelFormat::Bgrx,
        FARPANE_FORMAT_RGBX => PixelFormat::Rgba,
        other => return Err(Failure::argument(format!("there is no format {other}"))),
    };
    // SAFETY: the caller's promise.
    let pixels = unsafe {
        memory::slice("pixels", picture.pixels, picture.pixels_len, isize::MAX as usize)?
    };
    let pixels = pixels.ok_or_else(|| Failure::argument("the pixels are NULL"))?;
    let size = Size::new(picture.width, picture.height);
    let view = FrameRef::new(pixels, size, picture.stride, format);
    view.map_err(|error| Failure::argument(error.to_string()))
}

/// # Safety
/// The damage is readable for its count.
unsafe fn damage(picture: &farpane_picture) -> Outcome<Vec<Rect>> {
    // SAFETY: the caller's promise.
    let damage =
        unsafe { memory::slice("damage", picture.damage, picture.damage_count, MAX_DAMAGE)? };
    let whole = [farpane_rect { x: 0, y: 0, width: picture.width, height: picture.height }];
    let fits = |r: &&farpane_rect| {
        [r.x, r.y, r.width, r.height].iter().all(|side| *side <= MAX_DIMENSION_PX)
    };
    let rects = damage.unwrap_or(&whole);
    if !rects.iter().all(|rect| fits(&rect)) {
        let text = format!("a rectangle of the damage has a side above {MAX_DIMENSION_PX}");
        return Err(Failure::argument(text));
    }
    Ok(rects.iter().map(|r| Rect::new(r.x, r.y, r.width, r.height)).collect())
}

/// Sharer without a source: the pointer is where `cursor` says. `bgra` is its picture, width *
/// height pixels of blue, green, red, alpha (colours premultiplied), `bgra_len` bytes; NULL and 0
/// when its shape is the one of the call before. The shape's number is the app's to choose.
///
/// Any thread, one at a time. Errors: as farpane_frame_push.
///
/// # Safety
/// `cursor` is NULL or readable for its struct_size, `bgra` NULL or readable for `bgra_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn farpane_cursor_push(
    session: *mut farpane_session,
    cursor: *const farpane_cursor,
    bgra: *const u8,
    bgra_len: usize,
) -> farpane_result {
    on_session(session, |session| {
        const MAX_BYTES: usize = (CursorShape::MAX_PX * CursorShape::MAX_PX * 4) as usize;
        // SAFETY: the caller's promise.
        let (cursor, bgra) =
            unsafe { (memory::read(cursor)?, memory::slice("shape", bgra, bgra_len, MAX_BYTES)?) };
        let shape = bgra.map(|bgra| shape(&cursor, bgra)).transpose()?;
        let screen = session.sharer()?.pushed()?;
        screen.push_cursor(cursor.x, cursor.y, cursor.visible != 0, shape);
        Ok(FARPANE_OK)
    })
}

fn shape(cursor: &farpane_cursor, bgra: &[u8]) -> Outcome<CursorShape> {
    let farpane_cursor { width, height, hot_x, hot_y, .. } = *cursor;
    let sides = 1..=CursorShape::MAX_PX;
    if !sides.contains(&width) || !sides.contains(&height) || hot_x >= width || hot_y >= height {
        let text = format!("a shape of {width}x{height} with its hot spot at {hot_x},{hot_y}");
        return Err(Failure::argument(text));
    }
    if bgra.len() != (width * height * 4) as usize {
        let text = format!("{} bytes are no {width}x{height} pixels", bgra.len());
        return Err(Failure::argument(text));
    }
    let bgra = bgra.to_vec();
    Ok(CursorShape { serial: cursor.shape, width, height, hot_x, hot_y, bgra })
}
