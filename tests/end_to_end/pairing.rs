//! An invitation without a secret, and the code that belongs to it.

use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, beside_others};
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

fn share() -> (Desk, Share, String) {
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let share = Share::with(&desk, &["--consent", "ask", "--code"]);
    share.program.wait_said("pairing code, to be told to the helper: ", LIMIT);
    let said = share.program.said();
    let (_, code) = said.split_once("told to the helper: ").unwrap();
    let code = code.lines().next().unwrap().to_owned();
    (desk, share, code)
}

#[test]
fn the_code_pairs_and_the_sharer_still_decides() {
    let _turn = beside_others();
    let (desk, mut share, code) = share();
    let invitation = std::fs::read_to_string(share.invitation()).unwrap();
    assert!(!invitation.contains(&code));
    let shown = Desk::start(SIZE);
    let small = code.to_lowercase().replace('-', " ");
    let view = View::with(&share, Some(&shown), &["--fullscreen", "--code", &small]);
    view.program.wait_said("waiting for the sharer's consent", LIMIT);
    assert_eq!(desk.clients(), 1, "a code is no consent");
    share.program.answer("y");
    shown.wait_shows(&desk, LIMIT);
}

#[test]
fn a_code_is_asked_for_and_a_wrong_one_is_told_apart_from_none() {
    let _turn = beside_others();
    let (_desk, share, code) = share();
    let mut asked = View::headless(&share, &[]);
    asked.program.wait_said("? The pairing code", LIMIT);
    asked.program.answer("no code");
    let exit = asked.program.wait_exit(LIMIT);
    assert!(exit.is_error() && exit.said.contains("8 letters and digits"), "{exit:?}");
    let other = if code.starts_with('7') { "8" } else { "7" };
    let wrong = View::headless(&share, &["--code", &format!("{other}{}", &code[1..])]);
    let exit = wrong.program.wait_exit(LIMIT);
    assert!(exit.is_error() && exit.said.contains("the pairing code is wrong"), "{exit:?}");
    let mut right = View::headless(&share, &[]);
    right.program.answer(&code);
    right.program.wait_said("waiting for the sharer's consent", LIMIT);
}
