//! Whatever ends, nothing stays down.

use crate::desk::{Desk, EPOCH, LONG, Seen, batch, down, place, up};
use crate::permit::Permit;
use crate::proxy::Proxy;
use farpane_input::{Button, Injector, InputError, InputEvent};
use farpane_policy::Reach;
use std::time::{Duration, Instant};
use x11rb::protocol::xproto::KeyButMask;

/// Ctrl, Shift, a letter and a button.
fn chord() -> [InputEvent; 5] {
    [place(50, 50), down(0xe0), down(0xe1), down(0x04), InputEvent::Press(Button::Left)]
}

fn hold(desk: &Desk, injector: &mut Injector) {
    injector.apply(&batch(EPOCH, &chord()), 0).unwrap();
    while desk.pointer().2 & u16::from(KeyButMask::BUTTON1) == 0 {}
    assert_eq!(desk.keys_down(), [37, 38, 50]);
    desk.seen();
}

/// Buttons, then keys, then modifiers, the last first.
const RELEASED: [Seen; 4] =
    [Seen::Button(1, false), Seen::Key(38, false), Seen::Key(50, false), Seen::Key(37, false)];

#[test]
fn a_dropped_injector_lets_go_in_order() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    hold(&desk, &mut injector);
    drop(injector);
    assert_eq!(desk.seen(), RELEASED);
    desk.assert_nothing_down();
}

#[test]
fn a_thread_that_panics_lets_go() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    hold(&desk, &mut injector);
    let thread = std::thread::spawn(move || {
        let _injector = injector;
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(thread.join().is_err());
    desk.assert_nothing_down();
}

#[test]
fn a_revoked_token_lets_go_although_nobody_calls() {
    let desk = Desk::start();
    let (mut took, mut injectors) = (Vec::new(), 0);
    while injectors < 20 {
        let (mut injector, mut permit) = desk.injector();
        hold(&desk, &mut injector);
        permit.end();
        took.push(desk.await_nothing_down());
        assert_eq!(desk.seen(), RELEASED);
        injectors += 1;
    }
    took.sort_unstable();
    println!("revoked to released: p50 {:?}, most {:?}", took[took.len() / 2], took[19]);
}

#[test]
fn a_token_that_is_revoked_in_the_middle_of_a_chord_lets_go() {
    let desk = Desk::start();
    let (mut injector, mut permit) = desk.injector();
    injector.apply(&batch(EPOCH, &[down(0xe0), down(0xe2)]), 0).unwrap();
    permit.end();
    let applied = injector.apply(&batch(EPOCH, &[down(0x4c), up(0x4c)]), 0).unwrap();
    assert_eq!((applied.applied, applied.refused), (0, 2));
    desk.assert_nothing_down();
    assert!(!desk.seen().contains(&Seen::Key(119, true)), "Ctrl+Alt+Delete was not completed");
}

#[test]
fn suspended_and_resumed_input_begins_with_nothing_down() {
    let desk = Desk::start();
    let (mut injector, mut permit) = desk.injector();
    hold(&desk, &mut injector);
    permit.suspend();
    desk.await_nothing_down();
    injector.renew(permit.resume()).unwrap();
    desk.seen();
    assert_eq!(injector.apply(&batch(EPOCH, &[down(4)]), 0).unwrap().refused, 1, "made before");
    assert_eq!(injector.apply(&batch(EPOCH + 1, &[up(4), down(5)]), 0).unwrap().applied, 1);
    assert_eq!(desk.await_seen(1), [Seen::Key(56, true)]);
}

#[test]
fn another_permission_lets_go_although_the_old_one_is_still_valid() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    hold(&desk, &mut injector);
    let other = Permit::numbered(EPOCH + 1, Reach::Pointer);
    injector.renew(other.token()).unwrap();
    assert_eq!(desk.seen(), RELEASED);
    desk.assert_nothing_down();
}

#[test]
fn asked_to_let_go_it_does_and_goes_on() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    hold(&desk, &mut injector);
    injector.let_go().unwrap();
    assert_eq!(desk.seen(), RELEASED);
    hold(&desk, &mut injector);
}

#[test]
fn a_connection_that_breaks_leaves_nothing_down_whether_or_not_anything_follows() {
    for calls in [false, true] {
        let desk = Desk::start();
        let proxy = Proxy::of(desk.display());
        let permit = Permit::new(Reach::Full);
        let mut injector = Injector::open(Some(proxy.display()), permit.token()).unwrap();
        injector.apply(&batch(EPOCH, &chord()), 0).unwrap();
        desk.await_seen(5);
        proxy.cut();
        if calls {
            let error = injector.apply(&batch(EPOCH, &[place(1, 1)]), 0).unwrap_err();
            assert!(matches!(error, InputError::Display { .. }), "{error}");
        }
        desk.await_nothing_down();
        assert_eq!(desk.seen(), RELEASED);
        let error = injector.apply(&batch(EPOCH, &[down(4)]), 0).unwrap_err();
        assert!(error.to_string().contains(proxy.display()), "{error}");
        assert!(injector.let_go().is_err());
        desk.assert_nothing_down();
    }
}

#[test]
fn a_display_that_is_gone_is_an_error_and_no_hang() {
    let desk = Desk::start();
    let proxy = Proxy::of(desk.display());
    let permit = Permit::new(Reach::Full);
    let mut injector = Injector::open(Some(proxy.display()), permit.token()).unwrap();
    injector.apply(&batch(EPOCH, &chord()), 0).unwrap();
    desk.await_seen(5);
    proxy.close();
    let begin = Instant::now();
    assert!(injector.apply(&batch(EPOCH, &[up(4)]), 0).is_err());
    drop(injector);
    assert!(begin.elapsed() < LONG);
    for nowhere in [":6543", ":65535", "no display", ""] {
        let opened = Injector::open(Some(nowhere), permit.token());
        assert!(matches!(opened, Err(InputError::Display { .. })), "{nowhere}");
    }
}

#[test]
fn a_key_that_the_server_repeats_stops_with_the_token() {
    let desk = Desk::start();
    let (mut injector, mut permit) = desk.injector();
    injector.apply(&batch(EPOCH, &[down(0x04)]), 0).unwrap();
    let repeats = desk.await_seen(7);
    assert!(repeats.iter().filter(|seen| **seen == Seen::Key(38, true)).count() >= 3);
    permit.end();
    desk.await_nothing_down();
    injector.let_go().unwrap();
    desk.seen();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(1_500) {
        assert!(desk.seen().is_empty(), "it repeats");
    }
}
