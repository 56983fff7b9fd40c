//! Keys, by where they are on a keyboard.

mod table;

pub(crate) use table::POSITIONS;

use std::fmt;

/// A key, named by its usage on page 7 of the USB HID Usage Tables: a position on a keyboard,
/// with the name that it has on an American one. What it writes is up to the sharer's layout.
///
/// Its `Debug` form does not tell which key it is, so that no log ever holds what was typed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

impl Key {
    /// The key with this usage, 0x04 (A) to 0xE7 (right GUI). `None` for what is no key: errors
    /// (0x01 to 0x03) and what the tables reserve.
    pub fn new(usage: u32) -> Option<Self> {
        let usage = u8::try_from(usage).ok()?;
        matches!(usage, 0x04..=0xa4 | 0xb0..=0xdd | 0xe0..=0xe7).then_some(Self(usage))
    }

    /// Its usage.
    pub fn usage(self) -> u8 {
        self.0
    }

    /// Whether it is one of the eight keys that change what others do: Ctrl, Shift, Alt and GUI.
    pub fn is_modifier(self) -> bool {
        self.0 >= 0xe0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(_)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_refused() {
        let keys = (0..=0x400).filter(|usage| Key::new(*usage).is_some()).count();
        assert_eq!(keys, 0xa1 + 0x2e + 8);
        for bad in [0, 1, 2, 3, 0xa5, 0xaf, 0xde, 0xdf, 0xe8, 0xff, 0x104, u32::MAX] {
            assert!(Key::new(bad).is_none(), "{bad:#x}");
        }
        assert!(Key::new(0xe0).unwrap().is_modifier() && !Key::new(0x39).unwrap().is_modifier());
    }

    #[test]
    fn no_text_form_tells_which_key_it_is() {
        let event = crate::InputEvent::KeyDown(Key::new(0x2c).unwrap());
        assert_eq!(format!("{event:?}"), "KeyDown(Key(_))");
    }

    #[test]
    fn positions_are_of_keys_and_in_order() {
        for pair in POSITIONS.windows(2) {
            assert!(pair[0].usage < pair[1].usage, "{:#x}", pair[1].usage);
        }
        for position in &POSITIONS {
            assert!(Key::new(position.usage.into()).is_some(), "{:#x}", position.usage);
            assert!(position.evdev <= 247, "keycodes end at 255");
        }
    }
}
