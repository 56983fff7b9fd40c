//! Mouse and keyboard of a helper on the sharer's display, and who may not use them.

use farpane::frame::Size;
use farpane::input::{Button, InputBatch, InputEvent, Key, Wheel};
use farpane_proto::control::{Control, WireRights};
use farpane_tests::{Desk, ModifiedHelper, Share, View, beside_others, holds_for, wait_for};
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// The codes of `A` and of the left Shift, Control and Alt, and of Escape, on every X keyboard.
const A: u8 = 38;
const CHORD: [u8; 4] = [37, 64, 50, 9];

/// A session with control, the sharer's display and the helper's.
fn controlled() -> (Desk, Desk, Share, View) {
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    desk.draw(1);
    let mut share = Share::with(&desk, &["--consent", "ask", "--allow", "control"]);
    let view = View::with(&share, Some(&shown), &["--fullscreen", "--ask", "control"]);
    share.program.wait_said("SEE AND CONTROL THIS MACHINE", LIMIT);
    share.program.answer("y");
    shown.wait_shows(&desk, LIMIT);
    view.program.wait_said("mouse and keyboard are the sharer's", LIMIT);
    (desk, shown, share, view)
}

#[test]
fn the_helpers_hands_are_on_the_sharers_display_until_they_are_taken_away() {
    let _turn = beside_others();
    let (desk, shown, mut share, view) = controlled();
    desk.listen();
    for place in [(10, 20), (639, 479), (320, 240)] {
        shown.point(place.0, place.1);
        wait_for("the sharer's pointer to follow", LIMIT, || desk.pointer() == place);
    }
    shown.button(1, true);
    shown.key(A, true);
    wait_for("button and key", LIMIT, || desk.down() == (vec![A], 1));
    assert!(desk.heard() >= 5);
    share.program.answer("/view");
    wait_for("nothing to be down any more", LIMIT, || desk.down() == (Vec::new(), 0));
    view.program.wait_said("you may SEE THIS SCREEN", LIMIT);
    desk.heard();
    shown.button(1, false);
    shown.key(A, false);
    shown.point(5, 5);
    shown.key(A, true);
    assert!(holds_for(Duration::from_millis(500), || desk.heard() == 0));
    shown.key(A, false);
}

#[test]
fn the_helper_gives_control_back_by_the_keyboard_and_every_end_lets_go() {
    let _turn = beside_others();
    let (desk, shown, share, view) = controlled();
    desk.listen();
    shown.point(100, 100);
    shown.key(A, true);
    wait_for("the key", LIMIT, || desk.down().0 == [A]);
    CHORD.iter().for_each(|key| shown.key(*key, true));
    view.program.wait_said("mouse and keyboard are yours again", LIMIT);
    wait_for("nothing to be down any more", LIMIT, || desk.down() == (Vec::new(), 0));
    CHORD.iter().chain(&[A]).for_each(|key| shown.key(*key, false));
    share.program.wait_said("SEES THIS SCREEN", LIMIT);

    let (desk, shown, share, view) = controlled();
    shown.point(100, 100);
    shown.key(A, true);
    wait_for("the key", LIMIT, || desk.down().0 == [A]);
    drop(view.program); // SIGKILL
    share.program.wait_said("is gone", LIMIT);
    wait_for("nothing to be down any more", LIMIT, || desk.down() == (Vec::new(), 0));
}

#[test]
fn control_is_asked_for_in_the_session_and_only_the_sharer_gives_it() {
    let _turn = beside_others();
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    desk.draw(1);
    let mut share = Share::with(&desk, &["--consent", "auto", "--allow", "control"]);
    let mut view = View::with(&share, Some(&shown), &["--fullscreen", "--chat"]);
    shown.wait_shows(&desk, LIMIT);
    view.program.answer("/control");
    share.program.wait_said("SEE AND CONTROL THIS MACHINE. Allow? [y/N]", LIMIT);
    share.program.answer("n");
    view.program.wait_said("the sharer does not allow that", LIMIT);
    let before = desk.pointer();
    shown.point(77, 78);
    assert!(holds_for(Duration::from_millis(300), || desk.pointer() == before));
    view.program.answer("/control");
    wait_for("the second question", LIMIT, || {
        share.program.said().matches("SEE AND CONTROL THIS MACHINE. Allow?").count() == 2
    });
    share.program.answer("y");
    view.program.wait_said("mouse and keyboard are the sharer's", LIMIT);
    shown.point(99, 98);
    wait_for("the sharer's pointer to follow", LIMIT, || desk.pointer() == (99, 98));
    // A prompt on the sharer's machine: nobody clicks on it from afar.
    share.program.answer("/prompt");
    let mut place = 0;
    wait_for("input to rest", LIMIT, || {
        place = (place + 1) % 100;
        shown.point(place, 300);
        holds_for(Duration::from_millis(50), || true) && desk.pointer() != (place, 300)
    });
    let resting = desk.pointer();
    assert!(holds_for(Duration::from_millis(300), || {
        place = (place + 1) % 100;
        shown.point(place, 301);
        desk.pointer() == resting
    }));
    share.program.answer("/prompt-done");
    wait_for("control to go on", LIMIT, || {
        shown.point(200, 201);
        shown.point(210, 211);
        desk.pointer() == (210, 211)
    });
}

#[test]
fn a_sharer_that_allows_viewing_only_is_asked_for_no_more() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::with(&desk, &["--consent", "ask"]);
    let view = View::headless(&share, &["--ask", "control"]);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.is_error() && exit.said.contains("no permission"), "{exit:?}");
    assert!(!share.program.said().contains("Allow?"), "{}", share.program.said());
}

/// Events of every kind, 1,000 of them.
fn events() -> Vec<InputEvent> {
    let key = |usage: usize| Key::new(4 + usage as u32 % 90);
    let of = |n: usize| -> Option<InputEvent> {
        let button = Button::ALL[n / 7 % Button::ALL.len()];
        Some(match n % 7 {
            0 | 6 => InputEvent::Move { x: n as i32 % 640, y: n as i32 % 480 },
            1 => InputEvent::Press(button),
            2 => InputEvent::Release(button),
            3 => InputEvent::Wheel(Wheel::new(1, -1)?),
            4 => InputEvent::KeyDown(key(n)?),
            _ => InputEvent::KeyUp(key(n)?),
        })
    };
    (0..1_000).filter_map(of).collect()
}

#[test]
fn a_modified_helper_changes_nothing_on_a_view_only_display() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    desk.draw(1);
    desk.listen();
    desk.point(33, 44);
    let share = Share::with(&desk, &["--consent", "auto"]);
    let helper = ModifiedHelper::connect(&share.invitation());
    // Seeing alone: no pointer to show.
    assert!(helper.say(&Control::hello("Mallory", 0)));
    assert!(helper.say(&Control::Ask(WireRights { mode: 0, capabilities: 1 })));
    wait_for("the session", LIMIT, || helper.heard().contains(&Control::Resumed));
    desk.heard();
    let before = (desk.pointer(), desk.down(), desk.picture());
    let events = events();
    assert_eq!(events.len(), 1_000);
    let mut sent = 0;
    for epoch in 0..8 {
        for part in events.chunks(50) {
            let mut batch = InputBatch::new(epoch);
            assert!(part.iter().all(|event| batch.push(*event)));
            wait_for("room", LIMIT, || helper.say(&Control::Input(batch.to_bytes())));
            sent += part.len();
        }
        let seen = (desk.pointer(), desk.down());
        assert_eq!(seen, (before.0, before.1.clone()));
    }
    assert!(holds_for(Duration::from_millis(500), || {
        desk.heard() == 0 && (desk.pointer(), desk.down()) == (before.0, before.1.clone())
    }));
    let after = desk.picture();
    assert!(before.2.view().size() == after.view().size());
    assert_eq!(farpane_tests::difference(&before.2.view(), &after.view()), None);
    assert_eq!(helper.closed(), None, "the session goes on");
    println!("input: {sent} events of a modified helper changed nothing");
}
