//! What is down now.

use crate::event::{Button, InputEvent};
use crate::key::Key;

/// The most buttons and keys that are down at once: more than two hands hold.
pub const MAX_HELD: usize = 32;

/// The buttons and keys that are down, in the order in which they went down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    buttons: Vec<Button>,
    keys: Vec<Key>,
}

impl Held {
    /// Takes in what was done. Whether it changes what is down: a press of what is down, a
    /// release of what is not, and a press beyond [`MAX_HELD`] do not. Moves and the wheel
    /// always say yes.
    pub fn handle_event(&mut self, event: InputEvent) -> bool {
        let room = self.len() < MAX_HELD;
        match event {
            InputEvent::Move { .. } | InputEvent::Wheel(_) => true,
            InputEvent::Press(button) => room && insert(&mut self.buttons, button),
            InputEvent::Release(button) => remove(&mut self.buttons, button),
            InputEvent::KeyDown(key) => room && insert(&mut self.keys, key),
            InputEvent::KeyUp(key) => remove(&mut self.keys, key),
        }
    }

    /// Whether this would change what is down, as [`Held::handle_event`] says.
    pub fn would_change(&self, event: InputEvent) -> bool {
        let room = self.len() < MAX_HELD;
        match event {
            InputEvent::Move { .. } | InputEvent::Wheel(_) => true,
            InputEvent::Press(button) => room && !self.buttons.contains(&button),
            InputEvent::Release(button) => self.buttons.contains(&button),
            InputEvent::KeyDown(key) => room && !self.keys.contains(&key),
            InputEvent::KeyUp(key) => self.keys.contains(&key),
        }
    }

    /// How many buttons and keys are down.
    pub fn len(&self) -> usize {
        self.buttons.len() + self.keys.len()
    }

    /// Whether nothing is down.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a button is down.
    pub fn has_button(&self) -> bool {
        !self.buttons.is_empty()
    }

    /// Whether this key is down.
    pub fn has_key(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// Lets go of everything, in this order: buttons, so that a drag ends as what it was begun;
    /// keys; modifiers, so that no key ends without them. Of each kind the last first.
    pub fn release_all(&mut self) -> Vec<InputEvent> {
        let (buttons, keys) = (std::mem::take(&mut self.buttons), std::mem::take(&mut self.keys));
        let (modifiers, others): (Vec<Key>, Vec<Key>) =
            keys.into_iter().rev().partition(|key| key.is_modifier());
        let buttons = buttons.into_iter().rev().map(InputEvent::Release);
        buttons.chain(others.into_iter().chain(modifiers).map(InputEvent::KeyUp)).collect()
    }
}

fn insert<T: PartialEq>(all: &mut Vec<T>, one: T) -> bool {
    let new = !all.contains(&one);
    if new {
        all.push(one);
    }
    new
}

fn remove<T: PartialEq>(all: &mut Vec<T>, one: T) -> bool {
    let at = all.iter().position(|known| *known == one);
    at.map(|at| all.remove(at)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use InputEvent::{KeyDown, KeyUp, Press, Release};

    fn key(usage: u32) -> Key {
        Key::new(usage).unwrap()
    }

    fn usages(events: &[InputEvent]) -> Vec<u32> {
        let number = |event: &InputEvent| match event {
            Release(button) => button.number().into(),
            KeyUp(key) => key.usage().into(),
            _ => panic!("not a release"),
        };
        events.iter().map(number).collect()
    }

    #[test]
    fn everything_is_let_go_of_buttons_first_and_modifiers_last() {
        let mut held = Held::default();
        for event in [
            KeyDown(key(0xe0)),
            Press(Button::Left),
            KeyDown(key(0x04)),
            KeyDown(key(0xe1)),
            KeyDown(key(0x05)),
            Press(Button::Right),
        ] {
            assert!(held.would_change(event) && held.handle_event(event));
        }
        assert!(held.has_button() && held.has_key(key(0xe1)) && held.len() == 6);
        assert_eq!(usages(&held.release_all()), [3, 1, 0x05, 0x04, 0xe1, 0xe0]);
        assert!(held.is_empty() && held.release_all().is_empty());
    }

    #[test]
    fn repeats_and_strange_releases_change_nothing() {
        let mut held = Held::default();
        assert!(!held.handle_event(KeyUp(key(4))) && !held.handle_event(Release(Button::Back)));
        assert!(held.handle_event(KeyDown(key(4))) && !held.handle_event(KeyDown(key(4))));
        assert!(held.handle_event(KeyUp(key(4))) && !held.handle_event(KeyUp(key(4))));
        assert!(held.is_empty());
    }

    #[test]
    fn what_is_down_is_bounded() {
        let mut held = Held::default();
        let taken = (0x04..0x84).filter(|usage| held.handle_event(KeyDown(key(*usage)))).count();
        assert_eq!((taken, held.len()), (MAX_HELD, MAX_HELD));
        assert!(!held.would_change(Press(Button::Left)) && !held.handle_event(Press(Button::Left)));
        assert_eq!(held.release_all().len(), MAX_HELD);
    }
}
