//! The picture, and the way of its pixels to the display: through shared memory, or over the
//! wire where that is missing.
//!
//! The shared memory holds the whole picture, each pixel in its place, and is the only copy of
//! it: what changes is copied there once, and the display draws from there. It may be late and
//! draw pixels that are newer than what it was told of then; as each change is told after it is
//! written, the display ends with the last. No write waits for the display, unless it is more
//! than a picture behind.

use super::layout::PixelLayout;
use super::surface::Surface;
use anyhow::{Context, Result, anyhow, bail};
use farpane_frame::{FrameRef, Rect, Size};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::sync::Arc;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::protocol::Event;
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, CreateGCAux, Gcontext, ImageFormat};
use x11rb::rust_connection::RustConnection;

/// The largest part that the display is told of at once, so that it draws one part while the
/// next is copied.
const CHUNK_BYTES: usize = 512 << 10;

/// How long a display may take to draw what it was given before it counts as hung.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

/// The size of a PutImage request without its pixels, with the extended length.
const PUT_IMAGE_HEADER_BYTES: usize = 28;

/// A window that takes pixels, the picture on it, and the events that came meanwhile.
pub(super) struct Canvas {
    conn: Arc<RustConnection>,
    window: u32,
    gc: Gcontext,
    depth: u8,
    layout: PixelLayout,
    surface: Surface,
    /// Pixels in the display's layout.
    staging: Vec<u8>,
    /// Bytes handed over since the display was last told.
    unflushed: usize,
    events: VecDeque<Event>,
}

impl Canvas {
    /// A black picture of `size` for `window`, which has the depth of its screen.
    pub(super) fn new(
        conn: Arc<RustConnection>,
        screen: usize,
        window: u32,
        size: Size,
    ) -> Result<Self> {
        let root = &conn.setup().roots[screen];
        let layout = PixelLayout::of_screen(conn.setup(), root)?;
        let depth = root.root_depth;
        let gc = conn.generate_id()?;
        conn.create_gc(gc, window, &CreateGCAux::new().graphics_exposures(0))?;
        let surface = Surface::new(&conn, &layout, size, true)?;
        Ok(Self {
            conn,
            window,
            gc,
            depth,
            layout,
            surface,
            staging: Vec::new(),
            unflushed: 0,
            events: VecDeque::new(),
        })
    }

    /// Whether pixels go through shared memory.
    #[cfg(test)]
    pub(super) fn is_shared(&mut self) -> bool {
        self.surface.shared().is_some()
    }

    /// Goes over the wire from now on.
    #[cfg(test)]
    pub(super) fn unshare(&mut self) {
        let (size, old) = (self.size(), &self.surface);
        let mut own = Surface::new(&self.conn, &self.layout, size, false).unwrap();
        own.write(&old.picture(), size.rect());
        self.surface = own;
    }

    /// The picture's size.
    pub(super) fn size(&self) -> Size {
        self.surface.size()
    }

    /// The picture, as Bgrx.
    pub(super) fn picture(&self) -> FrameRef<'_> {
        self.surface.picture()
    }

    /// Makes the picture one of another size, with what both sizes have.
    pub(super) fn resize(&mut self, size: Size) -> Result<()> {
        let shared = self.surface.shared().is_some();
        let mut surface = Surface::new(&self.conn, &self.layout, size, shared)?;
        surface.write(&self.surface.picture(), size.rect());
        let mut old = std::mem::replace(&mut self.surface, surface);
        if let Some(gone) = old.shared() {
            // The display, which keeps the memory until then, has drawn from it by then.
            self.conn.shm_detach(gone.id)?;
        }
        Ok(())
    }

    /// Brings `area` of `frame` into the picture, and the part of it within `window` and without
    /// `hole` to the window.
    pub(super) fn update(
        &mut self,
        frame: &FrameRef<'_>,
        area: Rect,
        (window, hole): (Size, Rect),
    ) -> Result<()> {
        let area = area.clip(self.size());
        for band in bands(area, self.layout.row_bytes(area.width), CHUNK_BYTES) {
            self.wait_for_room()?;
            self.surface.write(frame, band);
            for part in band.clip(window).subtract(hole) {
                self.show(part)?;
            }
        }
        Ok(())
    }

    /// Draws `area` of the picture.
    pub(super) fn show(&mut self, area: Rect) -> Result<()> {
        let Self { conn, layout, surface, staging, .. } = self;
        let (size, target) = (surface.size(), (self.window, self.gc, self.depth));
        let area = area.clip(size);
        if area.is_empty() {
            return Ok(());
        }
        let bytes = layout.row_bytes(area.width) * area.height as usize;
        let Some(shared) = surface.shared() else {
            put_wire(conn, target, layout, &surface.picture(), area, (area.x, area.y), staging)?;
            return self.handed(bytes);
        };
        let tell = shared.backlog.tell(bytes);
        let (x, y, w, h) = (area.x as u16, area.y as u16, area.width as u16, area.height as u16);
        conn.shm_put_image(
            self.window,
            self.gc,
            size.width_px as u16,
            size.height_px as u16,
            x,
            y,
            w,
            h,
            x as i16,
            y as i16,
            self.depth,
            ImageFormat::Z_PIXMAP.into(),
            tell,
            shared.id,
            0,
        )?;
        self.handed(bytes)
    }

    /// Draws a small Bgrx picture over the picture, which keeps what is under it.
    pub(super) fn show_over(&mut self, pixels: &FrameRef<'_>, x: u32, y: u32) -> Result<()> {
        let target = (self.window, self.gc, self.depth);
        let area = pixels.size().rect();
        put_wire(&self.conn, target, &self.layout, pixels, area, (x, y), &mut self.staging)?;
        self.handed(self.staging.len())
    }

    /// Sends what is buffered.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.unflushed = 0;
        self.conn.flush().context("the display went away")
    }

    /// The next event that is not about shared memory. Does not wait.
    pub(super) fn poll_event(&mut self) -> Result<Option<Event>> {
        if let Some(event) = self.events.pop_front() {
            return Ok(Some(event));
        }
        while let Some(event) = self.conn.poll_for_event().context("the display went away")? {
            if let Some(event) = self.sort(event)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn handed(&mut self, bytes: usize) -> Result<()> {
        self.unflushed += bytes;
        if self.unflushed >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Waits while the display is too far behind.
    fn wait_for_room(&mut self) -> Result<()> {
        while self.surface.shared().is_some_and(|s| s.backlog.is_full()) {
            self.flush()?;
            match self.conn.poll_for_event().context("the display went away")? {
                Some(event) => {
                    if let Some(event) = self.sort(event)? {
                        self.events.push_back(event);
                    }
                }
                None => self.wait_for_display()?,
            }
        }
        Ok(())
    }

    fn wait_for_display(&self) -> Result<()> {
        let mut fds = [PollFd::new(self.conn.stream(), PollFlags::IN)];
        match poll(&mut fds, Some(&PATIENCE)) {
            Ok(0) => bail!("the display has drawn nothing for {} s; is it hung?", PATIENCE.tv_sec),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error).context("cannot wait for the display"),
        }
    }

    /// Keeps what is about shared memory, makes errors of what the display refused.
    fn sort(&mut self, event: Event) -> Result<Option<Event>> {
        match event {
            Event::ShmCompletion(done) => {
                if let Some(shared) = self.surface.shared().filter(|s| s.id == done.shmseg) {
                    shared.backlog.complete();
                }
                Ok(None)
            }
            Event::Error(error) => Err(anyhow!(
                "the display refused {}: {:?} of {:#x}",
                error.request_name.unwrap_or("a request"),
                error.error_kind,
                error.bad_value
            )),
            other => Ok(Some(other)),
        }
    }
}

/// Cuts `area`, whose rows are of `row_bytes`, into bands of at most `limit_bytes` or one row.
fn bands(area: Rect, row_bytes: usize, limit_bytes: usize) -> impl Iterator<Item = Rect> {
    let rows = (limit_bytes / row_bytes.max(1)).clamp(1, u16::MAX.into()) as u32;
    (area.y..area.bottom())
        .step_by(rows as usize)
        .map(move |top| Rect::new(area.x, top, area.width, rows.min(area.bottom() - top)))
}

/// Sends `area` of a Bgrx picture to (`x`, `y`) of the target's window.
fn put_wire(
    conn: &RustConnection,
    (window, gc, depth): (u32, Gcontext, u8),
    layout: &PixelLayout,
    from: &FrameRef<'_>,
    area: Rect,
    (x, y): (u32, u32),
    staging: &mut Vec<u8>,
) -> Result<()> {
    let limit = conn.maximum_request_bytes().min(CHUNK_BYTES) - PUT_IMAGE_HEADER_BYTES;
    for band in bands(area, layout.row_bytes(area.width), limit) {
        staging.clear();
        for row in band.y..band.bottom() {
            layout.push_row(from.span(band.x, row, band.width), staging);
        }
        let (w, h) = (band.width as u16, band.height as u16);
        let (x, y) = (x as i16, (y + band.y - area.y) as i16);
        let format = ImageFormat::Z_PIXMAP;
        conn.put_image(format, window, gc, w, h, x, y, 0, depth, staging)?;
    }
    Ok(())
}
