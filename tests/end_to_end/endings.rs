//! How sessions end: by a person, and by a process that is killed.

use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, alone, beside_others, wait_for};
use rustix::process::Signal;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// A person who ends it is obeyed within this time on both sides.
const PROMPT: Duration = Duration::from_secs(1);
/// The idle timeout of 7 s, a keep-alive interval of 3 s, and two for a busy machine.
const NOTICED: Duration = Duration::from_secs(12);

fn session(more: &[&str]) -> (Desk, Share, View) {
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let share = Share::start(&desk);
    let view = View::headless(&share, more);
    wait_for("the first update", LIMIT, || !share.updates().lines().is_empty());
    (desk, share, view)
}

#[test]
fn the_sharer_ends_both_sides_within_a_second() {
    let _turn = alone();
    let (desk, share, view) = session(&[]);
    let begun = Instant::now();
    share.program.signal(Signal::INT);
    let (helper, sharer) = (view.program.wait_exit(LIMIT), share.program.wait_exit(LIMIT));
    let took = begun.elapsed();
    assert!(helper.said.contains("the sharer ended the session"), "{helper:?}");
    assert!(sharer.said.contains("sharing has ended"), "{sharer:?}");
    assert!(helper.status.success() && sharer.status.success(), "{helper:?} {sharer:?}");
    assert!(took < PROMPT, "{took:?}");
    assert_eq!(desk.clients(), 1, "the display is left");
}

#[test]
fn the_helper_ends_its_side_at_once_and_the_sharer_is_told_within_a_second() {
    let _turn = alone();
    let (desk, share, view) = session(&[]);
    let begun = Instant::now();
    view.program.signal(Signal::INT);
    share.program.wait_said("is gone: the helper ended the session", LIMIT);
    let helper = view.program.wait_exit(LIMIT);
    let took = begun.elapsed();
    assert!(helper.status.success(), "{helper:?}");
    assert!(took < PROMPT, "{took:?}");
    wait_for("the capture ends", PROMPT, || desk.clients() == 1);
}

#[test]
fn a_polite_kill_is_as_good_as_ctrl_c() {
    let _turn = beside_others();
    let (_desk, share, view) = session(&[]);
    share.program.signal(Signal::TERM);
    let (helper, sharer) = (view.program.wait_exit(LIMIT), share.program.wait_exit(LIMIT));
    assert!(helper.status.success() && sharer.status.success(), "{helper:?} {sharer:?}");
    assert!(helper.said.contains("the sharer ended the session"), "{helper:?}");
}

#[test]
fn a_killed_sharer_is_noticed_and_tried_again_until_the_time_is_over() {
    let _turn = beside_others();
    const FOR: Duration = Duration::from_secs(13);
    let begun = Instant::now();
    let (_desk, share, view) = session(&["--for", "13"]);
    let killed = Instant::now();
    share.program.signal(Signal::KILL);
    view.program.wait_said("the connection is lost", NOTICED);
    assert!(killed.elapsed() < NOTICED);
    view.program.wait_said("trying again", PROMPT);
    let exit = view.program.wait_exit(LIMIT);
    let over = begun.elapsed().saturating_sub(FOR);
    assert!(exit.status.code().is_some() && !exit.said.contains("panicked"), "{exit:?}");
    assert!(!exit.said.contains("within a minute"), "13 s are no minute: {exit:?}");
    assert!(over < Duration::from_secs(3), "it ended {over:?} after its time: {exit:?}");
}

#[test]
fn ctrl_c_ends_a_helper_that_tries_again() {
    let _turn = beside_others();
    let (_desk, share, view) = session(&[]);
    share.program.signal(Signal::KILL);
    view.program.wait_said("trying again", NOTICED);
    view.program.signal(Signal::INT);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.after < Duration::from_secs(2), "{exit:?}");
    assert!(!exit.said.contains("within a minute"), "{exit:?}");
}

#[test]
fn a_killed_helper_is_noticed_and_the_capture_ends() {
    let _turn = beside_others();
    let (desk, mut share, view) = session(&[]);
    view.program.signal(Signal::KILL);
    share.program.wait_said("is gone: the connection was lost", NOTICED);
    wait_for("the capture ends", LIMIT, || desk.clients() == 1);
    assert!(share.program.is_running());
}

#[test]
fn both_sides_end_when_their_time_is_over() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::with(&desk, &["--consent", "auto", "--for", "3"]);
    let view = View::headless(&share, &["--for", "1"]);
    let helper = view.program.wait_exit(LIMIT);
    assert!(helper.status.success(), "{helper:?}");
    let sharer = share.program.wait_exit(LIMIT);
    assert!(sharer.status.success() && sharer.said.contains("sharing has ended"), "{sharer:?}");
}
