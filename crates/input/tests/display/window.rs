//! What a helper does in its window becomes the sharer's input.

use crate::desk::{Desk, EPOCH, Seen, batch};
use farpane_frame::Rect;
use farpane_input::{Button, InputBatch, InputEvent, WindowInput};
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, EventMask, GrabMode, InputFocus,
    KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT,
};
use x11rb::protocol::xtest::ConnectionExt as _;

/// Where the picture lies in the window, which begins at the screen's corner.
const PICTURE: Rect = Rect::new(40, 30, 320, 200);

/// A helper at a window.
struct Helper {
    desk: Desk,
    input: WindowInput,
}

impl Helper {
    fn start() -> Self {
        let desk = Desk::start();
        let input = WindowInput::new(&desk.conn, desk.window, PICTURE).unwrap();
        Self { desk, input }
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        self.desk.conn.xtest_fake_input(kind, detail, 0, self.desk.root, x, y, 0).unwrap();
    }

    fn point(&self, x: i16, y: i16) {
        self.fake(MOTION_NOTIFY_EVENT, 0, x, y);
    }

    fn button(&self, number: u8, down: bool) {
        self.fake(if down { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT }, number, 0, 0);
    }

    fn key(&self, code: u8, down: bool) {
        self.fake(if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, code, 0, 0);
    }

    fn strike(&self, code: u8) {
        self.key(code, true);
        self.key(code, false);
    }

    /// What it all means for the sharer.
    fn input(&mut self) -> Vec<InputEvent> {
        self.desk.sync();
        let mut all = Vec::new();
        while let Some(event) = self.desk.conn.poll_for_event().unwrap() {
            all.extend(self.input.handle(&event));
        }
        all
    }
}

fn place(x: i32, y: i32) -> InputEvent {
    InputEvent::Move { x, y }
}

/// Readable where `InputEvent` hides which key it is.
fn text(events: &[InputEvent]) -> String {
    let one = |event: &InputEvent| match event {
        InputEvent::KeyDown(key) => format!("+{:02x}", key.usage()),
        InputEvent::KeyUp(key) => format!("-{:02x}", key.usage()),
        other => format!("{other:?}"),
    };
    events.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[test]
fn places_are_the_sharers_pixels_and_clicks_come_after_them() {
    let mut helper = Helper::start();
    helper.point(40, 30);
    helper.point(359, 229);
    helper.button(1, true);
    helper.button(1, false);
    let left = [InputEvent::Press(Button::Left), InputEvent::Release(Button::Left)];
    let expected = [[place(0, 0), place(319, 199)], left].concat();
    assert_eq!(helper.input(), expected);
    helper.button(5, true);
    helper.button(5, false);
    helper.button(6, true);
    helper.button(6, false);
    helper.strike(38);
    let wheels = [crate::desk::wheel(0, 1), crate::desk::wheel(-1, 0)];
    assert_eq!(text(&helper.input()), text(&wheels) + " +04 -04");
}

#[test]
fn what_happens_beside_the_picture_is_not_the_sharers() {
    let mut helper = Helper::start();
    for (x, y) in [(39, 100), (360, 100), (100, 29), (100, 230), (600, 470), (0, 0)] {
        helper.point(x, y);
        for number in [1, 2, 3, 4, 5] {
            helper.button(number, true);
            helper.button(number, false);
        }
    }
    assert_eq!(helper.input(), []);
}

#[test]
fn a_drag_over_the_edge_stays_at_the_edge_and_ends() {
    let mut helper = Helper::start();
    helper.point(50, 50);
    helper.button(1, true);
    helper.point(600, 20);
    helper.button(1, false);
    helper.point(600, 21);
    let (press, release) = (InputEvent::Press(Button::Left), InputEvent::Release(Button::Left));
    assert_eq!(helper.input(), [place(10, 20), press, place(319, 0), release]);
}

#[test]
fn a_picture_elsewhere_or_of_another_size_counts_from_then_on() {
    let mut helper = Helper::start();
    helper.input.set_picture(Rect::new(0, 0, 640, 480));
    helper.point(600, 470);
    assert_eq!(helper.input(), [place(600, 470)]);
}

#[test]
fn the_servers_repeats_are_left_out() {
    let mut helper = Helper::start();
    helper.key(38, true);
    let (begin, mut all) = (Instant::now(), Vec::new());
    while begin.elapsed() < Duration::from_millis(1_000) {
        all.extend(helper.input());
    }
    helper.key(38, false);
    all.extend(helper.input());
    assert_eq!(text(&all), "+04 -04");
}

#[test]
fn without_the_focus_everything_is_let_go_of_and_keys_are_not_the_sharers() {
    let mut helper = Helper::start();
    helper.point(50, 50);
    helper.key(37, true);
    helper.key(38, true);
    helper.button(1, true);
    helper.input();
    let other = helper.desk.root;
    let focus = |helper: &Helper, window| {
        let (parent, now) = (InputFocus::PARENT, x11rb::CURRENT_TIME);
        helper.desk.conn.set_input_focus(parent, window, now).unwrap();
    };
    focus(&helper, other);
    assert_eq!(text(&helper.input()), "Release(Left) -04 -e0");
    helper.key(38, false);
    helper.key(37, false);
    helper.button(1, false);
    helper.strike(39);
    assert_eq!(text(&helper.input()), "");
    focus(&helper, helper.desk.window);
    helper.strike(39);
    assert_eq!(text(&helper.input()), "+16 -16");
}

#[test]
fn a_keyboard_that_somebody_grabs_is_let_go_of() {
    let mut helper = Helper::start();
    helper.key(37, true);
    helper.input();
    let (other, _) = x11rb::connect(Some(helper.desk.display())).unwrap();
    let mode = GrabMode::ASYNC;
    let grab = other.grab_keyboard(true, helper.desk.root, x11rb::CURRENT_TIME, mode, mode);
    grab.unwrap().reply().unwrap();
    assert_eq!(text(&helper.input()), "-e0");
    helper.key(37, false);
    helper.strike(38);
    assert_eq!(text(&helper.input()), "");
    other.ungrab_keyboard(x11rb::CURRENT_TIME).unwrap().check().unwrap();
    helper.input();
    helper.strike(38);
    assert_eq!(text(&helper.input()), "+04 -04");
}

#[test]
fn ctrl_alt_shift_escape_ends_control() {
    let mut helper = Helper::start();
    let (ctrl, alt, shift, escape) = (37, 64, 62, 9);
    helper.strike(escape);
    assert_eq!(text(&helper.input()), "+29 -29", "Escape alone is the sharer's");
    for code in [ctrl, alt, shift] {
        helper.key(code, true);
    }
    helper.point(60, 60);
    helper.input();
    helper.strike(escape);
    assert_eq!(text(&helper.input()), "-e5 -e2 -e0", "and Escape does not reach the sharer");
    assert!(!helper.input.is_on());
    for code in [shift, alt, ctrl] {
        helper.key(code, false);
    }
    helper.strike(38);
    helper.point(70, 70);
    helper.button(1, true);
    helper.button(1, false);
    assert_eq!(helper.input(), []);
    assert_eq!(helper.input.set_on(true).count(), 0);
    helper.strike(38);
    assert_eq!(text(&helper.input()), "+04 -04");
}

#[test]
fn from_a_german_window_to_an_american_desk_keys_keep_their_places() {
    let mut helper = Helper::start();
    helper.desk.set_layout("de");
    let sharer = Desk::start();
    let (mut injector, _permit) = sharer.injector();
    helper.desk.seen();
    helper.point(140, 130);
    helper.button(3, true);
    helper.button(3, false);
    for code in [29, 52, 47, 94, 51, 111, 37] {
        helper.strike(code);
    }
    let sent = batch(EPOCH, &helper.input());
    let came = InputBatch::read(&sent.to_bytes()).unwrap();
    injector.apply(&came, 0).unwrap();
    let mut expected = vec![Seen::Move(100, 100), Seen::Button(3, true), Seen::Button(3, false)];
    for code in [29, 52, 47, 94, 51, 111, 37] {
        expected.extend([Seen::Key(code, true), Seen::Key(code, false)]);
    }
    assert_eq!(sharer.await_seen(expected.len()), expected);
}

#[test]
fn what_a_window_must_select_is_what_it_gets() {
    let helper = Helper::start();
    let all = WindowInput::EVENTS.into_iter().fold(EventMask::NO_EVENT, |all, one| all | one);
    let reply = helper.desk.conn.get_window_attributes(helper.desk.window).unwrap();
    let selected = reply.reply().unwrap().your_event_mask;
    assert_eq!(selected & all, all);
}
