//! Against real servers.

use super::*;
use crate::{CursorUpdate, Damage, Frame, Xvfb};
use farpane_frame::{FrameBuf, PixelFormat, Size};
use x11rb::connection::Connection;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeGCAux, ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    CreateWindowAux, Gcontext, ImageFormat, Rectangle, Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Longer than anything takes; a test that waits this long fails.
const LONG: Duration = Duration::from_secs(20);
/// For what must not come: all causes of it were waited for by a round trip.
const NOW: Duration = Duration::ZERO;

/// Another client, which draws.
struct Artist {
    conn: RustConnection,
    root: Window,
    gc: Gcontext,
}

impl Artist {
    fn new(server: &Xvfb) -> Self {
        let (conn, screen) = RustConnection::connect(Some(server.display())).unwrap();
        let root = conn.setup().roots[screen].root;
        let gc = conn.generate_id().unwrap();
        conn.create_gc(gc, root, &CreateGCAux::new()).unwrap();
        Self { conn, root, gc }
    }

    fn fill(&self, colour: u32, x: i16, y: i16, width: u16, height: u16) {
        self.conn.change_gc(self.gc, &ChangeGCAux::new().foreground(colour)).unwrap();
        let rect = Rectangle { x, y, width, height };
        self.conn.poly_fill_rectangle(self.root, self.gc, &[rect]).unwrap();
        self.settle();
    }

    /// Waits until every client can read what it is told of the requests so far. The server
    /// answers the first round trip while it still writes to other clients, the second after.
    fn settle(&self) {
        self.conn.sync().unwrap();
        self.conn.sync().unwrap();
    }

    /// A mapped window filled with `colour`.
    fn window(&self, colour: u32, x: i16, y: i16, width: u16, height: u16) -> Window {
        let (window, depth) = (self.conn.generate_id().unwrap(), x11rb::COPY_DEPTH_FROM_PARENT);
        let aux = CreateWindowAux::new().background_pixel(colour).override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        let root = self.root;
        self.conn
            .create_window(depth, window, root, x, y, width, height, 0, class, 0, &aux)
            .unwrap();
        self.conn.map_window(window).unwrap();
        self.settle();
        window
    }

    fn text(&self, x: i16, y: i16, text: &str) {
        let font = self.conn.generate_id().unwrap();
        self.conn.open_font(font, b"fixed").unwrap();
        let look = ChangeGCAux::new().foreground(0xffffff).background(0x204060).font(font);
        self.conn.change_gc(self.gc, &look).unwrap();
        self.conn.image_text8(self.root, self.gc, x, y, text.as_bytes()).unwrap().check().unwrap();
        self.conn.close_font(font).unwrap();
        self.settle();
    }

    fn move_pointer(&self, x: i16, y: i16) {
        let motion = x11rb::protocol::xproto::MOTION_NOTIFY_EVENT;
        self.conn.xtest_fake_input(motion, 0, 0, self.root, x, y, 0).unwrap();
        self.settle();
    }

    /// A pointer from the cursor font over the whole screen.
    fn show_pointer(&self, glyph: u16) {
        let (font, cursor) = (self.conn.generate_id().unwrap(), self.conn.generate_id().unwrap());
        self.conn.open_font(font, b"cursor").unwrap();
        self.conn
            .create_glyph_cursor(cursor, font, font, glyph, glyph + 1, 0, 0, 0, !0, !0, !0)
            .unwrap();
        let aux = ChangeWindowAttributesAux::new().cursor(cursor);
        self.conn.change_window_attributes(self.root, &aux).unwrap().check().unwrap();
        self.settle();
    }

    /// A pixel's value, as the server stores it.
    fn pixel(&self, x: i16, y: i16) -> Vec<u8> {
        let image = self.conn.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, 1, 1, !0);
        image.unwrap().reply().unwrap().data
    }

    /// What is on the screen, for servers whose pixels are BGRX.
    fn picture(&self, area: Rect) -> FrameBuf {
        let (x, y, w, h) = (area.x as i16, area.y as i16, area.width as u16, area.height as u16);
        let image = self.conn.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, w, h, !0);
        let data = image.unwrap().reply().unwrap().data;
        let size = Size::new(area.width, area.height);
        let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
        for (y, row) in (0..area.height).zip(data.chunks_exact(area.width as usize * 4)) {
            frame.span_mut(0, y, area.width).copy_from_slice(row);
        }
        frame
    }

    /// Makes `width` by `height` the size of the screen.
    fn resize(&self, width: u16, height: u16) {
        let resources = self.conn.randr_get_screen_resources(self.root).unwrap().reply().unwrap();
        let (crtc, output) = (resources.crtcs[0], resources.outputs[0]);
        let name = format!("test-{width}x{height}");
        let mode = randr::ModeInfo {
            width,
            height,
            name_len: name.len() as u16,
            htotal: width,
            vtotal: height,
            dot_clock: u32::from(width) * u32::from(height) * 60,
            ..Default::default()
        };
        let created = self.conn.randr_create_mode(self.root, mode, name.as_bytes()).unwrap();
        let mode = created.reply().unwrap().mode;
        self.conn.randr_add_output_mode(output, mode).unwrap().check().unwrap();
        let set = |mode, outputs: &[u32]| {
            let rotation = randr::Rotation::ROTATE0;
            let set = self.conn.randr_set_crtc_config(crtc, 0, 0, 0, 0, mode, rotation, outputs);
            let status = set.unwrap().reply().unwrap().status;
            assert_eq!(status, randr::SetConfig::SUCCESS);
        };
        set(x11rb::NONE, &[]);
        let sized = self.conn.randr_set_screen_size(self.root, width, height, 300, 200);
        sized.unwrap().check().unwrap();
        set(mode, &[output]);
    }

    fn add_monitor(&self, name: &str, area: Rect) {
        let name = self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let monitor = randr::MonitorInfo {
            name,
            x: area.x as i16,
            y: area.y as i16,
            width: area.width as u16,
            height: area.height as u16,
            width_in_millimeters: 100,
            height_in_millimeters: 100,
            ..Default::default()
        };
        self.conn.randr_set_monitor(self.root, monitor).unwrap().check().unwrap();
        self.settle();
    }

    fn remove_monitor(&self, name: &str) {
        let name = self.conn.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        self.conn.randr_delete_monitor(self.root, name).unwrap().check().unwrap();
    }
}

/// A consumer: keeps the picture that the frames so far make.
struct Viewer {
    source: X11Source,
    picture: FrameBuf,
    generation: Option<u32>,
    pointer: Vec<CursorUpdate>,
}

impl Viewer {
    fn new(server: &Xvfb, options: X11Options) -> Self {
        let display = Some(server.display().to_owned());
        let source = X11Source::open(X11Options { display, ..options }).unwrap();
        let picture = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).unwrap();
        let mut viewer = Self { source, picture, generation: None, pointer: Vec::new() };
        viewer.settle();
        viewer
    }

    fn apply(&mut self, frame: &Frame) {
        let view = frame.pixels.view();
        if self.generation.replace(frame.generation) != Some(frame.generation) {
            assert_eq!(frame.damage, Damage::Unknown, "a generation begins with everything");
            self.picture.reshape(view.size(), PixelFormat::Bgrx).unwrap();
        }
        assert_eq!(view.size(), self.picture.size());
        assert!(frame.notice_us <= frame.capture_us && frame.capture_us <= crate::monotonic_us());
        match &frame.damage {
            Damage::Unknown => self.picture.copy_from(&view, view.size().rect()),
            Damage::Hint(region) | Damage::Exact(region) => {
                for rect in region.rects() {
                    assert!(view.size().rect().contains(*rect));
                    self.picture.copy_from(&view, *rect);
                }
            }
        }
    }

    /// Takes everything that is there now. Returns how many frames.
    fn settle(&mut self) -> u32 {
        let mut frames = 0;
        loop {
            match self.source.next(NOW).unwrap() {
                CaptureEvent::Frame(frame) => {
                    frames += 1;
                    self.apply(&frame);
                }
                CaptureEvent::Cursor(update) => self.pointer.push(update),
                CaptureEvent::Idle => return frames,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for a frame.
    fn frame(&mut self) -> Frame {
        loop {
            match self.source.next(LONG).unwrap() {
                CaptureEvent::Frame(frame) => {
                    self.apply(&frame);
                    return frame;
                }
                CaptureEvent::Cursor(update) => self.pointer.push(update),
                other => panic!("{other:?}"),
            }
        }
    }

    fn assert_shows(&self, artist: &Artist, area: Rect) {
        let truth = artist.picture(area);
        let difference = self.picture.view().first_difference(&truth.view());
        assert_eq!(self.picture.size(), truth.size());
        assert_eq!(difference, None, "the first pixel that differs");
    }
}

fn server(width: u32, height: u32, depth: u8) -> Xvfb {
    Xvfb::start(Size::new(width, height), depth).unwrap()
}

/// Without the watchdog, so that every frame has a known cause.
fn quiet() -> X11Options {
    X11Options { watchdog: None, ..X11Options::default() }
}

const WHOLE: Rect = Rect::new(0, 0, 640, 480);

#[test]
fn drawings_arrive_exactly_over_every_transport() {
    for transport in [Transport::Memfd, Transport::SysV, Transport::Socket] {
        let server = server(640, 480, 24);
        let artist = Artist::new(&server);
        artist.fill(0x123456, 0, 0, 640, 480);
        let options = X11Options { transport: Some(transport), ..quiet() };
        let mut viewer = Viewer::new(&server, options);
        assert_eq!(viewer.source.transport(), Some(transport));
        viewer.assert_shows(&artist, WHOLE);
        // Narrow, wide, at the edges, overlapping, one pixel, outside.
        let rects = [
            (0xff0000, 10, 10, 64, 64),
            (0x00ff00, 0, 200, 640, 3),
            (0x0000ff, 600, 440, 100, 100),
            (0x808080, -5, -5, 10, 10),
            (0xffffff, 40, 40, 300, 200),
            (0x010203, 639, 479, 1, 1),
            (0x777777, 300, 0, 4, 480),
            (0x999999, 1000, 1000, 10, 10),
        ];
        for (colour, x, y, width, height) in rects {
            artist.fill(colour, x, y, width, height);
            viewer.settle();
            viewer.assert_shows(&artist, WHOLE);
        }
        for (colour, x, y, width, height) in rects {
            artist.fill(colour ^ 0x55, y, x, height, width);
        }
        artist.text(100, 100, "Exactly this text, at once.");
        viewer.settle();
        viewer.assert_shows(&artist, WHOLE);
    }
}

#[test]
fn windows_are_captured_as_they_open_move_draw_and_close() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    artist.fill(0x336699, 0, 0, 640, 480);
    let mut viewer = Viewer::new(&server, quiet());
    let below = artist.window(0xcc0000, 50, 60, 300, 200);
    let above = artist.window(0x00cc00, 200, 100, 300, 200);
    let check = |viewer: &mut Viewer, what: &str| {
        artist.settle();
        assert!(viewer.settle() > 0, "{what}");
        viewer.assert_shows(&artist, WHOLE);
    };
    check(&mut viewer, "opened");
    for step in 1..20 {
        let to = ConfigureWindowAux::new().x(200 + 7 * step).y(100 + 3 * step);
        artist.conn.configure_window(above, &to).unwrap();
        check(&mut viewer, "moved");
    }
    let square = Rectangle { x: 10, y: 10, width: 30, height: 30 };
    artist.conn.poly_fill_rectangle(below, artist.gc, &[square]).unwrap();
    check(&mut viewer, "drawn in");
    artist.conn.destroy_window(above).unwrap();
    check(&mut viewer, "closed");
}

#[test]
fn a_small_change_costs_few_pixels_and_names_its_place() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let mut viewer = Viewer::new(&server, quiet());
    let before = viewer.source.counters().pixels;
    artist.fill(0xabcdef, 100, 200, 20, 10);
    let frame = viewer.frame();
    assert_eq!(
        frame.damage,
        Damage::Hint(farpane_frame::Region::from_rect(Rect::new(100, 200, 20, 10)))
    );
    assert_eq!(viewer.source.counters().pixels - before, 200);
    assert_eq!(viewer.settle(), 0, "nothing else changed");
    viewer.source.refresh();
    assert_eq!(viewer.frame().damage, Damage::Unknown);
}

#[test]
fn other_depths_arrive_as_bgrx() {
    for depth in [16, 30] {
        let server = server(320, 200, depth);
        let artist = Artist::new(&server);
        for transport in [Transport::Memfd, Transport::SysV, Transport::Socket] {
            let options = X11Options { transport: Some(transport), ..quiet() };
            let mut viewer = Viewer::new(&server, options);
            // Full red, green, blue in the server's own layout, on odd columns.
            let (red, green, blue) =
                if depth == 16 { (0xf800, 0x7e0, 0x1f) } else { (0x3ff << 20, 0x3ff << 10, 0x3ff) };
            artist.fill(0, 0, 0, 320, 200);
            for (i, colour) in [red, green, blue, red | green | blue].into_iter().enumerate() {
                artist.fill(colour, 3 + 100 * i as i16, 50 * i as i16, 5, 7);
            }
            viewer.settle();
            let picture = viewer.picture.view();
            assert_eq!(picture.rgb(3, 0), [255, 0, 0], "depth {depth}, {transport:?}");
            assert_eq!(picture.rgb(107, 56), [0, 255, 0]);
            assert_eq!(picture.rgb(203, 100), [0, 0, 255]);
            assert_eq!(picture.rgb(303, 150), [255, 255, 255]);
            assert_eq!(picture.rgb(2, 0), [0, 0, 0]);
            assert_eq!(picture.rgb(108, 56), [0, 0, 0]);
            assert_eq!(artist.pixel(3, 0).len(), 4);
        }
    }
}

#[test]
fn a_resize_begins_a_generation_and_lent_frames_stay_valid() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let mut viewer = Viewer::new(&server, quiet());
    artist.fill(0x445566, 0, 0, 640, 480);
    let kept = viewer.frame();
    for (width, height) in [(320, 240), (500, 300), (640, 480)] {
        artist.resize(width, height);
        artist.fill(0x112233, 5, 5, 100, 100);
        viewer.settle();
        viewer.assert_shows(&artist, Rect::new(0, 0, width.into(), height.into()));
    }
    assert!(viewer.generation.unwrap() >= kept.generation + 3);
    assert_eq!(kept.pixels.view().size(), Size::new(640, 480));
    assert_eq!(kept.pixels.view().rgb(639, 479), [0x44, 0x55, 0x66]);
    drop(kept);
    artist.fill(0x665544, 0, 0, 10, 10);
    viewer.settle();
    viewer.assert_shows(&artist, WHOLE);
}

#[test]
fn one_monitor_is_captured_by_itself_and_awaited_when_unplugged() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let right = Rect::new(320, 40, 320, 400);
    artist.add_monitor("RIGHT", right);
    let names: Vec<_> = list_monitors(Some(server.display())).unwrap();
    assert_eq!(names.iter().find(|m| m.name == "RIGHT").unwrap().area, right);
    let mut viewer = Viewer::new(&server, X11Options { monitor: Some("RIGHT".into()), ..quiet() });
    artist.fill(0xaa0000, 300, 30, 40, 40);
    let frame = viewer.frame();
    let damage = farpane_frame::Region::from_rect(Rect::new(0, 0, 20, 30));
    assert_eq!(frame.damage, Damage::Hint(damage));
    artist.fill(0x00aa00, 0, 0, 320, 480);
    assert_eq!(viewer.settle(), 0, "another monitor's change");
    viewer.assert_shows(&artist, right);

    artist.remove_monitor("RIGHT");
    let lost = viewer.source.next(LONG).unwrap();
    assert!(matches!(&lost, CaptureEvent::Lost(why) if why.contains("RIGHT")), "{lost:?}");
    let smaller = Rect::new(0, 0, 200, 100);
    artist.add_monitor("RIGHT", smaller);
    assert_eq!(viewer.frame().generation, frame.generation + 1);
    viewer.settle();
    viewer.assert_shows(&artist, smaller);
    assert_eq!(viewer.source.counters().reconnects, 1);

    let display = Some(server.display().to_owned());
    let wrong = X11Options { display, monitor: Some("LEFT".into()), ..quiet() };
    let error = X11Source::open(wrong).unwrap_err();
    assert!(
        matches!(&error, CaptureError::Monitor { known, .. } if known.contains(&"RIGHT".into()))
    );
}

#[test]
fn a_server_that_dies_and_returns_begins_a_generation() {
    let size = Size::new(640, 480);
    let first = Xvfb::start(size, 24).unwrap();
    let display = first.display().to_owned();
    let mut viewer = Viewer::new(&first, quiet());
    let generation = viewer.generation.unwrap();
    drop(first);
    assert!(matches!(viewer.source.next(LONG).unwrap(), CaptureEvent::Lost(_)));
    assert_eq!(viewer.source.transport(), None);
    assert!(matches!(viewer.source.next(NOW).unwrap(), CaptureEvent::Idle), "still away");
    let second = Xvfb::start_on(&display, size, 24).unwrap();
    let artist = Artist::new(&second);
    artist.fill(0x987654, 0, 0, 640, 480);
    assert_eq!(viewer.frame().generation, generation + 1);
    viewer.settle();
    viewer.assert_shows(&artist, WHOLE);
    assert_eq!(viewer.source.counters().reconnects, 1);
}

#[test]
fn the_pointer_is_followed_apart_from_the_pixels() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    artist.show_pointer(68);
    let mut viewer = Viewer::new(&server, quiet());
    viewer.settle();
    viewer.pointer.clear();
    for step in 0..50 {
        artist.move_pointer(100 + step, 200);
    }
    assert_eq!(viewer.settle(), 0, "a pointer that moves changes no pixels");
    let last = viewer.pointer.last().unwrap();
    assert_eq!((last.x, last.y, last.visible), (149, 200, true));
    assert_eq!(viewer.pointer.len(), 1, "motion is merged");
    viewer.pointer.clear();
    artist.show_pointer(152);
    viewer.settle();
    let text = viewer.pointer.pop().unwrap().shape.expect("another shape");
    assert!(text.width > 0 && text.bgra.len() == (text.width * text.height * 4) as usize);
    artist.show_pointer(68);
    viewer.settle();
    assert_ne!(viewer.pointer.pop().unwrap().shape.unwrap().bgra, text.bgra);
    viewer.assert_shows(&artist, WHOLE);
}

#[test]
fn a_waker_ends_the_wait() {
    let server = server(640, 480, 24);
    let mut viewer = Viewer::new(&server, quiet());
    let waker = viewer.source.waker();
    waker.ring();
    assert!(matches!(viewer.source.next(LONG).unwrap(), CaptureEvent::Idle), "rung before");
    let thread = std::thread::spawn(move || waker.ring());
    let start = Instant::now();
    assert!(matches!(viewer.source.next(LONG).unwrap(), CaptureEvent::Idle));
    assert!(start.elapsed() < LONG / 2);
    thread.join().unwrap();
}

#[test]
fn a_consumer_that_keeps_all_frames_gets_more_only_when_it_returns_one() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let mut viewer = Viewer::new(&server, quiet());
    let mut kept = Vec::new();
    for i in 0..super::slots::MAX_SLOTS {
        artist.fill(i as u32 + 1, 0, 0, 10, 10);
        kept.push(viewer.frame());
    }
    artist.fill(0xff, 0, 0, 10, 10);
    artist.fill(0xee, 50, 50, 10, 10);
    assert_eq!(viewer.settle(), 0);
    let thread = std::thread::spawn(move || drop(kept));
    let frame = viewer.frame();
    thread.join().unwrap();
    assert_eq!(frame.pixels.view().rgb(5, 5), [0, 0, 0xff], "the screen as it is now");
    viewer.assert_shows(&artist, WHOLE);
}

#[test]
fn unreported_changes_are_found_and_the_source_distrusted() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let watchdog = Some(Duration::from_millis(20));
    let mut viewer = Viewer::new(&server, X11Options { watchdog, ..X11Options::default() });
    // Until every band was handed out and compared, one a tick.
    while viewer.source.counters().watchdog_checks < 20 {
        let _ = viewer.source.next(Duration::from_millis(20)).unwrap();
    }
    assert_eq!(viewer.source.counters().watchdog_misses, 0);
    viewer.source.state.unreported = WHOLE;
    artist.fill(0xfedcba, 200, 300, 5, 5);
    assert_eq!(viewer.frame().damage, Damage::Unknown);
    viewer.assert_shows(&artist, WHOLE);
    assert_eq!(viewer.source.counters().watchdog_misses, 1);
    // From now on every change is found within a tick or two.
    for i in 0..10 {
        artist.fill(0x101010 * i, 10, 40 * i as i16, 30, 30);
        viewer.frame();
        viewer.assert_shows(&artist, WHOLE);
    }
    viewer.source.state.unreported = Rect::default();
    artist.fill(0x00ff00, 10, 10, 3, 3);
    assert_eq!(viewer.frame().damage, Damage::Unknown, "once a liar");
}

#[test]
fn an_honest_busy_display_is_not_accused() {
    let server = server(640, 480, 24);
    let artist = Artist::new(&server);
    let watchdog = Some(Duration::from_micros(200));
    let mut viewer = Viewer::new(&server, X11Options { watchdog, ..X11Options::default() });
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let drawing = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            for i in 0u32.. {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    return artist;
                }
                let at = |m: u32| (i.wrapping_mul(2_654_435_761) >> 8) % m;
                artist.fill(i * 77, at(600) as i16, at(440) as i16, 40, 40);
            }
            artist
        }
    });
    while viewer.source.counters().watchdog_checks < 2_000 {
        viewer.frame();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let artist = drawing.join().unwrap();
    viewer.settle();
    viewer.assert_shows(&artist, WHOLE);
    assert_eq!(viewer.source.counters().watchdog_misses, 0);
}

#[test]
fn an_unreachable_display_says_what_to_do() {
    for name in [":59000", ":65000", "no display", ":99999999"] {
        let display = Some(name.to_owned());
        let error = X11Source::open(X11Options { display, ..quiet() }).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("XAUTHORITY"), "{error}");
    }
}
