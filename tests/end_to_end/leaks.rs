//! What comes goes: descriptors, threads, memory, processes, files.

use farpane::frame::Size;
use farpane::net::Identity;
use farpane_tests::{
    Desk, HelperApp, Resources, Share, SharerApp, View, alone, beside_others, is_running,
    load_invitation, segments_of, socket_path, wait_for,
};
use rustix::process::Signal;
use std::process::Command;
use std::time::{Duration, Instant};

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);
/// How often something is repeated. One thing left behind each time cannot hide.
const CYCLES: u32 = 20;
/// A sharer makes the three frames that it captures into when it first needs each.
const LATER_FRAMES: usize = 2;
/// Set for the copy of this test that has a process to itself.
const BY_ITSELF: &str = "FARPANE_TEST_BY_ITSELF";

/// Waits until process `pid` holds no more than `before` and the frames that were not needed yet;
/// what is on its way out may take a moment.
fn wait_flat(what: &str, pid: u32, before: &Resources) {
    let before = &Resources { shared_maps: before.shared_maps + LATER_FRAMES, ..*before };
    let mut now = Resources::of(pid);
    let deadline = Instant::now() + Duration::from_secs(8);
    while now.exceeds(before) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
        now = Resources::of(pid);
    }
    assert!(!now.exceeds(before), "{what} holds {now:?} after {before:?}");
}

#[test]
fn a_sharer_holds_no_more_after_twenty_helpers_who_take_over_from_each_other() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let mut share = Share::start(&desk);
    let invitation = load_invitation(&share.invitation());
    let identity = Identity::generate().unwrap();
    let picture = || desk.picture();
    let mut helper = HelperApp::join_as(&invitation, &identity);
    helper.wait_picture(LIMIT, picture);
    let pids = [share.program.pid(), desk.pid()];
    let mut before = pids.map(Resources::of);
    for cycle in 0..CYCLES + 2 {
        if cycle == 2 {
            before = pids.map(Resources::of);
        }
        desk.draw(cycle);
        let next = HelperApp::join_as(&invitation, &identity);
        drop(std::mem::replace(&mut helper, next));
        helper.wait_picture(LIMIT, picture);
    }
    wait_flat("share", pids[0], &before[0]);
    wait_flat("the display", pids[1], &before[1]);
    assert!(share.program.is_running());
}

#[test]
fn a_sharer_holds_no_more_after_twenty_changes_of_size() {
    let _turn = beside_others();
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    let share = Share::start(&desk);
    let view = View::on(&shown, &share);
    let pids = [share.program.pid(), view.program.pid(), desk.pid(), shown.pid()];
    let cycle = |n: u32| {
        desk.resize(480, 360);
        desk.draw(2 * n);
        shown.wait_shows(&desk, LIMIT);
        desk.resize(640, 480);
        desk.draw(2 * n + 1);
        shown.wait_shows(&desk, LIMIT);
    };
    (0..2).for_each(cycle);
    let before = pids.map(Resources::of);
    (2..2 + CYCLES / 2).for_each(cycle);
    for (n, what) in
        ["share", "view", "the sharer's display", "the helper's display"].into_iter().enumerate()
    {
        wait_flat(what, pids[n], &before[n]);
    }
}

/// Runs in a process of its own, because other tests open and close descriptors here.
#[test]
fn the_library_holds_no_more_after_twenty_helpers_have_come_and_gone() {
    let name = "leaks::the_library_holds_no_more_after_twenty_helpers_have_come_and_gone";
    if std::env::var_os(BY_ITSELF).is_none() {
        let _turn = beside_others();
        let test = std::env::current_exe().unwrap();
        let mut command = Command::new(test);
        let output = command.args(["--exact", name]).env(BY_ITSELF, "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let desk = Desk::start(SIZE);
    let app = SharerApp::start(&format!("x11:{}", desk.display()));
    let pids = [std::process::id(), desk.pid()];
    let mut before = pids.map(Resources::of);
    for cycle in 0..CYCLES + 2 {
        if cycle == 2 {
            before = pids.map(Resources::of);
        }
        desk.draw(cycle);
        let mut helper = HelperApp::join(&app.invite());
        helper.wait_picture(LIMIT, || desk.picture());
        drop(helper);
        wait_for("the capture ends", LIMIT, || desk.clients() == 1);
    }
    wait_flat("both sides", pids[0], &before[0]);
    wait_flat("the display", pids[1], &before[1]);
}

#[test]
fn nothing_is_left_when_a_session_is_over() {
    let _turn = alone();
    let (desk, shown) = (Desk::start(SIZE), Desk::start(SIZE));
    let share = Share::start(&desk);
    let view = View::on(&shown, &share);
    desk.draw(1);
    shown.wait_shows(&desk, LIMIT);
    let programs = [share.program.pid(), view.program.pid()];
    let servers = [desk.pid(), shown.pid()];
    let sockets = [socket_path(desk.display()), socket_path(shown.display())];
    share.program.signal(Signal::INT);
    let exits = [share.program.wait_exit(LIMIT), view.program.wait_exit(LIMIT)];
    assert!(exits.iter().all(|exit| exit.status.success()), "{exits:?}");
    assert_eq!([desk.clients(), shown.clients()], [1, 1], "connections to the displays");
    drop((desk, shown));
    for pid in programs.into_iter().chain(servers) {
        assert!(!is_running(pid), "process {pid}");
        assert_eq!(segments_of(pid), 0, "segments of process {pid}");
    }
    for socket in sockets {
        assert!(!socket.exists(), "{} is left", socket.display());
    }
}
