//! The helper's window on an X display.
//!
//! What arrives is shown at once: there is no frame clock and no queue of pictures. Only damage
//! is copied, once, into the picture that is shared with the display; the display is told in the
//! same moment. The same picture serves to draw exposed parts and what was under the pointer.
//! The picture lies unscaled at the window's top left corner; what does not fit is cropped, the
//! rest of a larger window is black.

mod backlog;
mod canvas;
mod cursor;
mod input;
mod layout;
mod manager;
mod memory;
mod surface;
mod waker;

#[cfg(test)]
mod tests;

pub(crate) use cursor::CursorImage;
pub(crate) use input::Hands;
pub(crate) use manager::has_manager;
pub(crate) use waker::WindowWaker;

use anyhow::{Context, Result, ensure};
use canvas::Canvas;
use farpane_frame::{FrameBuf, FrameRef, MAX_DIMENSION_PX, PixelFormat, Rect, Region, Size};
use manager::{Atoms, FullscreenWay, KeyAction, Keys};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::Arc;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, Gravity, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// How long a new window waits for the window manager to show it; after that it is used as it is.
const SHOW_WAIT: Duration = Duration::from_secs(5);

/// How a window begins.
#[derive(Clone, Debug)]
pub(crate) struct WindowOptions {
    /// What the title bar says.
    pub(crate) title: String,
    /// The picture's size, and the window's unless it fills the display.
    pub(crate) size: Size,
    /// Whether pixel (0, 0) of the picture lies at (0, 0) of the display, without decorations.
    pub(crate) fullscreen: bool,
}

/// What happened to a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum WindowEvent {
    /// The person wants it closed: its close button, `q`, or Escape outside of full screen.
    Close,
    /// The window, not the picture, has another size now.
    Resized(Size),
    /// Parts had become visible and were drawn again; nothing is left to do.
    Exposed,
    /// F11, or Escape in full screen. The window has already switched.
    ToggleFullscreen,
}

/// A window that shows a remote screen. Belongs to one thread.
pub(crate) struct Window {
    conn: Arc<RustConnection>,
    canvas: Canvas,
    id: u32,
    root: u32,
    root_size: Size,
    atoms: Atoms,
    keys: Keys,
    way: FullscreenWay,
    fullscreen: bool,
    size: Size,
    cursor: Option<CursorImage>,
    /// Where the pointer is drawn; empty when it is not.
    cursor_area: Rect,
    cursor_pixels: FrameBuf,
    exposed: Region,
    events: Vec<WindowEvent>,
    /// Absent until mouse or keyboard are the sharer's for the first time.
    input: Option<input::Input>,
    waker: WindowWaker,
}

impl Window {
    /// Opens a black window on `display` (as `:0`; `None`: the one of the environment) and waits
    /// until it is shown.
    ///
    /// # Errors
    /// A display that cannot be reached, that refuses, or without direct colours; a size out of
    /// range.
    pub(crate) fn open(display: Option<&str>, options: &WindowOptions) -> Result<Self> {
        check_picture(options.size)?;
        let (conn, screen) = RustConnection::connect(display).with_context(|| match display {
            Some(name) => format!("cannot open the display {name}"),
            None => "cannot open the display of DISPLAY; set it or run in a session".to_owned(),
        })?;
        let conn = Arc::new(conn);
        let root = &conn.setup().roots[screen];
        let root_size = Size::new(root.width_in_pixels.into(), root.height_in_pixels.into());
        let root = root.root;
        let atoms = Atoms::new(&*conn)?.reply()?;
        let way = FullscreenWay::of(&conn, root, &atoms)?;
        let size = if options.fullscreen { root_size } else { options.size };
        let around = options.fullscreen && way == FullscreenWay::Around;
        let id = create(&conn, screen, size, around)?;
        manager::describe(&conn, id, &atoms, &options.title, options.fullscreen)?;
        let canvas = Canvas::new(conn.clone(), screen, id, options.size)?;
        let mut window = Self {
            keys: Keys::read(&conn)?,
            cursor_pixels: FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx)?,
            canvas,
            id,
            root,
            root_size,
            atoms,
            way,
            fullscreen: options.fullscreen,
            size,
            cursor: None,
            cursor_area: Rect::default(),
            exposed: Region::new(),
            events: Vec::new(),
            input: None,
            waker: WindowWaker::new()?,
            conn,
        };
        window.show()?;
        Ok(window)
    }

    /// Puts the damaged parts of `frame` on the window. What is outside `damage` must be as in
    /// the frame before. Returns when the display has been told; waits for it only when it is
    /// more than a picture behind.
    ///
    /// A frame of another size is taken as by [`Window::resize_picture`], and whole.
    ///
    /// # Errors
    /// When the display went away or refuses.
    pub(crate) fn present(&mut self, frame: &FrameRef<'_>, damage: &[Rect]) -> Result<()> {
        let whole = [frame.size().rect()];
        let damage = if frame.size() == self.canvas.size() {
            damage
        } else {
            self.resize_picture(frame.size())?;
            &whole
        };
        for area in damage {
            self.canvas.update(frame, *area, (self.size, self.cursor_area))?;
        }
        self.canvas.flush()?;
        if damage.iter().any(|area| area.intersects(self.cursor_area)) {
            self.draw_cursor(self.cursor_area)?;
            self.canvas.flush()?;
        }
        self.take_events()
    }

    /// Makes the picture one of another size. What both sizes have stays; the window follows,
    /// unless it fills the display.
    ///
    /// # Errors
    /// A size out of range; the display went away or refuses.
    pub(crate) fn resize_picture(&mut self, size: Size) -> Result<()> {
        check_picture(size)?;
        let cursor = self.cursor.take();
        self.update_cursor()?;
        let old = self.canvas.size();
        self.canvas.resize(size)?;
        self.follow_picture();
        for gone in old.rect().subtract(size.rect()).iter().filter(|r| !r.is_empty()) {
            let (w, h) = (gone.width as u16, gone.height as u16);
            self.conn.clear_area(false, self.id, gone.x as i16, gone.y as i16, w, h)?;
        }
        if !self.fullscreen {
            let aux = ConfigureWindowAux::new().width(size.width_px).height(size.height_px);
            self.conn.configure_window(self.id, &aux)?;
        }
        self.cursor = cursor;
        self.update_cursor()?;
        self.canvas.flush()
    }

    /// Draws the remote pointer over the picture, or no pointer. The picture under it comes back
    /// exactly when it moves or goes.
    ///
    /// # Errors
    /// A shape whose numbers disagree; the display went away or refuses.
    pub(crate) fn set_cursor(&mut self, cursor: Option<CursorImage>) -> Result<()> {
        if cursor == self.cursor {
            return Ok(());
        }
        if let Some(cursor) = &cursor {
            cursor.check()?;
        }
        self.cursor = cursor;
        self.update_cursor()?;
        self.canvas.flush()
    }

    /// What happened since the last call. Does not wait; draws exposed parts again.
    ///
    /// # Errors
    /// When the display went away or refused something.
    pub(crate) fn events(&mut self) -> Result<Vec<WindowEvent>> {
        self.take_events()?;
        if !self.exposed.is_empty() {
            let exposed = std::mem::take(&mut self.exposed);
            for area in exposed.rects() {
                self.repaint(*area)?;
            }
            self.events.push(WindowEvent::Exposed);
        }
        self.canvas.flush()?;
        Ok(std::mem::take(&mut self.events))
    }

    /// Waits for something that [`Window::events`] tells, for a ring of the waker, or at most
    /// `timeout` (`None`: for ever). Costs nothing while nothing happens.
    ///
    /// # Errors
    /// When the display went away or refused something.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>) -> Result<()> {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        self.canvas.flush()?;
        loop {
            self.take_events()?;
            if !self.events.is_empty() || !self.exposed.is_empty() || self.has_input() {
                return Ok(());
            }
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            let left = left.and_then(|l| Timespec::try_from(l).ok());
            let mut fds = [
                PollFd::new(self.conn.stream(), PollFlags::IN),
                PollFd::new(&self.waker, PollFlags::IN),
            ];
            match poll(&mut fds, left.as_ref()) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // A signal: the caller may want to look at what it meant.
                Err(rustix::io::Errno::INTR) => return Ok(()),
                Err(error) => return Err(error).context("cannot wait for the display"),
            }
            if !fds[1].revents().is_empty() {
                self.waker.clear();
                return Ok(());
            }
        }
    }

    /// A handle by which other threads end [`Window::wait`].
    pub(crate) fn waker(&self) -> WindowWaker {
        self.waker.clone()
    }

    /// Makes the window fill the display, or stop doing so.
    ///
    /// # Errors
    /// When the display went away.
    pub(crate) fn set_fullscreen(&mut self, on: bool) -> Result<()> {
        if on != self.fullscreen {
            self.fullscreen = on;
            let size = if on { self.root_size } else { self.canvas.size() };
            let ids = (self.root, self.id);
            manager::switch_fullscreen(&self.conn, ids, &self.atoms, self.way, (on, size))?;
        }
        self.canvas.flush()
    }

    /// Maps the window and waits until it is visible where it belongs.
    fn show(&mut self) -> Result<()> {
        self.conn.map_window(self.id)?;
        let deadline = Instant::now() + SHOW_WAIT;
        let placed = |w: &Self| !w.fullscreen || w.size == w.root_size;
        while self.exposed.is_empty() || !placed(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.wait_display(left)?;
        }
        if self.fullscreen {
            manager::focus(&self.conn, (self.root, self.id), &self.atoms, self.way)?;
        }
        self.events()?;
        Ok(())
    }

    /// Waits for anything from the display, at most `left`.
    fn wait_display(&mut self, left: Duration) -> Result<()> {
        self.canvas.flush()?;
        let left = Timespec::try_from(left).context("too long a wait")?;
        let mut fds = [PollFd::new(self.conn.stream(), PollFlags::IN)];
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => self.take_events(),
            Err(error) => Err(error).context("cannot wait for the display"),
        }
    }

    fn take_events(&mut self) -> Result<()> {
        while let Some(event) = self.canvas.poll_event()? {
            self.handle(event)?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<()> {
        if self.take_for_sharer(&event)? {
            return Ok(());
        }
        match event {
            Event::Expose(e) => {
                let (w, h) = (e.width.into(), e.height.into());
                self.exposed.add(Rect::new(e.x.into(), e.y.into(), w, h));
            }
            Event::ConfigureNotify(e) => {
                let size = Size::new(e.width.into(), e.height.into());
                if size != self.size {
                    self.size = size;
                    self.events.retain(|e| !matches!(e, WindowEvent::Resized(_)));
                    self.events.push(WindowEvent::Resized(size));
                }
            }
            Event::ClientMessage(e) if e.data.as_data32()[0] == self.atoms.WM_DELETE_WINDOW => {
                self.events.push(WindowEvent::Close);
            }
            Event::KeyPress(e) => match self.keys.action(e.detail) {
                Some(KeyAction::Close) => self.events.push(WindowEvent::Close),
                Some(KeyAction::Leave) if !self.fullscreen => self.events.push(WindowEvent::Close),
                Some(KeyAction::Leave | KeyAction::ToggleFullscreen) => {
                    self.set_fullscreen(!self.fullscreen)?;
                    self.events.push(WindowEvent::ToggleFullscreen);
                }
                None => {}
            },
            Event::MappingNotify(_) => self.keys = Keys::read(&self.conn)?,
            _ => {}
        }
        Ok(())
    }

    fn repaint(&mut self, area: Rect) -> Result<()> {
        let area = area.clip(self.canvas.size());
        for part in area.subtract(self.cursor_area) {
            self.canvas.show(part)?;
        }
        if area.intersects(self.cursor_area) {
            self.draw_cursor(self.cursor_area)?;
        }
        Ok(())
    }

    /// Draws the pointer where it is now, then the picture where it was.
    fn update_cursor(&mut self) -> Result<()> {
        let size = self.canvas.size();
        let area = self.cursor.as_ref().map(|c| c.area(size)).unwrap_or_default();
        self.draw_cursor(area)?;
        let before = std::mem::replace(&mut self.cursor_area, area);
        for part in before.subtract(area) {
            self.canvas.show(part)?;
        }
        Ok(())
    }

    fn draw_cursor(&mut self, area: Rect) -> Result<()> {
        let Some(cursor) = self.cursor.as_ref().filter(|_| !area.is_empty()) else {
            return Ok(());
        };
        cursor.blend(&self.canvas.picture(), area, &mut self.cursor_pixels)?;
        self.canvas.show_over(&self.cursor_pixels.view(), area.x, area.y)
    }
}

fn check_picture(size: Size) -> Result<()> {
    let (w, h, max) = (size.width_px, size.height_px, MAX_DIMENSION_PX);
    ensure!(size.is_valid(), "a picture of {w}x{h} pixels: each side must be 1 to {max}");
    Ok(())
}

/// Creates a black window of the screen's own depth.
fn create(conn: &RustConnection, screen: usize, size: Size, around: bool) -> Result<u32> {
    ensure!(size.is_valid(), "a window of {}x{} pixels", size.width_px, size.height_px);
    let root = &conn.setup().roots[screen];
    let id = conn.generate_id()?;
    let aux = CreateWindowAux::new()
        .background_pixel(root.black_pixel)
        .bit_gravity(Gravity::NORTH_WEST)
        .override_redirect(u32::from(around))
        .event_mask(input::own_events());
    conn.create_window(
        x11rb::COPY_DEPTH_FROM_PARENT,
        id,
        root.root,
        0,
        0,
        size.width_px as u16,
        size.height_px as u16,
        0,
        WindowClass::INPUT_OUTPUT,
        x11rb::COPY_FROM_PARENT,
        &aux,
    )?;
    Ok(id)
}
