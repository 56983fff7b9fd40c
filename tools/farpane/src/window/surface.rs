//! The picture on the window, where the display can draw it from if there is such a place.

use super::layout::PixelLayout;
use super::memory::DisplayMemory;
use anyhow::Result;
use farpane_frame::{FrameBuf, FrameRef, PixelFormat, Rect, Size};
use x11rb::rust_connection::RustConnection;

/// A picture of one size.
pub(super) struct Surface {
    layout: PixelLayout,
    size: Size,
    place: Place,
    /// A row in the display's layout.
    row: Vec<u8>,
}

enum Place {
    /// The display has our layout: the shared memory is the only copy.
    Shared(DisplayMemory),
    /// The shared memory has the display's layout.
    Converted(DisplayMemory, FrameBuf),
    /// There is no shared memory.
    Own(FrameBuf),
}

impl Surface {
    /// A black picture, shared with the display where that is `wanted` and possible.
    pub(super) fn new(
        conn: &RustConnection,
        layout: &PixelLayout,
        size: Size,
        wanted: bool,
    ) -> Result<Self> {
        let own = || FrameBuf::new(size, PixelFormat::Bgrx);
        let bytes = layout.row_bytes(size.width_px) * size.height_px as usize;
        let memory = if wanted { DisplayMemory::share(conn, bytes)? } else { None };
        let place = match memory {
            Some(memory) if layout.is_bgrx() => Place::Shared(memory),
            Some(memory) => Place::Converted(memory, own()?),
            None => Place::Own(own()?),
        };
        Ok(Self { layout: layout.clone(), size, place, row: Vec::new() })
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The picture, as Bgrx.
    pub(super) fn picture(&self) -> FrameRef<'_> {
        match &self.place {
            Place::Shared(shared) => {
                let stride = self.layout.row_bytes(self.size.width_px);
                FrameRef::new(shared.memory.as_slice(), self.size, stride, PixelFormat::Bgrx)
                    .expect("the memory is made for pictures of this size")
            }
            Place::Converted(_, picture) | Place::Own(picture) => picture.view(),
        }
    }

    /// The memory that the display draws from.
    pub(super) fn shared(&mut self) -> Option<&mut DisplayMemory> {
        match &mut self.place {
            Place::Shared(shared) | Place::Converted(shared, _) => Some(shared),
            Place::Own(_) => None,
        }
    }

    /// Makes `area`, where both have it, as it is in `frame`.
    pub(super) fn write(&mut self, frame: &FrameRef<'_>, area: Rect) {
        let area = area.clip(frame.size()).clip(self.size);
        if area.is_empty() {
            return;
        }
        let stride = self.layout.row_bytes(self.size.width_px);
        let (left, width) = (area.x as usize, area.width as usize);
        for y in area.y..area.bottom() {
            match &mut self.place {
                Place::Shared(shared) => {
                    let at = y as usize * stride + left * 4;
                    let out = &mut shared.memory.as_mut_slice()[at..at + width * 4];
                    copy_span(frame, (area.x, y), out);
                }
                Place::Own(picture) => {
                    copy_span(frame, (area.x, y), picture.span_mut(area.x, y, area.width));
                }
                Place::Converted(shared, picture) => {
                    let bgrx = picture.span_mut(area.x, y, area.width);
                    copy_span(frame, (area.x, y), bgrx);
                    self.row.clear();
                    self.layout.push_row(bgrx, &mut self.row);
                    let pixel = self.layout.pixel_bytes();
                    let (at, bytes) = (y as usize * stride + left * pixel, width * pixel);
                    let out = &mut shared.memory.as_mut_slice()[at..at + bytes];
                    out.copy_from_slice(&self.row[..bytes]);
                }
            }
        }
    }
}

/// Fills `out` with Bgrx pixels of `frame`, from (`x`, `y`) to the right.
fn copy_span(frame: &FrameRef<'_>, (x, y): (u32, u32), out: &mut [u8]) {
    if frame.format() == PixelFormat::Bgrx {
        out.copy_from_slice(frame.span(x, y, (out.len() / 4) as u32));
        return;
    }
    for (p, x) in out.chunks_exact_mut(4).zip(x..) {
        let [r, g, b] = frame.rgb(x, y);
        p.copy_from_slice(&[b, g, r, 0]);
    }
}
