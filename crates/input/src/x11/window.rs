//! What a person does in the window that shows a sharer's screen, as input for the sharer.

use super::keymap::Keymap;
use crate::event::{Button, InputEvent, Wheel};
use crate::held::Held;
use crate::{InputError, Key};
use farpane_frame::Rect;
use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, BoolCtrl, ConnectionExt as _, PerClientFlag};
use x11rb::protocol::xproto::{
    ConnectionExt as _, EventMask, FocusInEvent, NotifyDetail, NotifyMode, Window,
};

/// Usages of the keys that end control together: Escape, and one each of Ctrl, Shift and Alt.
const ESCAPE: u8 = 0x29;
const CHORD: [[u32; 2]; 3] = [[0xe0, 0xe4], [0xe1, 0xe5], [0xe2, 0xe6]];

/// Turns the events of a window into [`InputEvent`]s in the sharer's pixels.
///
/// Nothing is grabbed: keys are the sharer's only while the window has the focus, and whoever
/// takes the focus away has the keyboard. Then everything is let go of. **Ctrl+Alt+Shift+Escape
/// ends control**: everything is let go of and nothing taken until
/// [`WindowInput::set_on`]; the Escape does not reach the sharer. Repeats of a key that stays
/// down are left out, because the sharer's own display repeats it.
///
/// The pointer counts where the picture is, and beyond its edge while a button is down.
#[derive(Clone, Debug)]
pub struct WindowInput {
    window: Window,
    keymap: Keymap,
    /// Where the picture lies in the window.
    picture: Rect,
    held: Held,
    place: Option<(i32, i32)>,
    focused: bool,
    on: bool,
}

impl WindowInput {
    /// What the window must have selected, besides what else it wants to hear of.
    pub const EVENTS: [EventMask; 6] = [
        EventMask::KEY_PRESS,
        EventMask::KEY_RELEASE,
        EventMask::BUTTON_PRESS,
        EventMask::BUTTON_RELEASE,
        EventMask::POINTER_MOTION,
        EventMask::FOCUS_CHANGE,
    ];

    /// Input of `window`, in which the picture lies unscaled at `picture` (in the window's
    /// pixels). It is on, and keys count while the window has the focus.
    ///
    /// # Errors
    /// When the display does not answer.
    pub fn new(conn: &impl Connection, window: Window, picture: Rect) -> Result<Self, InputError> {
        let keymap = Keymap::read(conn)?;
        let focused = begin(conn, window).map_err(|error| InputError::Display {
            display: "of the window".into(),
            reason: error.to_string(),
        })?;
        Ok(Self { window, keymap, picture, held: Held::default(), place: None, focused, on: true })
    }

    /// The picture lies elsewhere now, or has another size.
    pub fn set_picture(&mut self, picture: Rect) {
        self.picture = picture;
    }

    /// The display's keyboard is another one ([`Keymap::is_changed_by`]).
    pub fn set_keymap(&mut self, keymap: Keymap) {
        self.keymap = keymap;
    }

    /// Whether input is taken: until the person ends control.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Begins or ends taking input. When it ends, gives what lets go of everything.
    pub fn set_on(&mut self, on: bool) -> impl Iterator<Item = InputEvent> + use<> {
        self.on = on;
        self.place = None;
        let releases = if on { Vec::new() } else { self.held.release_all() };
        releases.into_iter()
    }

    /// What `event` means for the sharer; nothing for what is not of this window.
    pub fn handle(&mut self, event: &Event) -> impl Iterator<Item = InputEvent> + use<> {
        self.translate(event).into_iter()
    }

    fn translate(&mut self, event: &Event) -> Vec<InputEvent> {
        match event {
            Event::FocusIn(e) if e.event == self.window => {
                self.focused = is_focus(e);
                Vec::new()
            }
            Event::FocusOut(e) if e.event == self.window => self.lose_focus(),
            Event::UnmapNotify(e) if e.window == self.window => self.lose_focus(),
            Event::DestroyNotify(e) if e.window == self.window => self.lose_focus(),
            _ if !self.on => Vec::new(),
            Event::MotionNotify(e) if e.event == self.window => {
                self.point(e.event_x, e.event_y).unwrap_or_default()
            }
            Event::ButtonPress(e) if e.event == self.window => {
                let moved = self.point(e.event_x, e.event_y);
                moved.map_or_else(Vec::new, |moved| self.press(moved, e.detail))
            }
            Event::ButtonRelease(e) if e.event == self.window => {
                let release = button(e.detail).map(InputEvent::Release);
                let Some(release) = release.filter(|up| self.held.would_change(*up)) else {
                    return Vec::new();
                };
                let moved = self.point(e.event_x, e.event_y).unwrap_or_default();
                self.change(moved, release)
            }
            Event::KeyPress(e) if e.event == self.window && self.focused => {
                self.keymap.key(e.detail).map_or_else(Vec::new, |key| self.key_down(key))
            }
            Event::KeyRelease(e) if e.event == self.window => {
                let key = self.keymap.key(e.detail).map(InputEvent::KeyUp);
                key.map_or_else(Vec::new, |up| self.change(Vec::new(), up))
            }
            _ => Vec::new(),
        }
    }

    fn lose_focus(&mut self) -> Vec<InputEvent> {
        self.focused = false;
        self.place = None;
        self.held.release_all()
    }

    /// The pointer is at this place of the window. `None` outside of the picture, unless a button
    /// that went down inside is still down.
    fn point(&mut self, x: i16, y: i16) -> Option<Vec<InputEvent>> {
        let (x, y) = (i32::from(x) - self.picture.x as i32, i32::from(y) - self.picture.y as i32);
        let (right, bottom) = (self.picture.width as i32 - 1, self.picture.height as i32 - 1);
        let inside = (0..=right).contains(&x) && (0..=bottom).contains(&y);
        if !inside && !self.held.has_button() {
            return None;
        }
        let place = (x.min(right).max(0), y.min(bottom).max(0));
        let new = self.place.replace(place) != Some(place);
        Some(new.then_some(InputEvent::Move { x: place.0, y: place.1 }).into_iter().collect())
    }

    fn press(&mut self, mut moved: Vec<InputEvent>, number: u8) -> Vec<InputEvent> {
        let (right, down) = match number {
            4 => (0, -1),
            5 => (0, 1),
            6 => (-1, 0),
            7 => (1, 0),
            _ => {
                let button = button(number).map(InputEvent::Press);
                return button.map_or_else(Vec::new, |press| self.change(moved, press));
            }
        };
        moved.extend(Wheel::new(right, down).map(InputEvent::Wheel));
        moved
    }

    fn key_down(&mut self, key: Key) -> Vec<InputEvent> {
        let is_down = |usage| Key::new(usage).is_some_and(|key| self.held.has_key(key));
        let chord = || CHORD.iter().all(|either| either.iter().any(|usage| is_down(*usage)));
        if key.usage() == ESCAPE && chord() {
            return self.set_on(false).collect();
        }
        self.change(Vec::new(), InputEvent::KeyDown(key))
    }

    /// Adds what changes something.
    fn change(&mut self, mut before: Vec<InputEvent>, event: InputEvent) -> Vec<InputEvent> {
        if self.held.handle_event(event) {
            before.push(event);
        }
        before
    }
}

fn button(number: u8) -> Option<Button> {
    match number {
        1 => Some(Button::Left),
        2 => Some(Button::Middle),
        3 => Some(Button::Right),
        8 => Some(Button::Back),
        9 => Some(Button::Forward),
        _ => None,
    }
}

/// Whether the window itself has the keyboard now: not because the pointer happens to be there,
/// of whose leaving nobody would tell.
fn is_focus(event: &FocusInEvent) -> bool {
    event.mode != NotifyMode::GRAB && event.detail != NotifyDetail::POINTER
}

/// Asks for repeats of a key as presses alone: with releases between them, nobody could tell
/// them from a key that is hit again and again. Whether the window has the focus already.
fn begin(conn: &impl Connection, window: Window) -> Result<bool, ReplyError> {
    if conn.extension_information(xkb::X11_EXTENSION_NAME)?.is_some() {
        conn.xkb_use_extension(1, 0)?.reply()?;
        let (flag, none) = (PerClientFlag::DETECTABLE_AUTO_REPEAT, BoolCtrl::from(0_u32));
        let keyboard = xkb::ID::USE_CORE_KBD.into();
        conn.xkb_per_client_flags(keyboard, flag, flag, none, none, none)?.reply()?;
    }
    Ok(conn.get_input_focus()?.reply()?.focus == window)
}
