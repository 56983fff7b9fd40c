//! Many grabs, a long idle and many lost displays leave nothing behind. The only test of its
//! binary, as it counts what the whole process holds.

use farpane_capture::{
    CaptureEvent, CaptureSource, Transport, X11Options, X11Source, Xvfb, monotonic_us,
};
use farpane_frame::Size;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ChangeGCAux, ConnectionExt as _, CreateGCAux, Rectangle};
use x11rb::wrapper::ConnectionExt as _;

const GRABS: u32 = 100_000;
const LONG: Duration = Duration::from_secs(20);

/// What a process holds of the system's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    segments: usize,
}

fn holdings() -> Holdings {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let segments = maps.matches("memfd:farpane-capture").count() + maps.matches("/SYSV").count();
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Holdings { descriptors, segments }
}

fn segments_of(pid: u32) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    maps.matches("memfd:farpane-capture").count() + maps.matches("/SYSV").count()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted[(sorted.len() - 1) * percent / 100]
}

fn open(server: &Xvfb, transport: Option<Transport>) -> X11Source {
    let display = Some(server.display().to_owned());
    let options = X11Options { display, transport, ..X11Options::default() };
    X11Source::open(options).unwrap()
}

#[test]
fn grabs_and_reconnects_leave_nothing_behind() {
    let size = Size::new(1920, 1080);
    let mut server = Xvfb::start(size, 24).unwrap();
    many_grabs(&server);
    let display = server.display().to_owned();
    for transport in [Transport::Memfd, Transport::SysV] {
        let mut source = open(&server, Some(transport));
        while !matches!(source.next(LONG).unwrap(), CaptureEvent::Frame(_)) {}
        let before = holdings();
        assert_eq!((before.segments, segments_of(server.pid())), (1, 1), "{transport:?}");
        for round in 1..=3 {
            drop(server);
            while !matches!(source.next(LONG).unwrap(), CaptureEvent::Lost(_)) {}
            assert_eq!(holdings().segments, 0, "freed with the display");
            server = Xvfb::start_on(&display, size, 24).unwrap();
            while !matches!(source.next(LONG).unwrap(), CaptureEvent::Frame(_)) {}
            assert_eq!(holdings(), before);
            assert_eq!(segments_of(server.pid()), 1);
            assert_eq!(source.counters().reconnects, round);
        }
        drop(source);
        assert_eq!(holdings().segments, 0);
    }
}

/// A square that changes place and colour, captured each time.
fn many_grabs(server: &Xvfb) {
    let mut source = open(server, None);
    let (conn, screen) = x11rb::connect(Some(server.display())).unwrap();
    let root = conn.setup().roots[screen].root;
    let gc = conn.generate_id().unwrap();
    conn.create_gc(gc, root, &CreateGCAux::new()).unwrap();
    let mut latencies_us = Vec::with_capacity(GRABS as usize);
    let mut warm = None;
    for i in 0..GRABS {
        conn.change_gc(gc, &ChangeGCAux::new().foreground(i)).unwrap();
        let (x, y) = ((i * 37 % 1856) as i16, (i * 23 % 1016) as i16);
        let square = Rectangle { x, y, width: 64, height: 64 };
        conn.poly_fill_rectangle(root, gc, &[square]).unwrap();
        // A round trip now and then lets this client forget its own requests.
        if i % 1_000 == 0 {
            conn.sync().unwrap()
        } else {
            conn.flush().unwrap()
        }
        loop {
            if let CaptureEvent::Frame(frame) = source.next(LONG).unwrap() {
                latencies_us.push(monotonic_us() - frame.notice_us);
                break;
            }
        }
        if i == GRABS / 2 {
            warm = Some((holdings(), segments_of(server.pid()), resident_kib()));
        }
    }
    let (held, at_server, kib) = warm.unwrap();
    assert_eq!(holdings(), held);
    assert_eq!(segments_of(server.pid()), at_server);
    let grown = resident_kib().saturating_sub(kib);
    assert!(grown < 1024, "{grown} KiB more after {GRABS} grabs");
    latencies_us.sort_unstable();
    let (p50, p95) = (percentile(&latencies_us, 50), percentile(&latencies_us, 95));
    println!("notice to pixels of a 64x64 square: p50 {p50} us, p95 {p95} us, {grown} KiB grown");
    let full_us = full_grabs(&mut source);
    println!("full frame: p50 {} us, p95 {} us", full_us.0, full_us.1);
    watchdog_cost(server);
}

/// The processor time of this thread, in microseconds.
fn thread_us() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec as u64 * 1_000_000 + t.tv_nsec as u64 / 1_000
}

fn switches() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

/// A quiet screen wakes its source up only for the watchdog, whose looks cost little.
fn watchdog_cost(server: &Xvfb) {
    let mut asleep = open(server, None);
    while !matches!(asleep.next(Duration::ZERO).unwrap(), CaptureEvent::Idle) {}
    let (checks, before) = (asleep.counters().watchdog_checks, switches());
    assert!(matches!(asleep.next(Duration::from_secs(2)).unwrap(), CaptureEvent::Idle));
    let (checks, woken) = (asleep.counters().watchdog_checks - checks, switches() - before);
    println!("{woken} wake-ups and {checks} looks in 2 s of nothing");
    // The end of the wait; two looks at the pointer after the last activity, each a timer and an
    // answer; up to four waits for each look of the watchdog.
    assert!(woken <= 1 + 2 * 2 + 4 * checks, "{woken} wake-ups, {checks} looks");

    let display = Some(server.display().to_owned());
    let watchdog = Some(Duration::from_millis(2));
    let mut source =
        X11Source::open(X11Options { display, watchdog, ..X11Options::default() }).unwrap();
    // Until every band was handed out once.
    while source.counters().watchdog_checks < 40 {
        source.next(Duration::from_millis(10)).unwrap();
    }
    let (checks, frames, us) =
        (source.counters().watchdog_checks, source.counters().frames, thread_us());
    assert!(matches!(source.next(Duration::from_secs(2)).unwrap(), CaptureEvent::Idle));
    assert_eq!(source.counters().frames, frames, "nothing changed");
    let looks = source.counters().watchdog_checks - checks;
    let each_us = (thread_us() - us) / looks;
    println!("watchdog: {looks} looks of {each_us} us each");
    // At one look every 4 s.
    assert!(each_us < 4_000, "a look costs {each_us} us, more than 0.1 % of a core");
}

fn full_grabs(source: &mut X11Source) -> (u64, u64) {
    let mut took_us = Vec::new();
    while took_us.len() < 300 {
        source.refresh();
        if let CaptureEvent::Frame(frame) = source.next(LONG).unwrap() {
            took_us.push(monotonic_us() - frame.capture_us);
        }
    }
    took_us.sort_unstable();
    (percentile(&took_us, 50), percentile(&took_us, 95))
}
