//! Keys are places: each has its keycode, whatever the layout.

use crate::desk::{Desk, EPOCH, Seen, batch, down, key, up};
use farpane_input::Keymap;
use std::process::Command;

/// Every key of a keyboard with 105 keys. The key left of Enter has another usage (0x32) on some.
fn usages() -> impl Iterator<Item = u32> {
    (0x04..=0x65).filter(|usage| *usage != 0x32).chain(0xe0..=0xe7)
}

/// Linux's numbers of the same keys, in the same order.
const EVDEV: [u8; 105] = [
    30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45,
    21, 44, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43, 39, 40, 41, 51,
    52, 53, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88, 99, 70, 119, 110, 102, 104, 111,
    107, 109, 106, 105, 108, 103, 69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82,
    83, 86, 127, 29, 42, 56, 125, 97, 54, 100, 126,
];

#[test]
fn a_program_sees_all_105_keys_on_american_and_german_keyboards() {
    assert_eq!(usages().count(), 105);
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let mut now_us = 0;
    for (layout, y) in [("us", 'y'), ("de", 'z'), ("fr", 'y')] {
        desk.set_layout(layout);
        assert_eq!(desk.keysym(29), u32::from(y), "the layout is {layout}");
        desk.seen();
        for (usage, evdev) in usages().zip(EVDEV) {
            now_us += 10_000;
            let stroke = batch(EPOCH, &[down(usage), up(usage)]);
            let applied = injector.apply(&stroke, now_us).unwrap();
            assert_eq!((applied.applied, applied.unknown), (2, 0), "{layout} {usage:#x}");
            let code = evdev + 8;
            let expected = [Seen::Key(code, true), Seen::Key(code, false)];
            assert_eq!(desk.await_seen(2), expected, "{layout} {usage:#x}");
        }
        for lock in [0x39, 0x53, 0x47] {
            injector.apply(&batch(EPOCH, &[down(lock), up(lock)]), now_us).unwrap();
        }
        desk.await_seen(6);
    }
    desk.assert_nothing_down();
}

#[test]
fn all_105_keys_come_back_from_their_keycodes() {
    let desk = Desk::start();
    let keymap = Keymap::read(&desk.conn).unwrap();
    for usage in usages() {
        let code = keymap.keycode(key(usage)).expect("a key of every keyboard");
        assert_eq!(keymap.key(code).map(|key| u32::from(key.usage())), Some(usage));
    }
    assert_eq!(keymap.keycode(key(0x32)), keymap.keycode(key(0x31)));
    assert!((0..8).all(|code| keymap.key(code).is_none()));
}

#[test]
fn servers_that_number_keys_otherwise_are_asked_for_their_places() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let mut set = Command::new("setxkbmap");
    set.args(["-display", desk.display(), "-keycodes", "xfree86+aliases(qwertz)"]);
    assert!(set.args(["-layout", "de"]).status().unwrap().success());
    desk.seen();
    // Up, Left, right Ctrl, left GUI, Delete, A, and Y, on which Germans have Z.
    let codes = [98, 100, 109, 115, 107, 38, 29];
    for (usage, code) in [0x52, 0x50, 0xe4, 0xe3, 0x4c, 0x04, 0x1c].into_iter().zip(codes) {
        injector.apply(&batch(EPOCH, &[down(usage), up(usage)]), 0).unwrap();
        assert_eq!(
            desk.await_seen(2),
            [Seen::Key(code, true), Seen::Key(code, false)],
            "{usage:#x}"
        );
    }
    assert_eq!(desk.keysym(29), u32::from('z'));
}

#[test]
fn keys_that_the_display_lacks_are_counted() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    // Crsel and Currency: on no keyboard that Linux knows.
    let applied = injector.apply(&batch(EPOCH, &[down(0xa3), down(0xb4), down(0x04)]), 0).unwrap();
    assert_eq!((applied.applied, applied.unknown), (1, 2));
    desk.await_seen(1);
    assert_eq!(desk.keys_down(), [38]);
}
