//! A private display, a program with a window on it, and an independent look at both.

use crate::permit::Permit;
use farpane_capture::Xvfb;
use farpane_frame::Size;
use farpane_input::{Button, Injector, InputBatch, InputEvent, Key, Wheel};
use farpane_policy::Reach;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateWindowAux, EventMask, ImageFormat, InputFocus, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

pub(crate) const SIZE: Size = Size::new(640, 480);
/// Longer than anything takes; a test that waits this long fails.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// The permission's number in most tests.
pub(crate) const EPOCH: u64 = 7;

/// What a program with a window was told, without times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Move(i16, i16),
    Button(u8, bool),
    Key(u8, bool),
}

/// All that input can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    keys: Vec<u8>,
    pointer: (i16, i16, u16),
    picture: Vec<u8>,
}

/// A display with a program that has a window over all of it, and the keyboard.
pub(crate) struct Desk {
    // The client leaves before the server ends.
    pub(crate) conn: RustConnection,
    pub(crate) root: Window,
    pub(crate) window: Window,
    server: Xvfb,
}

impl Desk {
    pub(crate) fn start() -> Self {
        let server = Xvfb::start(SIZE, 24).unwrap_or_else(|e| panic!("{e}"));
        let (conn, screen) = RustConnection::connect(Some(server.display())).unwrap();
        let root = conn.setup().roots[screen].root;
        let window = conn.generate_id().unwrap();
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::POINTER_MOTION
            | EventMask::FOCUS_CHANGE
            | EventMask::EXPOSURE;
        let aux = CreateWindowAux::new().event_mask(events).override_redirect(1);
        let aux = aux.background_pixel(0x0020_4060);
        let class = WindowClass::INPUT_OUTPUT;
        // Larger than the screen, so that it covers it after a resize too.
        conn.create_window(0, window, root, 0, 0, 2_000, 2_000, 0, class, 0, &aux).unwrap();
        conn.map_window(window).unwrap();
        conn.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME).unwrap();
        let desk = Self { conn, root, window, server };
        desk.sync();
        desk.seen();
        desk
    }

    pub(crate) fn display(&self) -> &str {
        self.server.display()
    }

    /// Waits until the server has done all that this program asked of it.
    pub(crate) fn sync(&self) {
        self.conn.sync().unwrap();
        self.conn.sync().unwrap();
    }

    /// What the window was told since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.sync();
        let next = || self.conn.poll_for_event().unwrap();
        std::iter::from_fn(next).filter_map(|event| seen(&event)).collect()
    }

    /// Waits until the window was told of `count` things; gives all that it was told.
    pub(crate) fn await_seen(&self, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + LONG;
        let mut all = self.seen();
        while all.len() < count {
            assert!(Instant::now() < deadline, "only {all:?}");
            all.extend(self.seen());
        }
        // What is too much comes at once after it.
        all.extend(self.seen());
        all
    }

    /// Waits until the pointer is there.
    #[track_caller]
    pub(crate) fn await_pointer(&self, x: i16, y: i16) {
        let begin = Instant::now();
        while (self.pointer().0, self.pointer().1) != (x, y) {
            assert!(begin.elapsed() < LONG, "at {:?}, not {x} {y}", self.pointer());
        }
    }

    /// Which keycodes are down.
    pub(crate) fn keys_down(&self) -> Vec<u8> {
        let bits = self.conn.query_keymap().unwrap().reply().unwrap().keys;
        let is_down = |code: &u8| bits[usize::from(code / 8)] & (1 << (code % 8)) != 0;
        (0..=255).filter(is_down).collect()
    }

    /// Where the pointer is, and which modifiers and buttons are down.
    pub(crate) fn pointer(&self) -> (i16, i16, u16) {
        let reply = self.conn.query_pointer(self.root).unwrap().reply().unwrap();
        (reply.root_x, reply.root_y, reply.mask.into())
    }

    pub(crate) fn state(&self) -> State {
        self.sync();
        let (w, h) = (SIZE.width_px as u16, SIZE.height_px as u16);
        let image = self.conn.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, w, h, !0);
        let picture = image.unwrap().reply().unwrap().data;
        State { keys: self.keys_down(), pointer: self.pointer(), picture }
    }

    /// Nothing is down: no key, no button, no modifier.
    #[track_caller]
    pub(crate) fn assert_nothing_down(&self) {
        self.sync();
        assert_eq!(self.keys_down(), [] as [u8; 0], "keys are down");
        assert_eq!(self.pointer().2, 0, "buttons or modifiers are down");
    }

    /// Waits until nothing is down; gives how long that took.
    #[track_caller]
    pub(crate) fn await_nothing_down(&self) -> Duration {
        let begin = Instant::now();
        while !self.keys_down().is_empty() || self.pointer().2 != 0 {
            assert!(begin.elapsed() < LONG, "down: {:?} {:?}", self.keys_down(), self.pointer());
        }
        begin.elapsed()
    }

    /// Gives the display the layout of this country.
    pub(crate) fn set_layout(&self, layout: &str) {
        let mut set = Command::new("setxkbmap");
        set.args(["-display", self.display(), "-layout", layout]).stderr(Stdio::null());
        assert!(set.status().unwrap().success(), "setxkbmap is in Debian's x11-xkb-utils");
        self.sync();
    }

    /// What the key writes without any modifier.
    pub(crate) fn keysym(&self, keycode: u8) -> u32 {
        self.conn.get_keyboard_mapping(keycode, 1).unwrap().reply().unwrap().keysyms[0]
    }

    /// Makes `width` by `height` the size of the screen.
    pub(crate) fn resize(&self, width: u16, height: u16) {
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
            assert_eq!(set.unwrap().reply().unwrap().status, randr::SetConfig::SUCCESS);
        };
        set(x11rb::NONE, &[]);
        let sized = self.conn.randr_set_screen_size(self.root, width, height, 300, 200);
        sized.unwrap().check().unwrap();
        set(mode, &[output]);
        self.sync();
    }

    /// An injector with full control, and the session that allows it.
    pub(crate) fn injector(&self) -> (Injector, Permit) {
        let permit = Permit::new(Reach::Full);
        (Injector::open(Some(self.display()), permit.token()).unwrap(), permit)
    }
}

fn seen(event: &Event) -> Option<Seen> {
    Some(match event {
        Event::MotionNotify(e) => Seen::Move(e.root_x, e.root_y),
        Event::ButtonPress(e) => Seen::Button(e.detail, true),
        Event::ButtonRelease(e) => Seen::Button(e.detail, false),
        Event::KeyPress(e) => Seen::Key(e.detail, true),
        Event::KeyRelease(e) => Seen::Key(e.detail, false),
        _ => return None,
    })
}

pub(crate) fn key(usage: u32) -> Key {
    Key::new(usage).unwrap()
}

pub(crate) fn down(usage: u32) -> InputEvent {
    InputEvent::KeyDown(key(usage))
}

pub(crate) fn up(usage: u32) -> InputEvent {
    InputEvent::KeyUp(key(usage))
}

pub(crate) fn place(x: i32, y: i32) -> InputEvent {
    InputEvent::Move { x, y }
}

pub(crate) fn wheel(right: i32, down: i32) -> InputEvent {
    InputEvent::Wheel(Wheel::new(right, down).unwrap())
}

pub(crate) fn batch(epoch: u64, events: &[InputEvent]) -> InputBatch {
    let mut batch = InputBatch::new(epoch);
    assert!(events.iter().all(|event| batch.push(*event)), "too many for a batch");
    batch
}

/// An event of every kind, each of which would change something.
pub(crate) fn every_kind() -> Vec<InputEvent> {
    let mut all = vec![place(11, 17), wheel(0, 1), wheel(0, -1), wheel(1, 0), wheel(-1, 0)];
    all.extend(Button::ALL.map(InputEvent::Press));
    all.extend(Button::ALL.map(InputEvent::Release));
    // A letter, Enter, Delete, an arrow, a modifier, Caps Lock, a GUI key, Power.
    for usage in [0x04, 0x28, 0x4c, 0x4f, 0xe0, 0x39, 0xe3, 0x66] {
        all.extend([down(usage), up(usage)]);
    }
    all
}
