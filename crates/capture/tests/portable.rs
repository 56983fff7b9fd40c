//! The portable source against a real server.
#![cfg(feature = "xcap")]

use farpane_capture::{CaptureEvent, CaptureSource, Damage, Frame, XcapOptions, XcapSource, Xvfb};
use farpane_frame::Size;
use std::process::Command;
use std::time::Duration;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ChangeGCAux, ConnectionExt as _, CreateGCAux, Rectangle};
use x11rb::wrapper::ConnectionExt as _;

/// Set in the process that captures.
const DISPLAY_IS_SET: &str = "FARPANE_TEST_DISPLAY_IS_SET";
const LONG: Duration = Duration::from_secs(30);

/// The library captures the display that the environment names, so that the capturing half of
/// this test runs in a process of its own.
#[test]
fn screenshots_show_what_is_drawn_and_repeats_are_left_out() {
    if std::env::var_os(DISPLAY_IS_SET).is_some() {
        capture();
        return;
    }
    let server = Xvfb::start(Size::new(640, 480), 24).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "screenshots_show_what_is_drawn_and_repeats_are_left_out"])
        .env("DISPLAY", server.display())
        .env(DISPLAY_IS_SET, "1")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("XDG_SESSION_TYPE")
        .status()
        .unwrap();
    assert!(status.success());
}

fn capture() {
    let (conn, screen) = x11rb::connect(None).unwrap();
    let root = conn.setup().roots[screen].root;
    let gc = conn.generate_id().unwrap();
    conn.create_gc(gc, root, &CreateGCAux::new()).unwrap();
    let draw = |colour, x, y| {
        conn.change_gc(gc, &ChangeGCAux::new().foreground(colour)).unwrap();
        let square = Rectangle { x, y, width: 50, height: 40 };
        conn.poly_fill_rectangle(root, gc, &[square]).unwrap();
        conn.sync().unwrap();
    };
    let monitors = farpane_capture::list_portable_monitors().unwrap();
    assert_eq!((monitors[0].area.width, monitors[0].area.height), (640, 480));
    draw(0x10_20_30, 0, 0);
    let options = XcapOptions { monitor: Some(monitors[0].name.clone()), rate_per_s: 20 };
    let mut source = XcapSource::open(options).unwrap();
    let first = frame(&mut source);
    assert_eq!(first.damage, Damage::Unknown);
    assert_eq!(first.pixels.view().rgb(49, 39), [0x10, 0x20, 0x30]);
    assert_eq!(first.pixels.view().rgb(50, 39), [0, 0, 0]);
    let idle = source.next(Duration::from_millis(300)).unwrap();
    assert!(matches!(idle, CaptureEvent::Idle), "nothing changed: {idle:?}");
    draw(0xff_00_01, 300, 200);
    let second = frame(&mut source);
    assert_eq!((second.id, second.generation), (1, first.generation));
    assert_eq!(second.pixels.view().rgb(300, 200), [0xff, 0, 1]);
    let none = XcapOptions { monitor: Some("no such monitor".into()), rate_per_s: 5 };
    assert!(XcapSource::open(none).is_err());
}

fn frame(source: &mut XcapSource) -> Frame {
    match source.next(LONG).unwrap() {
        CaptureEvent::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}
