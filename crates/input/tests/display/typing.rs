//! A real terminal gets the text that the sharer's layout makes of the keys.

use crate::desk::{Desk, EPOCH, LONG, batch, down, up};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use x11rb::protocol::xproto::{ConnectionExt as _, InputFocus, MapState};

/// A terminal in which a program writes what is typed into a file.
struct Terminal(Child);

impl Terminal {
    fn start(desk: &Desk, typed: &Path, ready: &Path) -> Self {
        let before = desk.conn.query_tree(desk.root).unwrap().reply().unwrap().children;
        let script = format!("touch '{}'; exec cat > '{}'", ready.display(), typed.display());
        let mut command = Command::new("xterm");
        command.args(["-u8", "-display", desk.display(), "-e", "sh", "-c", &script]);
        command.env("LC_ALL", "C.UTF-8").stderr(Stdio::null());
        let terminal = Self(command.spawn().expect("xterm"));
        wait(|| ready.exists());
        let mut window = None;
        wait(|| {
            let now = desk.conn.query_tree(desk.root).unwrap().reply().unwrap().children;
            let shown = |w: &u32| {
                let cookie = desk.conn.get_window_attributes(*w).unwrap();
                cookie.reply().is_ok_and(|attributes| attributes.map_state == MapState::VIEWABLE)
            };
            window = now.into_iter().find(|w| !before.contains(w) && shown(w));
            window.is_some()
        });
        let (parent, now) = (InputFocus::PARENT, x11rb::CURRENT_TIME);
        desk.conn.set_input_focus(parent, window.unwrap(), now).unwrap().check().unwrap();
        terminal
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < LONG, "nothing came");
        std::thread::yield_now();
    }
}

/// Types these keys, holds Shift or AltGr where it says so, and gives the line that came.
fn typed(layout: &str, strokes: &[(u32, Option<u32>)]) -> String {
    let desk = Desk::start();
    desk.set_layout(layout);
    let folder = tempfile::tempdir().unwrap();
    let (file, ready) = (folder.path().join("typed"), folder.path().join("ready"));
    let _terminal = Terminal::start(&desk, &file, &ready);
    let (mut injector, _permit) = desk.injector();
    let enter = (0x28, None);
    for (step, (usage, with)) in strokes.iter().copied().chain([enter]).enumerate() {
        let mut events = Vec::from_iter(with.map(down));
        events.extend([down(usage), up(usage)]);
        events.extend(with.map(up));
        injector.apply(&batch(EPOCH, &events), step as u64 * 20_000).unwrap();
    }
    let mut text = String::new();
    wait(|| {
        text = std::fs::read_to_string(&file).unwrap_or_default();
        text.ends_with('\n')
    });
    desk.await_nothing_down();
    text
}

#[test]
fn a_terminal_gets_american_text() {
    let (shift, plain) = (Some(0xe1), None);
    // F a r p a n e , Space, y z ; ' [ ] \ and the same with Shift.
    let strokes = [
        (0x09, shift),
        (0x04, plain),
        (0x15, plain),
        (0x13, plain),
        (0x04, plain),
        (0x11, plain),
        (0x08, plain),
        (0x2c, plain),
        (0x1c, plain),
        (0x1d, plain),
        (0x33, plain),
        (0x34, plain),
        (0x2f, plain),
        (0x30, plain),
        (0x31, plain),
        (0x1f, shift),
        (0x33, shift),
    ];
    assert_eq!(typed("us", &strokes), "Farpane yz;'[]\\@:\n");
}

#[test]
fn a_terminal_gets_german_text() {
    let (shift, alt_gr) = (Some(0xe5), Some(0xe6));
    let strokes = [
        (0x1c, None),
        (0x1d, None),
        (0x33, None),
        (0x34, None),
        (0x2f, None),
        (0x2d, None),
        (0x33, shift),
        (0x24, shift),
        (0x64, None),
        (0x64, shift),
        (0x14, alt_gr),
        (0x08, alt_gr),
        (0x24, alt_gr),
        (0x32, None),
    ];
    assert_eq!(typed("de", &strokes), "zyöäüßÖ/<>@€{#\n");
}
