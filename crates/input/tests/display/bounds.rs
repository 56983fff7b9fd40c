//! Places outside of the screen, screens that change, and too much of everything.

use crate::desk::{Desk, EPOCH, Seen, batch, down, place, up};
use crate::permit::Permit;
use farpane_input::{Button, EVENTS_PER_SECOND, InputEvent, MAX_BATCH_EVENTS, PointerShown};
use farpane_policy::Reach;

#[test]
fn places_outside_of_the_screen_mean_the_nearest_pixel() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let (min, max) = (i32::MIN, i32::MAX);
    for ((x, y), expected) in [
        ((-1, -1), (0, 0)),
        ((640, 480), (639, 479)),
        ((min, max), (0, 479)),
        ((max, min), (639, 0)),
        ((40_000, 70_000), (639, 479)),
        ((-32_769, 65_541), (0, 479)),
        ((32_768, 65_536), (639, 479)),
    ] {
        injector.apply(&batch(EPOCH, &[place(320, 240), place(x, y)]), 0).unwrap();
        desk.await_pointer(expected.0, expected.1);
    }
}

#[test]
fn a_screen_that_changes_its_size_is_followed() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    for (width, height) in [(640, 480), (320, 200), (600, 400)] {
        if (width, height) != (640, 480) {
            desk.resize(width, height);
        }
        injector.apply(&batch(EPOCH, &[place(1, 1), place(9_999, 9_999)]), 0).unwrap();
        desk.await_pointer(width as i16 - 1, height as i16 - 1);
    }
    let pointing = Permit::new(Reach::Pointer);
    injector.renew(pointing.token()).unwrap();
    injector.apply(&batch(EPOCH, &[place(9_999, 9_999)]), 0).unwrap();
    assert_eq!(injector.poll_shown(), Some(PointerShown { x: 599, y: 399 }));
}

#[test]
fn a_screen_that_changes_in_the_middle_of_a_drag_keeps_no_button_down() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let press = InputEvent::Press(Button::Left);
    injector.apply(&batch(EPOCH, &[place(600, 400), press]), 0).unwrap();
    desk.resize(320, 200);
    let release = InputEvent::Release(Button::Left);
    injector.apply(&batch(EPOCH, &[place(610, 410), release]), 0).unwrap();
    desk.await_pointer(319, 199);
    desk.await_nothing_down();
}

#[test]
fn a_flood_reaches_the_display_only_up_to_the_bound_and_ends_with_nothing_down() {
    let desk = Desk::start();
    let (mut injector, _permit) = desk.injector();
    let (mut dropped, mut merged, mut applied) = (0, 0, 0);
    // Ten thousand events within a second.
    for step in 0..200_u64 {
        let mut events = Vec::new();
        for n in 0..MAX_BATCH_EVENTS as u32 / 4 {
            let usage = 4 + (step as u32 * 7 + n) % 26;
            events.extend([place(n as i32, step as i32), down(usage), up(usage)]);
        }
        let done = injector.apply(&batch(EPOCH, &events), step * 5_000).unwrap();
        (dropped, merged) = (dropped + done.dropped, merged + done.merged);
        applied += done.applied;
    }
    if let Some(deadline_us) = injector.next_deadline_us() {
        let late = injector.handle_timeout(deadline_us).unwrap();
        assert_eq!(late.applied, 1);
        applied += 1;
    }
    // The last place is reached.
    desk.await_pointer(15, 199);
    let seen = desk.seen();
    assert!(seen.len() as u64 <= applied && applied <= EVENTS_PER_SECOND.into(), "{applied}");
    assert!(dropped > 2_000 && merged > 1_000, "{dropped} {merged}");
    let count =
        |down: bool| seen.iter().filter(move |s| matches!(s, Seen::Key(_, d) if *d == down));
    assert_eq!(count(true).count(), count(false).count());
    desk.assert_nothing_down();
}
