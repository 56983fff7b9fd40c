//! A still desktop costs nothing.

use farpane::capture::monotonic_us;
use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, alone, cpu_time};
use rustix::process::Signal;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);
/// How long nothing happens.
const STILL: Duration = Duration::from_secs(5);

#[test]
fn a_still_desktop_sends_nothing_and_takes_less_than_a_hundredth_of_a_core() {
    let _turn = alone();
    let size = Size::new(1280, 800);
    let (shared, shown) = (Desk::start(size), Desk::start(size));
    let share = Share::start(&shared);
    let view = View::on(&shown, &share);
    (0..30).for_each(|step| shared.draw(step));
    shown.wait_shows(&shared, LIMIT);
    share.updates().wait_quiet(LIMIT);
    let pids = [share.program.pid(), view.program.pid()];
    let (begun_us, begun, before) = (monotonic_us(), Instant::now(), pids.map(cpu_time));
    // Time itself is what is measured here.
    std::thread::sleep(STILL);
    let (ended_us, took, after) = (monotonic_us(), begun.elapsed(), pids.map(cpu_time));
    for (n, side) in ["share", "view"].into_iter().enumerate() {
        let used = after[n].saturating_sub(before[n]);
        let percent = 100.0 * used.as_secs_f64() / took.as_secs_f64();
        assert!(percent < 1.0, "{side}: {used:?} in {took:?}, {percent:.2} % of a core");
    }
    // The files are whole once both sides have ended.
    let files = [(share.updates(), "sent_us"), (view.updates(), "composed_us")];
    view.program.signal(Signal::INT);
    assert!(view.program.wait_exit(LIMIT).status.success());
    share.program.wait_said("is gone", LIMIT);
    for (updates, time) in files {
        let times: Vec<u64> = updates.lines().iter().filter_map(|u| u[time].as_u64()).collect();
        assert!(times.iter().any(|at| *at < begun_us), "{time} of the drawings is missing");
        let late = times.iter().filter(|at| (begun_us..ended_us).contains(*at)).count();
        assert_eq!(late, 0, "updates of a desktop that did not change, by {time}");
    }
}
