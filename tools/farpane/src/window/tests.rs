//! The window on real displays: what it shows is read back through another connection.

use super::*;
use crate::desktop::Desktop;
use farpane_capture::{CursorShape, Xvfb};
use x11rb::protocol::xproto::{
    ClientMessageEvent, EventMask, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;

const SIZE: Size = Size::new(320, 200);

/// Somebody else on the display.
struct Onlooker {
    conn: RustConnection,
    root: u32,
}

impl Onlooker {
    fn on(display: &str) -> Self {
        let (conn, screen) = RustConnection::connect(Some(display)).unwrap();
        let root = conn.setup().roots[screen].root;
        Self { conn, root }
    }

    /// What `area` of the display shows, as red, green, blue.
    fn sees(&self, area: Rect) -> Vec<[u8; 3]> {
        let (x, y) = (area.x as i16, area.y as i16);
        let (w, h) = (area.width as u16, area.height as u16);
        let image = self
            .conn
            .get_image(ImageFormat::Z_PIXMAP, self.root, x, y, w, h, !0)
            .unwrap()
            .reply()
            .unwrap();
        if image.depth == 16 {
            let rows = image.data.chunks_exact((area.width as usize * 2).next_multiple_of(4));
            let pixels = rows.flat_map(|r| r[..area.width as usize * 2].chunks_exact(2));
            let values = pixels.map(|p| u16::from_le_bytes([p[0], p[1]]));
            return values
                .map(|v| [(v >> 11) as u8, (v >> 5 & 63) as u8, (v & 31) as u8])
                .collect();
        }
        image.data.chunks_exact(4).map(|p| [p[2], p[1], p[0]]).collect()
    }

    /// Covers the top left corner of the display with a window that no manager sees.
    fn cover(&self, side: u16) -> u32 {
        let id = self.conn.generate_id().unwrap();
        let aux = CreateWindowAux::new().override_redirect(1).background_pixel(0x00ff_00ff);
        let class = WindowClass::INPUT_OUTPUT;
        self.conn.create_window(0, id, self.root, 0, 0, side, side, 0, class, 0, &aux).unwrap();
        self.conn.map_window(id).unwrap();
        self.settle();
        id
    }

    fn press(&self, key: &str) {
        let keysym = match key {
            "q" => 0x71,
            "F11" => 0xffc8,
            _ => 0xff1b,
        };
        let setup = self.conn.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.conn.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let columns = map.keysyms_per_keycode as usize;
        let at = map.keysyms.chunks(columns).position(|k| k[0] == keysym).unwrap();
        for kind in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
            self.conn.xtest_fake_input(kind, first + at as u8, 0, self.root, 0, 0, 0).unwrap();
        }
        self.settle();
    }

    fn settle(&self) {
        self.conn.get_input_focus().unwrap().reply().unwrap();
    }
}

fn display(depth: u8) -> (Xvfb, Onlooker) {
    let xvfb = Xvfb::start(Size::new(640, 480), depth).unwrap();
    let onlooker = Onlooker::on(xvfb.display());
    (xvfb, onlooker)
}

fn options(size: Size, fullscreen: bool) -> WindowOptions {
    WindowOptions { title: "a screen".to_owned(), size, fullscreen }
}

fn open(display: &str, size: Size, fullscreen: bool) -> Window {
    Window::open(Some(display), &options(size, fullscreen)).unwrap()
}

fn noise(size: Size, mut seed: u32) -> FrameBuf {
    let mut frame = FrameBuf::new(size, PixelFormat::Bgrx).unwrap();
    for p in frame.data_mut().chunks_exact_mut(4) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        p.copy_from_slice(&seed.to_be_bytes());
    }
    frame
}

fn colours(frame: &FrameBuf, area: Rect) -> Vec<[u8; 3]> {
    let view = frame.view();
    let rows = area.y..area.bottom();
    rows.flat_map(|y| (area.x..area.right()).map(move |x| view.rgb(x, y))).collect()
}

impl Window {
    /// Waits until the display has done all it was told.
    fn settle(&self) {
        self.conn.get_input_focus().unwrap().reply().unwrap();
    }

    /// Waits for an event that `wanted` accepts; gives all until then.
    fn await_event(&mut self, wanted: impl Fn(&WindowEvent) -> bool) -> Vec<WindowEvent> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut all = Vec::new();
        while !all.iter().any(&wanted) {
            assert!(Instant::now() < deadline, "only {all:?}");
            self.wait(Some(Duration::from_secs(10))).unwrap();
            all.extend(self.events().unwrap());
        }
        self.settle();
        all
    }
}

/// The window shows `frame` and nothing else at the display's corner.
#[track_caller]
fn assert_shows(onlooker: &Onlooker, window: &Window, frame: &FrameBuf) {
    window.settle();
    let area = frame.size().rect();
    assert!(onlooker.sees(area) == colours(frame, area), "the display shows something else");
}

#[test]
fn damage_and_only_damage_is_shown_exactly() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    assert!(window.canvas.is_shared());
    let mut shown = noise(SIZE, 1);
    window.present(&shown.view(), &[SIZE.rect()]).unwrap();
    assert_shows(&onlooker, &window, &shown);
    let next = noise(SIZE, 2);
    let damage = [Rect::new(64, 64, 64, 64), Rect::new(3, 5, 7, 1), Rect::new(300, 190, 500, 500)];
    window.present(&next.view(), &damage).unwrap();
    for area in damage {
        shown.copy_from(&next.view(), area);
    }
    assert_shows(&onlooker, &window, &shown);
    window.present(&next.view(), &[]).unwrap();
    assert_shows(&onlooker, &window, &shown);
}

#[test]
fn many_pictures_in_a_row_end_in_the_last() {
    let (xvfb, onlooker) = display(24);
    let size = Size::new(640, 480);
    let mut window = open(xvfb.display(), size, false);
    let frames = [noise(size, 1), noise(size, 2), noise(size, 3)];
    for frame in frames.iter().cycle().take(48) {
        window.present(&frame.view(), &[size.rect()]).unwrap();
    }
    assert_shows(&onlooker, &window, &frames[2]);
    let grid = farpane_frame::TileGrid::new(size);
    for frame in frames.iter().cycle().take(31) {
        let tiles: Vec<Rect> = (0..grid.tiles()).map(|t| grid.rect(t)).collect();
        window.present(&frame.view(), &tiles).unwrap();
    }
    assert_shows(&onlooker, &window, &frames[0]);
}

#[test]
fn a_display_without_shared_memory_shows_the_same() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    window.canvas.unshare();
    let mut shown = noise(SIZE, 1);
    window.present(&shown.view(), &[SIZE.rect()]).unwrap();
    let next = noise(SIZE, 2);
    let damage = Rect::new(13, 0, 111, 200);
    window.present(&next.view(), &[damage]).unwrap();
    shown.copy_from(&next.view(), damage);
    assert_shows(&onlooker, &window, &shown);
}

#[test]
fn a_display_of_16_bits_shows_the_nearest_colours() {
    let (xvfb, onlooker) = display(16);
    for shared in [true, false] {
        let size = Size::new(33, 20);
        let mut window = open(xvfb.display(), size, false);
        if !shared {
            window.canvas.unshare();
        }
        let mut frame = noise(size, 4);
        window.present(&frame.view(), &[size.rect()]).unwrap();
        let damage = Rect::new(7, 3, 9, 11);
        let next = noise(size, 5);
        frame.copy_from(&next.view(), damage);
        window.present(&next.view(), &[damage]).unwrap();
        window.set_cursor(Some(arrow(20, 10))).unwrap();
        window.set_cursor(None).unwrap();
        window.settle();
        let expected: Vec<_> =
            colours(&frame, size.rect()).iter().map(|[r, g, b]| [r >> 3, g >> 2, b >> 3]).collect();
        assert!(onlooker.sees(size.rect()) == expected);
    }
}

#[test]
fn frames_in_another_order_of_bytes_are_shown_alike() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    let mut rgba = noise(SIZE, 5);
    rgba.reshape(SIZE, PixelFormat::Rgba).unwrap();
    window.present(&rgba.view(), &[SIZE.rect()]).unwrap();
    assert_shows(&onlooker, &window, &rgba);
}

#[test]
fn a_picture_of_another_size_resizes_the_window() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    window.present(&noise(SIZE, 1).view(), &[SIZE.rect()]).unwrap();
    let larger = Size::new(500, 300);
    let frame = noise(larger, 2);
    window.present(&frame.view(), &[]).unwrap();
    window.await_event(|e| *e == WindowEvent::Resized(larger));
    window.events().unwrap();
    assert_shows(&onlooker, &window, &frame);
    let smaller = Size::new(100, 77);
    let frame = noise(smaller, 3);
    window.present(&frame.view(), &[]).unwrap();
    window.await_event(|e| *e == WindowEvent::Resized(smaller));
    assert_shows(&onlooker, &window, &frame);
    assert!(window.resize_picture(Size::new(0, 5)).is_err());
}

#[test]
fn what_was_covered_is_drawn_again() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    let frame = noise(SIZE, 1);
    window.present(&frame.view(), &[SIZE.rect()]).unwrap();
    window.set_cursor(Some(arrow(20, 20))).unwrap();
    window.settle();
    let before = onlooker.sees(SIZE.rect());
    let cover = onlooker.cover(100);
    assert!(onlooker.sees(SIZE.rect()) != before);
    onlooker.conn.destroy_window(cover).unwrap();
    onlooker.settle();
    window.await_event(|e| *e == WindowEvent::Exposed);
    assert!(onlooker.sees(SIZE.rect()) == before);
    window.set_cursor(None).unwrap();
    assert_shows(&onlooker, &window, &frame);
}

#[test]
fn fullscreen_without_a_manager_begins_at_the_corner() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, true);
    let frame = noise(SIZE, 1);
    window.present(&frame.view(), &[SIZE.rect()]).unwrap();
    assert_shows(&onlooker, &window, &frame);
    let right_of_it = Rect::new(SIZE.width_px, 0, 640 - SIZE.width_px, 480);
    assert!(onlooker.sees(right_of_it).iter().all(|p| *p == [0; 3]));
    onlooker.press("F11");
    window.await_event(|e| *e == WindowEvent::Resized(SIZE));
    assert!(!window.fullscreen);
    assert_shows(&onlooker, &window, &frame);
}

#[test]
fn fullscreen_under_a_manager_is_undecorated_and_on_top() {
    let size = Size::new(640, 480);
    let desktop = Desktop::start(size).unwrap();
    let onlooker = Onlooker::on(desktop.display());
    assert!(has_manager(&onlooker.conn, onlooker.root).unwrap(), "this test needs openbox");
    let mut other = open(desktop.display(), SIZE, false);
    other.present(&noise(SIZE, 9).view(), &[SIZE.rect()]).unwrap();
    other.settle();
    assert!(onlooker.sees(size.rect()).iter().any(|p| *p != [0; 3]));
    let mut window = open(desktop.display(), size, true);
    let frame = noise(size, 1);
    window.present(&frame.view(), &[size.rect()]).unwrap();
    assert_shows(&onlooker, &window, &frame);
    let frame = noise(SIZE, 2);
    window.present(&frame.view(), &[]).unwrap();
    assert_shows(&onlooker, &window, &frame);
    window.set_fullscreen(false).unwrap();
    window.await_event(|e| *e == WindowEvent::Resized(SIZE));
    window.set_fullscreen(true).unwrap();
    window.await_event(|e| *e == WindowEvent::Resized(size));
    window.events().unwrap();
    assert_shows(&onlooker, &window, &frame);
}

#[test]
fn the_close_button_and_keys_are_told() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, true);
    let data = [window.atoms.WM_DELETE_WINDOW, 0, 0, 0, 0];
    let close = ClientMessageEvent::new(32, window.id, window.atoms.WM_PROTOCOLS, data);
    onlooker.conn.send_event(false, window.id, EventMask::NO_EVENT, close).unwrap();
    onlooker.settle();
    assert_eq!(window.await_event(|_| true), [WindowEvent::Close]);
    onlooker.press("q");
    assert_eq!(window.await_event(|_| true), [WindowEvent::Close]);
    onlooker.press("Escape");
    let events = window.await_event(|e| matches!(e, WindowEvent::Resized(_)));
    assert!(events.contains(&WindowEvent::ToggleFullscreen) && !window.fullscreen);
    onlooker.press("Escape");
    window.await_event(|e| *e == WindowEvent::Close);
}

fn arrow(x: i32, y: i32) -> CursorImage {
    let alphas = [0u8, 60, 128, 255];
    let bgra = (0..16 * 12).flat_map(|i| {
        let alpha = alphas[i % 4];
        [alpha / 2, alpha, alpha / 3, alpha]
    });
    let bgra = bgra.collect();
    let shape = CursorShape { serial: 7, width: 16, height: 12, hot_x: 3, hot_y: 2, bgra };
    CursorImage { x, y, shape: Arc::new(shape) }
}

/// The picture with the pointer, as the window should show it.
fn with_cursor(frame: &FrameBuf, cursor: &CursorImage) -> FrameBuf {
    let (mut all, area) = (frame.clone(), cursor.area(frame.size()));
    let mut part = FrameBuf::new(Size::new(1, 1), PixelFormat::Bgrx).unwrap();
    if !area.is_empty() {
        cursor.blend(&frame.view(), area, &mut part).unwrap();
    }
    for y in 0..area.height {
        let row = part.view().span(0, y, area.width);
        all.span_mut(area.x, area.y + y, area.width).copy_from_slice(row);
    }
    all
}

#[test]
fn the_remote_pointer_lies_over_the_picture_and_leaves_no_trace() {
    let (xvfb, onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    let mut frame = noise(SIZE, 1);
    window.present(&frame.view(), &[SIZE.rect()]).unwrap();
    let places = [(50, 60), (53, 61), (0, 0), (319, 199), (-100, 5), (200, 100), (330, 50)];
    for (step, (x, y)) in places.into_iter().enumerate() {
        let cursor = arrow(x, y);
        window.set_cursor(Some(cursor.clone())).unwrap();
        assert_shows(&onlooker, &window, &with_cursor(&frame, &cursor));
        frame = noise(SIZE, 100 + step as u32);
        window.present(&frame.view(), &[SIZE.rect()]).unwrap();
        assert_shows(&onlooker, &window, &with_cursor(&frame, &cursor));
    }
    let cursor = arrow(90, 90);
    window.set_cursor(Some(cursor.clone())).unwrap();
    let smaller = noise(Size::new(95, 92), 50);
    window.present(&smaller.view(), &[]).unwrap();
    window.await_event(|e| matches!(e, WindowEvent::Resized(_)));
    assert_shows(&onlooker, &window, &with_cursor(&smaller, &cursor));
    window.set_cursor(None).unwrap();
    assert_shows(&onlooker, &window, &smaller);
}

#[test]
fn a_ring_from_another_thread_ends_the_wait() {
    let (xvfb, _onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    let waker = window.waker();
    let thread = std::thread::spawn(move || waker.ring());
    window.wait(None).unwrap();
    thread.join().unwrap();
    window.waker().ring();
    window.wait(None).unwrap();
    let begin = Instant::now();
    window.wait(Some(Duration::from_millis(30))).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(30), "no ring is left");
}

#[test]
fn a_display_that_dies_is_an_error_that_says_so() {
    let (xvfb, _onlooker) = display(24);
    let mut window = open(xvfb.display(), SIZE, false);
    drop(xvfb);
    let error = loop {
        if let Err(error) = window.wait(Some(Duration::from_secs(10))) {
            break error;
        }
    };
    assert!(format!("{error:#}").contains("the display went away"), "{error:#}");
    let frame = noise(SIZE, 1);
    assert!(window.present(&frame.view(), &[SIZE.rect()]).is_err());
    let error = Window::open(Some(":6543"), &options(SIZE, false)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("cannot open the display :6543"), "{error:#}");
}
