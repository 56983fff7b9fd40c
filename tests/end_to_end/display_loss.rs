//! X servers that die under the program.

use farpane::frame::Size;
use farpane_tests::{Desk, Program, Share, View, beside_others, high_display, wait_for};
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_display_that_dies_is_reported_and_one_that_comes_back_is_shared() {
    let _turn = beside_others();
    let name = high_display();
    let shared = Desk::start_on(&name, SIZE);
    let shown = Desk::start(SIZE);
    let mut share = Share::start(&shared);
    let mut view = View::on(&shown, &share);
    (0..10).for_each(|step| shared.draw(step));
    shown.wait_shows(&shared, LIMIT);
    shared.kill();
    share.program.wait_said("the display is gone", Duration::from_secs(5));
    let again = Desk::start_on(&name, SIZE);
    (50..60).for_each(|step| again.draw(step));
    shown.wait_shows(&again, LIMIT);
    assert!(share.program.is_running() && view.program.is_running());
}

#[test]
fn a_helper_whose_display_dies_ends_with_an_error_and_leaves_the_session() {
    let _turn = beside_others();
    let shared = Desk::start(SIZE);
    let shown = Desk::start(SIZE);
    let mut share = Share::start(&shared);
    let view = View::on(&shown, &share);
    shared.draw(1);
    shown.wait_shows(&shared, LIMIT);
    shown.kill();
    let exit = view.program.wait_exit(Duration::from_secs(10));
    assert!(exit.is_error(), "{exit:?}");
    assert!(exit.said.contains("display"), "{exit:?}");
    share.program.wait_said("is gone", Duration::from_secs(10));
    wait_for("the capture has ended", LIMIT, || shared.clients() == 1);
    // The invitation was for one helper.
    let invitation = share.invitation();
    let args = ["view", "--headless", "--invite", invitation.to_str().unwrap()];
    let other = Program::run(&args, None, LIMIT);
    assert!(other.is_error() && other.said.contains("used already"), "{other:?}");
    assert!(share.program.is_running());
}

#[test]
fn a_display_that_is_not_there_is_an_error_with_its_name() {
    let _turn = beside_others();
    let shared = Desk::start(SIZE);
    let name = high_display();
    let source = format!("x11:{name}");
    let share = Share::with(&shared, &["--consent", "auto"]);
    let view = View::with(&share, None, &[]);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.is_error() && exit.said.contains("DISPLAY"), "{exit:?}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.trace");
    let args = ["record-trace", "--source", &source, "--out", out.to_str().unwrap()];
    let exit = Program::run(&args, None, LIMIT);
    assert!(exit.is_error() && exit.said.contains(&name), "{exit:?}");
}

#[test]
fn a_screen_that_cannot_be_captured_ends_both_sides_with_the_reason() {
    let _turn = beside_others();
    let folder = tempfile::tempdir().unwrap();
    let invitation = folder.path().join("test.invite");
    let (path, name) = (invitation.to_str().unwrap(), high_display());
    let source = format!("x11:{name}");
    let args = ["--consent", "auto", "--listen", "127.0.0.1:0", "--source", &source];
    let share = Program::start(&[&["share", "--invite", path], &args[..]].concat(), None);
    share.wait_said("invitation for one helper", LIMIT);
    let helper = Program::run(&["view", "--headless", "--invite", path], None, LIMIT);
    let sharer = share.wait_exit(LIMIT);
    assert!(sharer.is_error() && sharer.said.contains(&name), "{sharer:?}");
    assert!(sharer.said.contains("cannot be shared"), "{sharer:?}");
    assert!(helper.said.contains("something failed"), "{helper:?}");
}
