//! What the person does in the window, for the sharer.

use super::Window;
use anyhow::Result;
use farpane::input::{InputEvent, Keymap, WindowInput};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, KeyButMask,
};

/// What of mouse and keyboard is the sharer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hands {
    /// Nothing: keys are the window's own.
    Off,
    /// Where the pointer is while the left button is down. Keys are the window's own.
    Pointing,
    /// Everything, until Ctrl+Alt+Shift+Escape.
    Control,
}

/// Mouse and keyboard of the window.
pub(super) struct Input {
    hands: Hands,
    window: WindowInput,
    made: Vec<InputEvent>,
}

impl Window {
    /// Hands mouse and keyboard to the sharer, or takes them back: then everything is let go of.
    ///
    /// # Errors
    /// When the display went away or refuses.
    pub(crate) fn set_hands(&mut self, hands: Hands) -> Result<()> {
        let before = self.hands();
        if hands == before {
            return Ok(());
        }
        let mut mask = own_events();
        if hands != Hands::Off {
            mask = WindowInput::EVENTS.into_iter().fold(mask, |mask, event| mask | event);
        }
        let aux = ChangeWindowAttributesAux::new().event_mask(mask);
        self.conn.change_window_attributes(self.id, &aux)?;
        let picture = self.canvas.size().rect();
        match &mut self.input {
            Some(input) => {
                input.made.extend(input.window.set_on(false));
                drop(input.window.set_on(hands != Hands::Off));
                input.hands = hands;
            }
            none => {
                let window = WindowInput::new(&*self.conn, self.id, picture)?;
                *none = Some(Input { hands, window, made: Vec::new() });
            }
        }
        self.conn.flush()?;
        Ok(())
    }

    /// What of mouse and keyboard is the sharer's now.
    pub(crate) fn hands(&self) -> Hands {
        match &self.input {
            Some(input) if input.window.is_on() => input.hands,
            _ => Hands::Off,
        }
    }

    /// What the person did since the last call.
    pub(crate) fn take_input(&mut self) -> Vec<InputEvent> {
        self.input.as_mut().map(|input| std::mem::take(&mut input.made)).unwrap_or_default()
    }

    pub(super) fn has_input(&self) -> bool {
        self.input.as_ref().is_some_and(|input| !input.made.is_empty())
    }

    /// Takes an event for the sharer; whether it is the sharer's alone.
    pub(super) fn take_for_sharer(&mut self, event: &Event) -> Result<bool> {
        if let (Event::MappingNotify(_), Some(input)) = (event, &mut self.input) {
            input.window.set_keymap(Keymap::read(&*self.conn)?);
        }
        let hands = self.hands();
        let Some(input) = self.input.as_mut().filter(|_| hands != Hands::Off) else {
            return Ok(false);
        };
        let made = input.window.handle(event);
        let pointed = |event: &Event| match event {
            Event::MotionNotify(e) => e.state.contains(KeyButMask::BUTTON1),
            Event::ButtonPress(e) => e.detail == 1,
            _ => false,
        };
        match hands {
            Hands::Control => input.made.extend(made),
            _ if pointed(event) => {
                input.made.extend(made.filter(|event| matches!(event, InputEvent::Move { .. })));
            }
            _ => drop(made),
        }
        Ok(hands == Hands::Control && matches!(event, Event::KeyPress(_)))
    }

    /// The picture has another size.
    pub(super) fn follow_picture(&mut self) {
        let picture = self.canvas.size().rect();
        if let Some(input) = &mut self.input {
            input.window.set_picture(picture);
        }
    }
}

/// What a window hears of although nobody controls anything.
pub(super) fn own_events() -> EventMask {
    EventMask::EXPOSURE | EventMask::STRUCTURE_NOTIFY | EventMask::KEY_PRESS
}
