//! What is allowed arrives as it was sent.

use crate::desk::{Desk, EPOCH, Seen, batch, down, place, up, wheel};
use crate::permit::Permit;
use farpane_input::{Button, Injector, InputEvent, PointerShown};
use farpane_policy::Reach;
use x11rb::protocol::xproto::ConnectionExt as _;

#[test]
fn a_program_sees_exactly_what_was_sent() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let events = [
        place(100, 50),
        InputEvent::Press(Button::Left),
        place(103, 51),
        InputEvent::Release(Button::Left),
        down(0xe1),
        down(0x04),
        up(0x04),
        up(0xe1),
        place(639, 479),
        place(0, 0),
    ];
    let applied = injector.apply(&batch(EPOCH, &events), 0).unwrap();
    assert_eq!((applied.applied, applied.refused, applied.unknown), (10, 0, 0));
    use Seen::{Button as B, Key as K, Move as M};
    let (shift, a) = (50, 38);
    let expected = [
        M(100, 50),
        B(1, true),
        M(103, 51),
        B(1, false),
        K(shift, true),
        K(a, true),
        K(a, false),
        K(shift, false),
        M(639, 479),
        M(0, 0),
    ];
    assert_eq!(desk.await_seen(10), expected);
}

#[test]
fn each_button_and_each_way_of_the_wheel_has_its_number() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    for (button, number) in Button::ALL.into_iter().zip([1, 2, 3, 8, 9]) {
        let click = [InputEvent::Press(button), InputEvent::Release(button)];
        injector.apply(&batch(EPOCH, &click), 0).unwrap();
        assert_eq!(desk.await_seen(2), [Seen::Button(number, true), Seen::Button(number, false)]);
    }
    for ((right, down), number) in [((0, -2), 4), ((0, 2), 5), ((-2, 0), 6), ((2, 0), 7)] {
        injector.apply(&batch(EPOCH, &[wheel(right, down)]), 0).unwrap();
        let click = [Seen::Button(number, true), Seen::Button(number, false)];
        assert_eq!(desk.await_seen(4), [click, click].concat());
    }
    desk.assert_nothing_down();
}

#[test]
fn buttons_do_the_same_where_the_sharer_has_exchanged_them() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let mut map = desk.conn.get_pointer_mapping().unwrap().reply().unwrap().map;
    map.swap(0, 2);
    desk.conn.set_pointer_mapping(&map).unwrap().reply().unwrap();
    desk.seen();
    let click = [InputEvent::Press(Button::Left), InputEvent::Release(Button::Left)];
    injector.apply(&batch(EPOCH, &click), 0).unwrap();
    assert_eq!(desk.await_seen(2), [Seen::Button(1, true), Seen::Button(1, false)]);
}

#[test]
fn what_is_down_already_is_not_pressed_again() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    injector.apply(&batch(EPOCH, &[down(4), down(4), up(4), up(4), up(5)]), 0).unwrap();
    assert_eq!(desk.await_seen(2), [Seen::Key(38, true), Seen::Key(38, false)]);
}

#[test]
fn a_pointer_that_is_shown_moves_nothing() {
    let desk = Desk::start();
    let mut permit = Permit::new(Reach::Pointer);
    let mut injector = Injector::open(Some(desk.display()), permit.token()).unwrap();
    let before = desk.state();
    let applied = injector.apply(&batch(EPOCH, &[place(5, 6), place(700, -3)]), 0).unwrap();
    assert_eq!((applied.applied, applied.refused), (2, 0));
    assert_eq!(injector.poll_shown(), Some(PointerShown { x: 639, y: 0 }), "the newest place");
    assert_eq!(injector.poll_shown(), None);
    injector.apply(&batch(EPOCH, &[place(1, 1)]), 0).unwrap();
    permit.end();
    assert_eq!(injector.poll_shown(), None, "nothing is shown any more");
    assert!(desk.state() == before && desk.seen().is_empty());
}

#[test]
fn a_program_that_holds_the_server_does_not_hold_keys_down() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    injector.apply(&batch(EPOCH, &[down(4)]), 0).unwrap();
    desk.await_seen(1);
    assert_eq!(desk.keys_down(), [38]);
    desk.conn.grab_server().unwrap();
    desk.sync();
    injector.let_go().unwrap();
    assert_eq!(desk.keys_down(), [] as [u8; 0]);
    desk.conn.ungrab_server().unwrap();
    desk.sync();
}
