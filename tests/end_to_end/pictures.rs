//! The helper's picture equals the sharer's display.

use farpane::frame::Size;
use farpane_tests::{Desk, Program, Share, View, beside_others, difference, read_png, wait_for};
use rustix::process::Signal;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// A program on a display, killed and reaped when dropped.
struct Application(Child);

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a helper's snapshot, taken after `drawings`, equals an independent look at the display.
fn assert_seen_exactly(desk: &Desk, share: &Share, drawings: std::ops::Range<u32>) {
    let snapshot = share.file("seen.png");
    let view = View::headless(share, &["--snapshot", snapshot.to_str().unwrap()]);
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    drawings.for_each(|step| desk.draw(step));
    share.updates().wait_quiet(LIMIT);
    view.program.signal(Signal::INT);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.status.success(), "{exit:?}");
    let seen = read_png(&snapshot);
    assert_eq!(difference(&seen.view(), &desk.picture().view()), None);
}

#[test]
fn a_snapshot_equals_an_independent_look_at_the_display() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(801, 603));
    (0..10).for_each(|step| desk.draw(step));
    assert_seen_exactly(&desk, &Share::start(&desk), 10..60);
}

#[test]
fn a_gpu_compares_a_display_as_exactly() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(640, 480));
    let share = Share::with(&desk, &["--consent", "auto", "--processor", "gpu"]);
    assert_seen_exactly(&desk, &share, 0..30);
    let said = share.program.said();
    assert!(said.contains("as asked") && !said.contains("comparing on the CPU"), "{said}");
}

#[test]
fn a_window_on_another_display_shows_what_applications_draw() {
    let _turn = beside_others();
    let shared = Desk::start(Size::new(800, 600));
    let shown = Desk::start(Size::new(800, 600));
    let share = Share::start(&shared);
    let _view = View::on(&shown, &share);
    let blank = shared.picture();
    let xterm = Command::new("xterm")
        .args(["-geometry", "80x30+40+40", "-e", "seq 1 400; exec cat"])
        .env("DISPLAY", shared.display())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("xterm is installed");
    let xterm = Application(xterm);
    wait_for("the terminal draws", LIMIT, || {
        difference(&shared.picture().view(), &blank.view()).is_some()
    });
    (0..40).for_each(|step| shared.draw(step));
    shown.wait_shows(&shared, LIMIT);
    drop(xterm);
    wait_for("the terminal closes", LIMIT, || shared.windows() == 0);
    shown.wait_shows(&shared, LIMIT);
}

#[test]
fn the_helper_follows_a_display_that_changes_its_size() {
    let _turn = beside_others();
    // The largest size is the one that the server starts with.
    let (shared, shown) = (Desk::start(Size::new(1024, 768)), Desk::start(Size::new(1024, 768)));
    let share = Share::start(&shared);
    let mut view = View::on(&shown, &share);
    (0..5).for_each(|step| shared.draw(step));
    shown.wait_shows(&shared, LIMIT);
    for (n, (width, height)) in
        [(640, 480), (321, 203), (1024, 768), (800, 600), (1024, 767)].iter().enumerate()
    {
        shared.resize(*width, *height);
        shared.draw(100 + n as u32);
        assert_eq!(shared.size(), Size::new((*width).into(), (*height).into()));
        shown.wait_shows(&shared, LIMIT);
    }
    assert!(view.program.is_running());
    assert!(!share.program.said().contains("is gone"), "{}", share.program.said());
}

#[test]
fn a_recorded_desktop_is_replayed_to_the_last_pixel() {
    let _turn = beside_others();
    let desk = Desk::start(Size::new(500, 400));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (trace, last) = (file("desk.trace"), file("last.png"));
    let source = format!("x11:{}", desk.display());
    let args = ["record-trace", "--out", &trace, "--source", &source, "--for", "3"];
    let record = Program::start(&args, None);
    wait_for("the recorder opens the display", LIMIT, || desk.clients() > 1);
    (0..20).for_each(|step| desk.draw(step));
    let exit = record.wait_exit(LIMIT);
    assert!(exit.status.success(), "{exit:?}");
    let exit = Program::run(&["replay", &trace, "--snapshot", &last, "--json"], None, LIMIT);
    assert!(exit.status.success(), "{exit:?}");
    assert_eq!(difference(&read_png(last.as_ref()).view(), &desk.picture().view()), None);
}
