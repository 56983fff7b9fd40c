//! Which keycode a display gives to which place on a keyboard.

use crate::InputError;
use crate::key::{Key, POSITIONS};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use x11rb::connection::Connection;
use x11rb::errors::ReplyError;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{
    self, ConnectionExt as _, EventType, MapPart, NameDetail, SelectEventsAux,
};
use x11rb::protocol::xproto::{ConnectionExt as _, Keycode};

/// Between Linux's number of a key and X's: the first eight keycodes mean nothing.
const EVDEV_OFFSET: u8 = 8;
/// Keys whose keycodes tell numbering by evdev from older ones, which agree on letters.
const EVDEV_SIGNS: [(Keycode, &[u8; 4]); 4] =
    [(111, b"UP\0\0"), (113, b"LEFT"), (105, b"RCTL"), (133, b"LWIN")];

/// Keys and keycodes of a display, both ways, whatever layout it has.
///
/// Servers that number keys as evdev does are taken at their word; of others XKB's names of
/// places count, and without those what a key writes.
#[derive(Clone, Debug)]
pub struct Keymap {
    /// By usage; 0 where the display has no such key.
    keycodes: [Keycode; 256],
    /// By keycode.
    keys: [Option<Key>; 256],
}

impl Keymap {
    /// Asks the display, which tells this connection from now on when the keyboard changes
    /// ([`Keymap::is_changed_by`]); then it is to be asked again.
    ///
    /// # Errors
    /// When the display does not answer.
    pub fn read(conn: &impl Connection) -> Result<Self, InputError> {
        Self::ask(conn).map_err(|error| InputError::Display {
            display: "of this connection".into(),
            reason: error.to_string(),
        })
    }

    /// Whether the display says by this event that its keyboard is another one now.
    pub fn is_changed_by(event: &Event) -> bool {
        use Event::{MappingNotify, XkbMapNotify, XkbNewKeyboardNotify};
        matches!(event, MappingNotify(_) | XkbMapNotify(_) | XkbNewKeyboardNotify(_))
    }

    /// The keycode of `key`, if the display has one.
    pub fn keycode(&self, key: Key) -> Option<Keycode> {
        let keycode = self.keycodes[usize::from(key.usage())];
        (keycode != 0).then_some(keycode)
    }

    /// The key with this keycode, if it is one of the HID tables.
    pub fn key(&self, keycode: Keycode) -> Option<Key> {
        self.keys[usize::from(keycode)]
    }

    pub(super) fn ask(conn: &impl Connection) -> Result<Self, ReplyError> {
        let (setup, names) = (conn.setup(), key_names(conn)?);
        if EVDEV_SIGNS.iter().all(|(keycode, name)| names.get(*name) == Some(keycode)) {
            return Ok(Self::numbered(setup.min_keycode..=setup.max_keycode));
        }
        Ok(Self::named(&names, &keysyms(conn)?))
    }

    /// As evdev numbers keys.
    fn numbered(range: RangeInclusive<Keycode>) -> Self {
        let codes = POSITIONS.iter().map(|place| place.evdev + EVDEV_OFFSET);
        Self::of(codes.map(|code| if range.contains(&code) { code } else { 0 }))
    }

    /// By XKB's names of places; a place without a name by what an American key there writes.
    fn named(names: &HashMap<[u8; 4], Keycode>, keysyms: &HashMap<u32, Keycode>) -> Self {
        Self::of(POSITIONS.iter().map(|place| {
            let code = names.get(&padded(place.name)).or_else(|| keysyms.get(&place.keysym));
            code.copied().unwrap_or(0)
        }))
    }

    /// From a keycode for each of [`POSITIONS`], 0 for none.
    fn of(keycodes: impl Iterator<Item = Keycode>) -> Self {
        let mut map = Self { keycodes: [0; 256], keys: [None; 256] };
        for (place, keycode) in POSITIONS.iter().zip(keycodes) {
            map.keycodes[usize::from(place.usage)] = keycode;
            // Of two usages for one key the first is the usual one.
            let key = &mut map.keys[usize::from(keycode)];
            *key = key.or(Key::new(place.usage.into()).filter(|_| keycode != 0));
        }
        map
    }
}

/// Keycodes by XKB's names of places, other names for the same place included; empty without XKB.
fn key_names(conn: &impl Connection) -> Result<HashMap<[u8; 4], Keycode>, ReplyError> {
    if conn.extension_information(xkb::X11_EXTENSION_NAME)?.is_none()
        || !conn.xkb_use_extension(1, 0)?.reply()?.supported
    {
        return Ok(HashMap::new());
    }
    let keyboard = xkb::ID::USE_CORE_KBD.into();
    // A client that speaks XKB is told of changes by XKB alone.
    let (changes, none) = (EventType::NEW_KEYBOARD_NOTIFY | EventType::MAP_NOTIFY, 0_u16.into());
    let (every, details) = (MapPart::from(!0_u16), SelectEventsAux::new());
    conn.xkb_select_events(keyboard, none, changes, every, every, &details)?.check()?;
    let what = NameDetail::KEY_NAMES | NameDetail::KEY_ALIASES;
    let reply = conn.xkb_get_names(keyboard, what)?.reply()?;
    let names = reply.value_list.key_names.unwrap_or_default();
    let named = names.iter().map(|name| name.name).zip(reply.first_key..=reply.max_key_code);
    let mut codes: HashMap<_, _> = named.filter(|(name, _)| *name != [0; 4]).collect();
    for also in reply.value_list.key_aliases.unwrap_or_default() {
        if let Some(keycode) = codes.get(&also.real).copied() {
            codes.entry(also.alias).or_insert(keycode);
        }
    }
    Ok(codes)
}

/// Keycodes by what the keys write without any modifier.
fn keysyms(conn: &impl Connection) -> Result<HashMap<u32, Keycode>, ReplyError> {
    let (first, last) = (conn.setup().min_keycode, conn.setup().max_keycode);
    let map = conn.get_keyboard_mapping(first, last - first + 1)?.reply()?;
    let columns = usize::from(map.keysyms_per_keycode).max(1);
    let mut codes = HashMap::new();
    for (keycode, keysyms) in (first..=last).zip(map.keysyms.chunks(columns)) {
        if let Some(keysym) = keysyms.first().filter(|keysym| **keysym != 0) {
            codes.entry(*keysym).or_insert(keycode);
        }
    }
    Ok(codes)
}

fn padded(name: &str) -> [u8; 4] {
    std::array::from_fn(|at| name.as_bytes().get(at).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use farpane_capture::Xvfb;
    use farpane_frame::Size;

    #[test]
    fn names_and_keysyms_give_what_evdevs_numbers_do() {
        let server = Xvfb::start(Size::new(64, 64), 24).unwrap();
        let (conn, _) = x11rb::connect(Some(server.display())).unwrap();
        let (names, keysyms) = (key_names(&conn).unwrap(), keysyms(&conn).unwrap());
        let plain = Keymap::numbered(8..=255);
        let (mut by_name, mut by_keysym) = (0, 0);
        for place in &POSITIONS {
            let code = plain.keycode(Key::new(place.usage.into()).unwrap()).unwrap();
            if let Some(named) = names.get(&padded(place.name)) {
                assert_eq!(*named, code, "{}", place.name);
                by_name += 1;
            }
            if place.usage <= 0x65
                && let Some(written) = keysyms.get(&place.keysym)
            {
                assert_eq!(*written, code, "{}", place.name);
                by_keysym += 1;
            }
        }
        println!("of {} places {by_name} by name, {by_keysym} by keysym", POSITIONS.len());
        assert!(by_name > 130 && by_keysym > 90, "{by_name} {by_keysym}");
    }

    #[test]
    fn without_names_keys_are_found_by_what_they_write() {
        let keysyms = HashMap::from([(0x61, 70), (0xff0d, 71)]);
        let map = Keymap::named(&HashMap::new(), &keysyms);
        let code = |usage| map.keycode(Key::new(usage).unwrap());
        assert_eq!([code(0x04), code(0x28), code(0x05)], [Some(70), Some(71), None]);
        assert_eq!(map.key(70), Key::new(0x04));
        assert_eq!(map.key(0), None);
    }
}
