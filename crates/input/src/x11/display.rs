//! A display whose mouse and keyboard are moved, by the XTEST extension.

use super::keymap::Keymap;
use crate::{Button, InputError, Key};
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    self, ChangeWindowAttributesAux, ConnectionExt as _, EventMask, Keycode, Window,
};
use x11rb::protocol::xtest::{self, ConnectionExt as _};
use x11rb::reexports::x11rb_protocol::parse_display::parse_display;
use x11rb::rust_connection::RustConnection;

/// Displays above this number would need a TCP port that does not exist.
const MAX_DISPLAY: u16 = u16::MAX - 6000;
/// The most rows or columns that X has names for.
const MAX_SIDE_PX: u16 = i16::MAX as u16;

/// A connection of its own.
#[derive(Debug)]
pub(super) struct Display {
    conn: RustConnection,
    root: Window,
    width_px: u16,
    height_px: u16,
    keymap: Keymap,
    /// What the person made of the mouse's buttons: `buttons[n - 1]` is what the `n`th does.
    buttons: Vec<u8>,
}

impl Display {
    pub(super) fn open(name: &str) -> Result<Self, InputError> {
        let refused = |reason: String| InputError::Display { display: name.to_owned(), reason };
        let parsed = parse_display(Some(name)).map_err(|e| refused(e.to_string()))?;
        if parsed.display > MAX_DISPLAY {
            return Err(refused(format!("display numbers end at {MAX_DISPLAY}")));
        }
        let (conn, screen) =
            RustConnection::connect(Some(name)).map_err(|e| refused(e.to_string()))?;
        let xtest = conn.extension_information(xtest::X11_EXTENSION_NAME);
        if xtest.map_err(|e| refused(e.to_string()))?.is_none() {
            return Err(InputError::Unsupported { display: name.into(), what: "XTEST extension" });
        }
        Self::begin(conn, screen).map_err(|e| refused(e.to_string()))
    }

    fn begin(conn: RustConnection, screen: usize) -> Result<Self, ReplyError> {
        let root = conn.setup().roots[screen].root;
        conn.xtest_get_version(2, 2)?.reply()?;
        // A program that holds the server for itself must not keep keys from being let go of.
        conn.xtest_grab_control(true)?.check()?;
        let structure = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        conn.change_window_attributes(root, &structure)?.check()?;
        if conn.extension_information(randr::X11_EXTENSION_NAME)?.is_some() {
            conn.randr_query_version(1, 5)?.reply()?;
            conn.randr_select_input(root, randr::NotifyMask::SCREEN_CHANGE)?.check()?;
        }
        let (keymap, buttons) = (Keymap::ask(&conn)?, buttons(&conn)?);
        let mut display = Self { conn, root, width_px: 1, height_px: 1, keymap, buttons };
        display.measure()?;
        Ok(display)
    }

    /// Takes in what the display has said: another size, other keys, other buttons. Waits for it
    /// only after one of these.
    pub(super) fn catch_up(&mut self) -> Result<(), ReplyError> {
        let (mut size, mut map) = (false, false);
        while let Some(event) = self.conn.poll_for_event()? {
            match event {
                Event::RandrScreenChangeNotify(_) => size = true,
                Event::ConfigureNotify(event) => size |= event.window == self.root,
                event => map |= Keymap::is_changed_by(&event),
            }
        }
        if size {
            self.measure()?;
        }
        if map {
            self.keymap = Keymap::ask(&self.conn)?;
            self.buttons = buttons(&self.conn)?;
        }
        Ok(())
    }

    /// The pixel of the screen that is nearest to this place.
    pub(super) fn nearest(&self, x: i32, y: i32) -> (u16, u16) {
        let within = |at: i32, side_px: u16| at.clamp(0, i32::from(side_px) - 1) as u16;
        (within(x, self.width_px), within(y, self.height_px))
    }

    /// The display's number of the key.
    pub(super) fn key_code(&self, key: Key) -> Option<Keycode> {
        self.keymap.keycode(key)
    }

    /// The display's number of the button.
    pub(super) fn button_code(&self, button: Button) -> Option<u8> {
        self.code_of(match button {
            Button::Left => 1,
            Button::Middle => 2,
            Button::Right => 3,
            Button::Back => 8,
            Button::Forward => 9,
        })
    }

    /// The display's numbers of one click right or left, down or up. X takes them for buttons.
    pub(super) fn wheel_codes(&self, right: i32, down: i32) -> [Option<u8>; 2] {
        let across = if right > 0 { 7 } else { 6 };
        [self.code_of(across), self.code_of(if down > 0 { 5 } else { 4 })]
    }

    /// The button that does what the one of this number does where nobody changed anything.
    fn code_of(&self, number: u8) -> Option<u8> {
        let at = self.buttons.iter().position(|does| *does == number)?;
        u8::try_from(at + 1).ok()
    }

    pub(super) fn point(&self, (x, y): (u16, u16)) -> Result<(), ReplyError> {
        let (kind, root) = (xproto::MOTION_NOTIFY_EVENT, self.root);
        self.conn.xtest_fake_input(kind, 0, 0, root, x as i16, y as i16, 0)?;
        Ok(())
    }

    pub(super) fn button(&self, code: u8, down: bool) -> Result<(), ReplyError> {
        let kind = if down { xproto::BUTTON_PRESS_EVENT } else { xproto::BUTTON_RELEASE_EVENT };
        self.conn.xtest_fake_input(kind, code, 0, x11rb::NONE, 0, 0, 0)?;
        Ok(())
    }

    pub(super) fn key(&self, code: Keycode, down: bool) -> Result<(), ReplyError> {
        let kind = if down { xproto::KEY_PRESS_EVENT } else { xproto::KEY_RELEASE_EVENT };
        self.conn.xtest_fake_input(kind, code, 0, x11rb::NONE, 0, 0, 0)?;
        Ok(())
    }

    /// Sends what was asked for.
    pub(super) fn flush(&self) -> Result<(), ReplyError> {
        Ok(self.conn.flush()?)
    }

    /// Waits until the display has done all that was asked for.
    pub(super) fn settle(&self) -> Result<(), ReplyError> {
        self.conn.get_input_focus()?.reply()?;
        Ok(())
    }

    fn measure(&mut self) -> Result<(), ReplyError> {
        let size = self.conn.get_geometry(self.root)?.reply()?;
        self.width_px = size.width.clamp(1, MAX_SIDE_PX);
        self.height_px = size.height.clamp(1, MAX_SIDE_PX);
        Ok(())
    }
}

fn buttons(conn: &RustConnection) -> Result<Vec<u8>, ReplyError> {
    Ok(conn.get_pointer_mapping()?.reply()?.map)
}
