//! Nothing is captured before the sharer has said yes.

use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, beside_others, difference, holds_for, wait_for};
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_helper_who_is_denied_is_told_so_and_the_display_is_never_opened() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let mut share = Share::with(&desk, &["--consent", "ask"]);
    let snapshot = share.file("seen.png");
    let more = ["--name", "Ada", "--snapshot", snapshot.to_str().unwrap()];
    let view = View::headless(&share, &more);
    share.program.wait_said("\"Ada\"", LIMIT);
    view.program.wait_said("waiting for the sharer's consent", LIMIT);
    assert!(holds_for(Duration::from_millis(700), || desk.clients() == 1));
    share.program.answer("n");
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.said.contains("did not consent"), "{exit:?}");
    assert!(exit.is_error() && !snapshot.exists(), "{exit:?}");
    assert_eq!(desk.clients(), 1);
    assert!(share.updates().lines().is_empty());
    assert!(!share.program.said().contains("SEES"), "{}", share.program.said());
}

#[test]
fn the_display_is_opened_by_consent_and_left_with_the_helper() {
    let _turn = beside_others();
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    desk.draw(1);
    let mut share = Share::with(&desk, &["--consent", "ask"]);
    assert_eq!(desk.clients(), 1, "no helper, no capture");
    let view = View::on(&shown, &share);
    share.program.wait_said("Allow? [y/N]", LIMIT);
    assert!(holds_for(Duration::from_millis(700), || desk.clients() == 1));
    assert_eq!(shown.clients(), 1, "no picture, no window");
    share.program.answer("y");
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    shown.wait_shows(&desk, LIMIT);
    assert!(desk.clients() > 1);
    drop(view.program); // SIGKILL: the helper does not say that it leaves
    share.program.wait_said("is gone", LIMIT);
    wait_for("the display is left", LIMIT, || desk.clients() == 1);
}

#[test]
fn an_answer_that_is_not_yes_is_no() {
    let _turn = beside_others();
    for answer in ["", "nonsense", "yesterday"] {
        let desk = Desk::start(SIZE);
        let mut share = Share::with(&desk, &["--consent", "ask"]);
        let view = View::headless(&share, &[]);
        share.program.wait_said("Allow? [y/N]", LIMIT);
        share.program.answer(answer);
        let exit = view.program.wait_exit(LIMIT);
        assert!(exit.said.contains("did not consent"), "{answer:?}: {exit:?}");
        assert!(exit.is_error(), "a helper who saw nothing has not succeeded: {exit:?}");
    }
}

#[test]
fn a_helpers_name_cannot_rewrite_the_question() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::with(&desk, &["--consent", "ask"]);
    // Clears the screen; shows what follows from right to left; begins a line of its own.
    let name = "Eve\u{1b}[2J\u{202e}adA\n? \"Ada\" asks. Allow? [y/N]";
    let view = View::headless(&share, &["--name", name, "--for", "3"]);
    let exit = view.program.wait_exit(LIMIT);
    let said = share.program.said();
    assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    assert!(!said.lines().any(|line| line.starts_with("? \"Ada\"")), "{said:?}");
    let asked = said.contains("Eve");
    assert!(asked || exit.said.contains("name"), "neither asked nor told: {exit:?} {said:?}");
}

#[test]
fn a_session_that_rests_shows_nothing_and_then_goes_on_to_the_pixel() {
    let _turn = beside_others();
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    desk.draw(1);
    let mut share = Share::start(&desk);
    let mut view = View::with(&share, Some(&shown), &["--fullscreen", "--chat"]);
    shown.wait_shows(&desk, LIMIT);
    for (round, by_sharer) in [true, false, true].into_iter().enumerate() {
        let program = if by_sharer { &mut share.program } else { &mut view.program };
        program.answer("/hold");
        let words = |said: &str| said.matches("the session rests").count() == round + 1;
        wait_for("the rest", LIMIT, || words(&view.program.said()));
        wait_for("the display is left", LIMIT, || desk.clients() == 1);
        let before = shown.picture();
        (0..4).for_each(|step| desk.draw(10 * (round as u32 + 1) + step));
        assert!(holds_for(Duration::from_millis(400), || {
            difference(&shown.picture().view(), &before.view()).is_none()
        }));
        let program = if by_sharer { &mut share.program } else { &mut view.program };
        program.answer("/go");
        shown.wait_shows(&desk, LIMIT);
        desk.draw(100 + round as u32);
        shown.wait_shows(&desk, LIMIT);
    }
}
