//! Fetches rectangles of the root window into frames.

use super::bands::coalesce;
use super::bell::Bell;
use super::display::{Display, ShmVersion};
use super::fault::Fault;
use super::segment::{Segment, remove_sysv};
use super::slots::{Lease, Pool, Slot};
use crate::CaptureError;
use farpane_frame::{FrameBuf, PixelFormat, Rect, Size};
use std::sync::Arc;
use x11rb::connection::Connection;
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

/// How pixels get from the display to this process, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Sealed anonymous memory that is handed to the display as a descriptor.
    Memfd,
    /// A System V segment of mode 0600, removed as soon as both sides have attached it.
    SysV,
    /// Through the connection's socket: works everywhere, some 30 times slower.
    Socket,
}

/// Fetches pixels of one area of the root window.
#[derive(Debug)]
pub(super) struct Grabber {
    area: Rect,
    transport: Transport,
    pool: Arc<Pool>,
    /// Pools of former sizes with frames that are still lent.
    retired: Vec<Arc<Pool>>,
    /// Where the display writes pixels that are then converted.
    staging: Option<(u32, Segment)>,
    bands: Vec<Rect>,
    requests: Vec<Request>,
}

/// One rectangle to fetch.
#[derive(Clone, Copy, Debug)]
struct Request {
    /// In pixels of the area.
    rect: Rect,
    /// Where in the segment the display writes it.
    offset: usize,
    /// Whether its rows still have to be copied to their place.
    scratch: bool,
}

impl Grabber {
    /// Chooses the best transport that works, or checks that `forced` does.
    pub(super) fn new(
        display: &Display,
        area: Rect,
        forced: Option<Transport>,
        bell: Arc<Bell>,
    ) -> Result<Self, CaptureError> {
        let all = [Transport::Memfd, Transport::SysV, Transport::Socket];
        let transport = all
            .into_iter()
            .filter(|t| forced.is_none_or(|f| f == *t))
            .find(|t| works(display, *t))
            .ok_or_else(|| CaptureError::Unsupported {
                display: display.name.clone(),
                what: format!("working {forced:?} transport"),
            })?;
        Ok(Self {
            area,
            transport,
            pool: Pool::new(size_of(area), bell),
            retired: Vec::new(),
            staging: None,
            bands: Vec::new(),
            requests: Vec::new(),
        })
    }

    pub(super) fn transport(&self) -> Transport {
        self.transport
    }

    pub(super) fn area(&self) -> Rect {
        self.area
    }

    /// From now on fetches `area`. Frames that are lent stay valid.
    pub(super) fn set_area(&mut self, display: &Display, area: Rect, bell: Arc<Bell>) {
        self.area = area;
        self.retired.push(std::mem::replace(&mut self.pool, Pool::new(size_of(area), bell)));
        if let Some((id, _)) = self.staging.take() {
            detach(display, id);
        }
        self.release_retired(display);
    }

    /// A frame to fill, or `None` while all are lent.
    pub(super) fn lease(&mut self, display: &Display) -> Result<Option<Lease>, Fault> {
        self.release_retired(display);
        let (area, transport) = (self.area, self.transport);
        let direct = transport != Transport::Socket && display.layout.is_bgrx();
        self.pool.take(|| {
            if direct {
                let frame = area.area_px() as usize * 4;
                let (id, segment) = attach(display, transport, frame + frame / 2)?;
                return Ok(Slot::Shared { id, segment });
            }
            FrameBuf::new(size_of(area), PixelFormat::Bgrx)
                .map(Slot::Private)
                .map_err(|e| Fault::Refused(e.to_string()))
        })
    }

    /// Fetches `rects` (pixels of the area) to their place in the frame; other pixels of it
    /// become unspecified. Returns how many pixels were fetched.
    pub(super) fn fill(
        &mut self,
        display: &Display,
        lease: &mut Lease,
        rects: &[Rect],
    ) -> Result<u64, Fault> {
        coalesce(rects, size_of(self.area), &mut self.bands);
        match lease.slot_mut() {
            Slot::Shared { id, segment } => self.fill_shared(display, *id, segment)?,
            Slot::Private(frame) if self.transport == Transport::Socket => {
                self.fill_from_socket(display, frame)?;
            }
            Slot::Private(frame) => self.fill_converted(display, frame)?,
        }
        Ok(self.bands.iter().map(|b| b.area_px()).sum())
    }

    /// The display writes wide bands as whole rows to their place, narrow ones to the scratch
    /// space behind the frame, from where their rows are copied.
    fn fill_shared(
        &mut self,
        display: &Display,
        id: u32,
        segment: &mut Segment,
    ) -> Result<(), Fault> {
        let stride = self.area.width as usize * 4;
        let frame_bytes = stride * self.area.height as usize;
        let mut scratch = frame_bytes;
        self.requests.clear();
        for band in &self.bands {
            if band.width * 2 > self.area.width {
                let rows = Rect { x: 0, width: self.area.width, ..*band };
                let offset = band.y as usize * stride;
                self.requests.push(Request { rect: rows, offset, scratch: false });
            } else {
                self.requests.push(Request { rect: *band, offset: scratch, scratch: true });
                scratch += band.area_px() as usize * 4;
            }
        }
        fetch(display, id, self.area, &self.requests)?;
        let (frame, scratch) = segment.as_mut_slice().split_at_mut(frame_bytes);
        for request in self.requests.iter().filter(|r| r.scratch) {
            let (rect, row) = (request.rect, request.rect.width as usize * 4);
            let from = scratch[request.offset - frame_bytes..].chunks_exact(row);
            let start = rect.y as usize * stride + rect.x as usize * 4;
            for (to, from) in frame[start..].chunks_mut(stride).zip(from.take(rect.height as usize))
            {
                to[..row].copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn fill_converted(&mut self, display: &Display, frame: &mut FrameBuf) -> Result<(), Fault> {
        let layout = display.layout;
        let capacity = layout.row_bytes(self.area.width) * self.area.height as usize;
        let mut end = 0;
        self.requests.clear();
        for rect in &self.bands {
            self.requests.push(Request { rect: *rect, offset: end, scratch: true });
            end += layout.row_bytes(rect.width) * rect.height as usize;
        }
        // Bands hold at most half of the pixels, and padding at most doubles a row.
        debug_assert!(end <= capacity);
        if self.staging.is_none() {
            self.staging = Some(attach(display, self.transport, capacity)?);
        }
        let Some((id, segment)) = &mut self.staging else { return Ok(()) };
        fetch(display, *id, self.area, &self.requests)?;
        for request in &self.requests {
            convert(display, &segment.as_slice()[request.offset..], request.rect, frame);
        }
        Ok(())
    }

    fn fill_from_socket(&mut self, display: &Display, frame: &mut FrameBuf) -> Result<(), Fault> {
        let mut cookies = Vec::with_capacity(self.bands.len());
        for band in &self.bands {
            let (x, y) = on_root(self.area, *band);
            let (width, height) = (band.width as u16, band.height as u16);
            let format = ImageFormat::Z_PIXMAP;
            cookies.push(display.conn.get_image(format, display.root, x, y, width, height, !0)?);
        }
        for (band, cookie) in self.bands.iter().zip(cookies) {
            let image = cookie.reply()?;
            if image.data.len() < display.layout.row_bytes(band.width) * band.height as usize {
                return Err(Fault::Gone("the display sent an image that is too short".into()));
            }
            convert(display, &image.data, *band, frame);
        }
        Ok(())
    }

    /// Frees what came back of former sizes.
    fn release_retired(&mut self, display: &Display) {
        self.retired.retain(|pool| {
            while let Some(slot) = pool.retire_free() {
                if let Slot::Shared { id, .. } = slot {
                    detach(display, id);
                }
            }
            pool.made() > 0
        });
    }
}

fn size_of(area: Rect) -> Size {
    Size::new(area.width, area.height)
}

/// Where a rectangle of the area is on the root window. Areas lie inside it, whose coordinates
/// fit.
fn on_root(area: Rect, rect: Rect) -> (i16, i16) {
    ((area.x + rect.x) as i16, (area.y + rect.y) as i16)
}

/// Lets the display write all requests into segment `id`, in one round trip. When it returned,
/// whether well or not, a living display writes no more.
fn fetch(display: &Display, id: u32, area: Rect, requests: &[Request]) -> Result<(), Fault> {
    let mut cookies = Vec::with_capacity(requests.len());
    let format = u8::from(ImageFormat::Z_PIXMAP);
    for request in requests {
        let (x, y) = on_root(area, request.rect);
        let (width, height) = (request.rect.width as u16, request.rect.height as u16);
        let (root, offset) = (display.root, request.offset as u32);
        let conn = &display.conn;
        cookies.push(conn.shm_get_image(root, x, y, width, height, !0, format, id, offset)?);
    }
    let mut outcome = Ok(());
    for cookie in cookies {
        if let Err(error) = cookie.reply() {
            outcome = Err(error.into());
        }
    }
    outcome
}

/// Converts the rows of `rect`, tightly packed but for their padding, to their place.
fn convert(display: &Display, native: &[u8], rect: Rect, frame: &mut FrameBuf) {
    let rows = native.chunks_exact(display.layout.row_bytes(rect.width));
    for (y, row) in (rect.y..rect.bottom()).zip(rows) {
        display.layout.convert_row(row, frame.span_mut(rect.x, y, rect.width));
    }
}

/// Whether the display accepts this transport from this process.
fn works(display: &Display, transport: Transport) -> bool {
    match transport {
        Transport::Socket => true,
        Transport::Memfd if display.shm < ShmVersion::Descriptors => false,
        Transport::SysV if display.shm < ShmVersion::SysV => false,
        _ => attach(display, transport, 4096).map(|(id, _)| detach(display, id)).is_ok(),
    }
}

/// Makes a segment of `bytes` that the display has attached; also its name there.
fn attach(display: &Display, transport: Transport, bytes: usize) -> Result<(u32, Segment), Fault> {
    let conn = &display.conn;
    let id = conn.generate_id()?;
    if transport == Transport::SysV {
        let (segment, sysv) = Segment::sysv(bytes)?;
        let attached = conn.shm_attach(id, sysv as u32, false).map(|cookie| cookie.check());
        remove_sysv(sysv);
        attached??;
        return Ok((id, segment));
    }
    let (segment, fd) = Segment::memfd(bytes)?;
    conn.shm_attach_fd(id, fd, false)?.check()?;
    Ok((id, segment))
}

/// Makes the display forget a segment. A display that is gone has forgotten it already.
fn detach(display: &Display, id: u32) {
    let _ = display.conn.shm_detach(id);
}
