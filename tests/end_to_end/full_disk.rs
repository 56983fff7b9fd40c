//! A disk that is full hurts what is written to it and nothing else.

use farpane::frame::Size;
use farpane_tests::{Desk, Program, Share, SmallDisk, View, beside_others, wait_for};
use rustix::process::Signal;
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// What the system says of a full disk.
const FULL: &str = "No space left on device";

/// More updates than statistics of which fit a small disk.
fn draw_until_both_say(text: &str, desk: &Desk, share: &Share, view: &View) {
    let mut step = 0;
    wait_for("both sides report the full disk", LIMIT, || {
        desk.draw(step);
        step += 1;
        share.program.said().contains(text) && view.program.said().contains(text)
    });
    // A while longer: it must not be said again.
    (0..50).for_each(|n| desk.draw(step + n));
}

#[test]
fn statistics_stop_with_one_message_and_the_session_goes_on() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    let (of_share, of_view) = (disk.file("share.jsonl"), disk.file("view.jsonl"));
    let (shared, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    let more = ["--consent", "auto", "--stats", of_share.to_str().unwrap()];
    let mut share = Share::with(&shared, &more);
    let more = ["--fullscreen", "--stats", of_view.to_str().unwrap()];
    let mut view = View::with(&share, Some(&shown), &more);
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    draw_until_both_say("statistics stop here", &shared, &share, &view);
    shown.wait_shows(&shared, LIMIT);
    assert!(share.program.is_running() && view.program.is_running());
    view.program.signal(Signal::INT);
    share.program.wait_said("is gone", LIMIT);
    share.program.signal(Signal::INT);
    for exit in [view.program.wait_exit(LIMIT), share.program.wait_exit(LIMIT)] {
        assert!(exit.status.success(), "{exit:?}");
        assert_eq!(exit.said.matches("statistics stop here").count(), 1, "{exit:?}");
        assert!(exit.said.contains(FULL), "{exit:?}");
    }
}

#[test]
fn a_recording_ends_with_an_error() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    let trace = disk.file("desk.trace");
    let path = trace.to_str().unwrap();
    // Noise, because it cannot be made smaller.
    let args = ["record-trace", "--out", path, "--source", "pattern:noise,640x480", "--for", "10"];
    let exit = Program::run(&args, None, LIMIT);
    assert!(exit.is_error(), "{exit:?}");
    assert!(exit.said.contains(FULL) && exit.said.contains(path), "{exit:?}");
    assert!(!exit.said.contains("panicked"), "{exit:?}");
}

#[test]
fn a_snapshot_that_does_not_fit_is_an_error_and_leaves_nothing_behind() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    if !disk.is_mounted() {
        // A device is no folder: without a file system of its own this cannot be shown.
        eprintln!("not root: no file system could be mounted");
        return;
    }
    let desk = Desk::start(Size::new(1024, 768));
    let share = Share::start(&desk);
    let path = disk.file("seen.png");
    let view = View::headless(&share, &["--snapshot", path.to_str().unwrap()]);
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    (0..40).for_each(|step| desk.draw(step));
    share.updates().wait_quiet(LIMIT);
    view.program.signal(Signal::INT);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.is_error(), "{exit:?}");
    assert!(exit.said.contains(FULL) && exit.said.contains("seen.png"), "{exit:?}");
    assert_eq!(disk.names(), [""; 0]);
}

#[test]
fn an_invitation_that_does_not_fit_is_an_error() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    if !disk.is_mounted() {
        eprintln!("not root: no file system could be mounted");
        return;
    }
    // The last page goes too.
    std::fs::write(disk.file("more"), vec![1; 4096]).unwrap();
    let path = disk.file("test.invite");
    let more = ["--listen", "127.0.0.1:0", "--source", "pattern:still,64x64"];
    let args: Vec<&str> =
        ["share", "--invite", path.to_str().unwrap()].into_iter().chain(more).collect();
    let exit = Program::run(&args, None, LIMIT);
    assert!(exit.is_error(), "{exit:?}");
    assert!(exit.said.contains(FULL) && exit.said.contains("test.invite"), "{exit:?}");
    assert_eq!(disk.names(), ["more"]);
}

#[test]
fn what_cannot_be_written_down_does_not_happen_and_the_session_ends() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    if !disk.is_mounted() {
        eprintln!("not root: no file system could be mounted");
        return;
    }
    // Room for the log, its reserve and a session's beginning.
    std::fs::write(disk.file("filling"), vec![1; 8 << 10]).unwrap();
    let log = disk.file("audit");
    let log = log.to_str().unwrap();
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let share = Share::with(&desk, &["--consent", "auto", "--audit", log]);
    let mut view = View::headless(&share, &["--chat"]);
    view.program.wait_said("the session goes on", LIMIT);
    let more = std::fs::write(disk.file("more"), vec![1; 64 << 10]);
    assert!(more.is_err(), "the disk is full");
    wait_for("the end", LIMIT, || {
        view.program.answer_if_open("/hold");
        view.program.answer_if_open("/go");
        std::thread::sleep(Duration::from_millis(100));
        !view.program.is_running()
    });
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.said.contains("the audit log took no entry"), "{exit:?}");
    share.program.wait_said("is gone: the audit log took no entry", LIMIT);
    wait_for("the display is left", LIMIT, || desk.clients() == 1);
    drop(share);
    let exit = Program::run(&["audit", "export", log, "--ocsf"], None, LIMIT);
    assert!(exit.said.contains("session.ended"), "the end has a place of its own: {exit:?}");
    let exit = Program::run(&["audit", "verify", log], None, LIMIT);
    assert!(exit.status.success(), "{exit:?}");
}
