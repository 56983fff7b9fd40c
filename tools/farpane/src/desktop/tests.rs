//! Scenes on real displays.

use super::*;
use std::path::Path;
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

const SIZE: Size = Size::new(1280, 800);

fn look(display: &str) -> Vec<u8> {
    let (conn, root) = manager::connect(display).unwrap();
    let (w, h) = (SIZE.width_px as u16, SIZE.height_px as u16);
    conn.get_image(ImageFormat::Z_PIXMAP, root, 0, 0, w, h, !0).unwrap().reply().unwrap().data
}

/// Runs a scene and counts the different pictures seen when told of its progress.
fn pictures_of(desktop: &mut Desktop, scene: Scene) -> usize {
    let display = desktop.display().to_owned();
    let mut seen = std::collections::HashSet::new();
    let mut look_on = |_: Duration| {
        seen.insert(look(&display));
        ControlFlow::Continue(())
    };
    desktop.run(scene, Duration::from_millis(1200), &mut look_on).unwrap();
    seen.len()
}

/// The command lines of the processes that were started for a display.
fn processes_on(display: &str) -> Vec<String> {
    let wanted = format!("DISPLAY={display}");
    let all = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let folder = entry.ok()?.path();
        let environment = std::fs::read(folder.join("environ")).ok()?;
        let line = std::fs::read(folder.join("cmdline")).ok()?;
        let there = environment.split(|b| *b == 0).any(|v| v == wanted.as_bytes());
        there.then(|| String::from_utf8_lossy(&line).replace('\0', " "))
    });
    all.collect()
}

#[test]
fn every_scene_is_seen_and_leaves_nothing_behind() {
    let mut desktop = Desktop::start(SIZE).unwrap();
    let empty = look(desktop.display());
    for scene in Scene::ALL {
        let pictures = pictures_of(&mut desktop, scene);
        assert!(pictures >= 4, "{scene:?} showed {pictures} pictures");
        let (conn, root) = manager::connect(desktop.display()).unwrap();
        // The X server takes a window away when its owner is gone, a moment after the process.
        while look(desktop.display()) != empty {
            conn.query_tree(root).unwrap().reply().unwrap();
        }
    }
    assert_eq!(processes_on(desktop.display()).len(), 1, "the window manager is left alone");
    let server = desktop._xvfb.as_ref().unwrap().pid();
    let display = desktop.display().to_owned();
    drop(desktop);
    assert_eq!(processes_on(&display), Vec::<String>::new());
    assert!(!Path::new(&format!("/proc/{server}")).exists(), "the X server is left");
}

#[test]
fn a_scene_ends_early_when_asked_and_its_shell_with_it() {
    let mut desktop = Desktop::start(SIZE).unwrap();
    let begin = std::time::Instant::now();
    let mut stop = |_: Duration| ControlFlow::Break(());
    desktop.scroll_terminal(Duration::from_secs(600), &mut stop).unwrap();
    desktop.type_text(Duration::from_secs(600), &mut stop).unwrap();
    desktop.drag_window(Duration::from_secs(600), &mut stop).unwrap();
    assert_eq!(processes_on(desktop.display()).len(), 1, "the window manager is left alone");
    assert!(begin.elapsed() < Duration::from_secs(60));
}

#[test]
fn dragging_needs_a_window_manager_and_says_which() {
    let xvfb = Xvfb::start(SIZE, DEPTH).unwrap();
    let mut desktop = Desktop::on(xvfb.display()).unwrap();
    let error = desktop
        .drag_window(Duration::from_secs(1), &mut |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(format!("{error:#}").contains("install the Debian package openbox"), "{error:#}");
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    let tool = Tool { program: "no-such-program-here", package: "xterm" };
    assert!(!tool.is_installed());
    let error = tool.spawn(tool.command(":0")).map(|_| ()).unwrap_err().to_string();
    let expected = "no-such-program-here is not installed; install the Debian package xterm";
    assert_eq!(error, expected);
    let error = Desktop::on(":6543").map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("cannot open the display :6543"), "{error}");
}
