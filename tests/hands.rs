//! Mouse and keyboard of a private display, and what is down on it.

use crate::Desk;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateWindowAux, EventMask, InputFocus, Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::wrapper::ConnectionExt as _;

/// Types of events (X11 protocol, encoding).
const KEY_PRESS: u8 = 2;
const KEY_RELEASE: u8 = 3;
const BUTTON_PRESS: u8 = 4;
const BUTTON_RELEASE: u8 = 5;
const MOTION: u8 = 6;

impl Desk {
    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) {
        let conn = self.connection();
        conn.xtest_fake_input(kind, detail, 0, self.root(), x, y, 0).expect("a request");
        conn.sync().expect("a display that runs");
    }

    /// The person at this display moves the mouse there.
    ///
    /// # Panics
    /// When the display is gone, as all of these.
    pub fn point(&self, x: i16, y: i16) {
        self.fake(MOTION, 0, (x, y));
    }

    /// The person presses a button, or lets go of it.
    pub fn button(&self, number: u8, down: bool) {
        self.fake(if down { BUTTON_PRESS } else { BUTTON_RELEASE }, number, (0, 0));
    }

    /// The person presses the key with this code, or lets go of it.
    pub fn key(&self, code: u8, down: bool) {
        self.fake(if down { KEY_PRESS } else { KEY_RELEASE }, code, (0, 0));
    }

    /// Where the pointer is.
    pub fn pointer(&self) -> (i16, i16) {
        let pointer = self.connection().query_pointer(self.root()).expect("a request").reply();
        let pointer = pointer.expect("a display that runs");
        (pointer.root_x, pointer.root_y)
    }

    /// The codes of the keys that are down, and the buttons' bits.
    pub fn down(&self) -> (Vec<u8>, u16) {
        let keys = self.connection().query_keymap().expect("a request").reply();
        let keys = keys.expect("a display that runs").keys;
        let is_down = |code: &u8| keys[usize::from(code / 8)] >> (code % 8) & 1 == 1;
        let pointer = self.connection().query_pointer(self.root()).expect("a request").reply();
        let mask = u16::from(pointer.expect("a display that runs").mask);
        ((8..=255).filter(is_down).collect(), mask >> 8 & 0x1f)
    }

    /// A window over all of the display that has the keyboard and hears all that is done.
    pub fn listen(&self) -> Window {
        let conn = self.connection();
        let (id, size) = (conn.generate_id().expect("a name"), self.size());
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::POINTER_MOTION;
        let look = CreateWindowAux::new().event_mask(events).override_redirect(1);
        let (width, height) = (size.width_px as u16, size.height_px as u16);
        let class = WindowClass::INPUT_ONLY;
        conn.create_window(0, id, self.root(), 0, 0, width, height, 0, class, 0, &look)
            .expect("a request");
        conn.map_window(id).expect("a request");
        conn.set_input_focus(InputFocus::PARENT, id, x11rb::CURRENT_TIME).expect("a request");
        conn.sync().expect("a display that runs");
        id
    }

    /// How many events came since the last call, of all kinds.
    pub fn heard(&self) -> usize {
        self.connection().sync().expect("a display that runs");
        std::iter::from_fn(|| self.connection().poll_for_event().expect("a display that runs"))
            .count()
    }
}
