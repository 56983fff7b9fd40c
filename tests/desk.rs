//! A private display that tests draw on and look at.

use crate::picture::corner_difference;
use crate::wait_until_none;
use farpane::frame::{FrameBuf, PixelFormat, Size};
use farpane_capture::{Xvfb, XvfbError};
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeGCAux, ChangeWindowAttributesAux, ConnectionExt as _, CreateGCAux, Gcontext, ImageFormat,
    Rectangle, Window,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Bits of colour of every display here.
const DEPTH: u8 = 24;

/// A display of its own with a client that draws and looks. The server ends when this is dropped.
pub struct Desk {
    // The client leaves before the server ends.
    conn: RustConnection,
    root: Window,
    gc: Gcontext,
    server: Xvfb,
}

impl Desk {
    /// A black display of `size` with an invisible pointer.
    ///
    /// # Panics
    /// When Xvfb is missing or does not start.
    pub fn start(size: Size) -> Self {
        Self::with(Xvfb::start(size, DEPTH))
    }

    /// As [`Desk::start`], on the given display.
    ///
    /// # Panics
    /// As there; also when the display is taken.
    pub fn start_on(display: &str, size: Size) -> Self {
        Self::with(Xvfb::start_on(display, size, DEPTH))
    }

    fn with(server: Result<Xvfb, XvfbError>) -> Self {
        let server = server.unwrap_or_else(|e| panic!("{e}"));
        let (conn, screen) =
            RustConnection::connect(Some(server.display())).expect("a display that runs");
        let root = conn.setup().roots[screen].root;
        let gc = conn.generate_id().expect("a name for the server");
        conn.create_gc(gc, root, &CreateGCAux::new()).expect("a request");
        let desk = Self { conn, root, gc, server };
        desk.hide_pointer();
        desk
    }

    /// The client that draws and looks.
    pub(crate) fn connection(&self) -> &RustConnection {
        &self.conn
    }

    /// Its root window.
    pub(crate) fn root(&self) -> Window {
        self.root
    }

    /// Its name, as `:81`.
    pub fn display(&self) -> &str {
        self.server.display()
    }

    /// The X server's process.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// Draws the step with this number: a bar of text, a patch of colour, a piece moved. Steps
    /// differ from each other, wherever they are drawn.
    ///
    /// # Panics
    /// When the display is gone.
    pub fn draw(&self, step: u32) {
        let size = self.size();
        let (width, height) = (size.width_px, size.height_px);
        // A spread that visits all parts of the screen (Weyl sequence of the golden ratio).
        let spread = |n: u32, range: u32| (n.wrapping_mul(0x9e37_79b9) >> 8) % range.max(1);
        let (x, y) = (spread(step, width) as i16, spread(step ^ 0x5555, height) as i16);
        let colour = step.wrapping_mul(0x0001_0f2b) & 0xff_ffff;
        let patch = Rectangle { x, y, width: 90, height: 40 };
        self.fill(patch, colour);
        let text = format!("step {step}: every tile of the copy is exact");
        self.text(20, 20 + (spread(step, height.saturating_sub(40))) as i16, &text);
        let (to_x, to_y) = (spread(step ^ 0x33, width) as i16, spread(step ^ 0x77, height) as i16);
        self.conn
            .copy_area(self.root, self.root, self.gc, x, y, to_x, to_y, 120, 60)
            .expect("a request");
        self.conn.sync().expect("a display that runs");
    }

    fn fill(&self, area: Rectangle, colour: u32) {
        let look = ChangeGCAux::new().foreground(colour).graphics_exposures(0);
        self.conn.change_gc(self.gc, &look).expect("a request");
        self.conn.poly_fill_rectangle(self.root, self.gc, &[area]).expect("a request");
    }

    fn text(&self, x: i16, y: i16, text: &str) {
        let font = self.conn.generate_id().expect("a name for the server");
        self.conn.open_font(font, b"fixed").expect("a request");
        let look = ChangeGCAux::new().foreground(0xffffff).background(0x204060).font(font);
        self.conn.change_gc(self.gc, &look).expect("a request");
        self.conn.image_text8(self.root, self.gc, x, y, text.as_bytes()).expect("a request");
        self.conn.close_font(font).expect("a request");
    }

    /// The display's size now.
    ///
    /// # Panics
    /// When it is gone.
    pub fn size(&self) -> Size {
        let geometry = self.conn.get_geometry(self.root).expect("a request").reply();
        let geometry = geometry.expect("a display that runs");
        Size::new(geometry.width.into(), geometry.height.into())
    }

    /// Kills the server as a crash would: nobody is told, nothing is cleaned up.
    ///
    /// # Panics
    /// When it is dead already.
    pub fn kill(self) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process number"), Signal::KILL).expect("the server runs");
        let socket = socket_path(self.display());
        drop(self);
        // A killed server leaves it; the test that killed it should not.
        let _ = std::fs::remove_file(socket);
    }

    /// What is on the display, fetched by the core protocol.
    ///
    /// # Panics
    /// When it is gone.
    pub fn picture(&self) -> FrameBuf {
        let size = self.size();
        let (width, height) = (size.width_px as u16, size.height_px as u16);
        let format = ImageFormat::Z_PIXMAP;
        let image = self.conn.get_image(format, self.root, 0, 0, width, height, !0);
        let data = image.expect("a request").reply().expect("a display that runs").data;
        let mut picture = FrameBuf::new(size, PixelFormat::Bgrx).expect("a size that exists");
        for (y, row) in (0..size.height_px).zip(data.chunks_exact(size.width_px as usize * 4)) {
            picture.span_mut(0, y, size.width_px).copy_from_slice(row);
        }
        picture
    }

    /// Waits until the top left corner of this display shows all of `shared`, to the pixel.
    ///
    /// # Panics
    /// When it does not within `limit`, or a display is gone.
    pub fn wait_shows(&self, shared: &Desk, limit: Duration) {
        wait_until_none("the helper's display equals the sharer's", limit, || {
            corner_difference(&self.picture().view(), &shared.picture().view())
        });
    }

    /// Makes `width` by `height` the display's size, as a person does in the settings.
    ///
    /// # Panics
    /// When the display refuses.
    pub fn resize(&self, width: u16, height: u16) {
        let resources = self.conn.randr_get_screen_resources(self.root).expect("a request");
        let resources = resources.reply().expect("a display with RandR");
        let (crtc, output) = (resources.crtcs[0], resources.outputs[0]);
        let name = format!("test-{width}x{height}");
        let known = mode_named(&resources, &name);
        let mode = known.unwrap_or_else(|| self.create_mode(output, width, height, &name));
        let set = |mode, outputs: &[u32]| {
            let rotation = randr::Rotation::ROTATE0;
            let set = self.conn.randr_set_crtc_config(crtc, 0, 0, 0, 0, mode, rotation, outputs);
            let status = set.expect("a request").reply().expect("a display that runs").status;
            assert_eq!(status, randr::SetConfig::SUCCESS);
        };
        set(x11rb::NONE, &[]);
        let sized = self.conn.randr_set_screen_size(self.root, width, height, 300, 200);
        sized.expect("a request").check().expect("a size that the display takes");
        set(mode, &[output]);
    }

    fn create_mode(&self, output: randr::Output, width: u16, height: u16, name: &str) -> u32 {
        let mode = randr::ModeInfo {
            width,
            height,
            name_len: name.len() as u16,
            htotal: width,
            vtotal: height,
            dot_clock: u32::from(width) * u32::from(height) * 60,
            ..Default::default()
        };
        let created = self.conn.randr_create_mode(self.root, mode, name.as_bytes());
        let mode = created.expect("a request").reply().expect("a new mode").mode;
        let added = self.conn.randr_add_output_mode(output, mode);
        added.expect("a request").check().expect("an output that takes the mode");
        mode
    }

    /// How many windows applications have opened on the display.
    ///
    /// # Panics
    /// When it is gone.
    pub fn windows(&self) -> usize {
        let tree = self.conn.query_tree(self.root).expect("a request").reply();
        tree.expect("a display that runs").children.len()
    }

    /// How many clients are connected, this one included, as the kernel tells.
    ///
    /// # Panics
    /// When the kernel does not tell of sockets.
    pub fn clients(&self) -> usize {
        let table = std::fs::read_to_string("/proc/net/unix").expect("a list of local sockets");
        let path = socket_path(self.display()).display().to_string();
        let abstract_path = format!("@{path}");
        // Num RefCount Protocol Flags Type St Inode Path; state 03 is connected.
        let is_client = |line: &&str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let name = fields.get(7);
            fields.get(5) == Some(&"03") && name.is_some_and(|n| *n == path || *n == abstract_path)
        };
        table.lines().filter(is_client).count()
    }

    /// Gives the screen a pointer without pixels and moves it into the corner, where no window
    /// gives it others: helpers see the pointer, but the display's own pixels hold none.
    fn hide_pointer(&self) {
        let name = || self.conn.generate_id().expect("a name for the server");
        let (pixmap, cursor) = (name(), name());
        self.conn.create_pixmap(1, pixmap, self.root, 1, 1).expect("a request");
        let gc = name();
        self.conn.create_gc(gc, pixmap, &CreateGCAux::new().foreground(0)).expect("a request");
        let dot = Rectangle { x: 0, y: 0, width: 1, height: 1 };
        self.conn.poly_fill_rectangle(pixmap, gc, &[dot]).expect("a request");
        self.conn.create_cursor(cursor, pixmap, pixmap, 0, 0, 0, 0, 0, 0, 0, 0).expect("a request");
        let aux = ChangeWindowAttributesAux::new().cursor(cursor);
        self.conn.change_window_attributes(self.root, &aux).expect("a request");
        self.conn.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, 0, 0).expect("a request");
        self.conn.free_gc(gc).expect("a request");
        self.conn.free_pixmap(pixmap).expect("a request");
        self.conn.sync().expect("a display that runs");
    }
}

/// The mode of that name, when there is one.
fn mode_named(resources: &randr::GetScreenResourcesReply, name: &str) -> Option<u32> {
    let mut names = &resources.names[..];
    resources.modes.iter().find_map(|mode| {
        let (this, rest) = names.split_at(names.len().min(mode.name_len.into()));
        names = rest;
        (this == name.as_bytes()).then_some(mode.id)
    })
}

/// The socket file of a display, as `:81`.
pub fn socket_path(display: &str) -> PathBuf {
    Path::new("/tmp/.X11-unix").join(format!("X{}", display.trim_start_matches(':')))
}

/// The name of a display that is free and that no server chooses by itself, for one that is to
/// come back under the same name: servers choose the lowest free number.
///
/// # Panics
/// When hundreds are taken.
pub fn high_display() -> String {
    let first = 700 + std::process::id() % 200;
    let free = |display: &String| !socket_path(display).exists();
    (first..first + 100).map(|n| format!(":{n}")).find(free).expect("a free display")
}
