//! Messages, clipboards and files: where they may, and only there.

use farpane::frame::Size;
use farpane_proto::control::{CLIPBOARD_BLOB, Control, FILE_PIECE_BLOB, FilePiece, WireRights};
use farpane_tests::{Desk, ModifiedHelper, Share, View, beside_others, holds_for, wait_for};
use std::path::Path;
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(30);
const ALL: &str = "clipboard-in,clipboard-out,file-in,file-out";

/// A session in which all of it is allowed, with a folder at each end.
fn session(channels: &[&str]) -> (Desk, Share, View, [tempfile::TempDir; 2]) {
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let path = |side: usize| folders[side].path().to_str().unwrap();
    let mut more = vec!["--consent", "ask", "--files", path(0)];
    more.extend(["--allow", if channels.is_empty() { "view" } else { "control" }]);
    more.extend(channels);
    let mut share = Share::with(&desk, &more);
    let mut more = vec!["--chat", "--files", path(1)];
    more.extend(["--ask", if channels.is_empty() { "view" } else { "control" }]);
    more.extend(channels);
    let view = View::headless(&share, &more);
    share.program.wait_said("Allow? [y/N]", LIMIT);
    share.program.answer("y");
    view.program.wait_said("the session goes on", LIMIT);
    (desk, share, view, folders)
}

/// A file with bytes that repeat nowhere soon.
fn file(folder: &Path, name: &str, bytes: usize) -> String {
    let mut state = 7_u64;
    let content: Vec<u8> = (0..bytes)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .collect();
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn messages_clipboards_and_files_go_both_ways_where_they_may() {
    let _turn = beside_others();
    let (_desk, mut share, mut view, folders) = session(&["--channels", ALL]);
    view.program.answer("hello from the helper");
    share.program.wait_said(": hello from the helper", LIMIT);
    share.program.answer("hello from the sharer");
    view.program.wait_said("sharer: hello from the sharer", LIMIT);
    view.program.answer("/copy of the helper");
    share.program.wait_said("the clipboard of helper 1: of the helper", LIMIT);
    share.program.answer("/copy of the sharer");
    view.program.wait_said("the sharer's clipboard: of the sharer", LIMIT);
    let source = tempfile::tempdir().unwrap();
    let sizes = [("empty", 0), ("one.bin", 1), ("piece.bin", 32 << 10), ("large.bin", 3 << 20)];
    for (name, bytes) in sizes {
        let path = file(source.path(), name, bytes);
        let sent = std::fs::read(&path).unwrap();
        view.program.answer(&format!("/send {path}"));
        share.program.wait_said(&format!("{name} ({bytes} bytes)"), LIMIT);
        let arrived = |side: usize| std::fs::read(folders[side].path().join(name)).ok();
        wait_for("the file at the sharer", LIMIT, || arrived(0).as_ref() == Some(&sent));
        share.program.answer(&format!("/send {path}"));
        wait_for("the file at the helper", LIMIT, || arrived(1).as_ref() == Some(&sent));
    }
    let names = |side: usize| std::fs::read_dir(folders[side].path()).unwrap().count();
    assert_eq!([names(0), names(1)], [4, 4], "no part is left");
}

#[test]
fn a_file_under_way_stops_when_control_is_taken_back() {
    let _turn = beside_others();
    let (_desk, mut share, mut view, folders) = session(&["--channels", ALL]);
    let source = tempfile::tempdir().unwrap();
    let path = file(source.path(), "huge.bin", 200 << 20);
    view.program.answer(&format!("/send {path}"));
    let part = || std::fs::read_dir(folders[0].path()).unwrap().flatten().next();
    let bytes = || part().and_then(|part| Some(part.metadata().ok()?.len())).unwrap_or_default();
    wait_for("some of the file", LIMIT, || bytes() > 100_000);
    share.program.answer("/view");
    view.program.wait_said("a file was not transferred", LIMIT);
    share.program.wait_said("a file was not transferred", LIMIT);
    wait_for("no part to be left", LIMIT, || part().is_none());
    view.program.answer(&format!("/send {path}"));
    view.program.wait_said("does not allow files in this direction", LIMIT);
}

#[test]
fn whoever_only_views_moves_no_clipboard_and_no_file() {
    let _turn = beside_others();
    let (desk, mut share, mut view, folders) = session(&[]);
    let source = tempfile::tempdir().unwrap();
    let path = file(source.path(), "a.bin", 1_000);
    for (program, words) in
        [(&mut view.program, "not allow"), (&mut share.program, "does not allow this now")]
    {
        program.answer("/copy a secret");
        program.answer(&format!("/send {path}"));
        program.wait_said(words, LIMIT);
    }
    drop(view);
    share.program.wait_said("is gone", LIMIT);
    drop(share);
    // The same by a helper that does not care what it may do.
    let folder = folders[0].path().to_str().unwrap();
    let share = Share::with(&desk, &["--consent", "auto", "--files", folder]);
    let helper = ModifiedHelper::connect(&share.invitation());
    assert!(helper.say(&Control::hello("Mallory", 0)));
    assert!(helper.say(&Control::Ask(WireRights { mode: 0, capabilities: 0b1 })));
    wait_for("the session", LIMIT, || helper.heard().contains(&Control::Resumed));
    let mut sent = 0;
    for id in 0..8 {
        assert!(helper.say(&Control::FileOffer { id, name: "a.bin".into(), bytes: 10 }));
        assert!(helper.say(&Control::Chat("unasked".into())));
        assert!(helper.say(&Control::Sealed(vec![0; 64])));
        let piece = FilePiece { id, offset: 0, bytes: b"0123456789" }.to_bytes();
        wait_for("room", LIMIT, || helper.send(FILE_PIECE_BLOB, piece.clone()));
        wait_for("room", LIMIT, || helper.send(CLIPBOARD_BLOB, b"pasted".to_vec()));
        sent += 5;
    }
    let refused = |message: &Control| matches!(message, Control::FileAnswer { wanted: false, .. });
    wait_for("every offer to be refused", LIMIT, || {
        helper.heard().iter().filter(|message| refused(message)).count() == 8
    });
    assert!(holds_for(Duration::from_millis(300), || {
        let said = share.program.said();
        !["unasked", "pasted", "sends", "answers the prompt"].iter().any(|w| said.contains(w))
            && std::fs::read_dir(folders[0].path()).unwrap().next().is_none()
    }));
    println!("channels: {sent} messages by closed channels moved nothing");
}

#[test]
fn who_floods_or_talks_nonsense_is_sent_away() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let flood = |message: Control, times: usize| vec![message.to_bytes(); times];
    let rights = WireRights { mode: 0, capabilities: 0b1_0000_0111 };
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("chat", flood(Control::Chat("a".into()), 200)),
        ("holds", flood(Control::Hold(true), 200)),
        ("asks", flood(Control::Ask(rights), 200)),
        ("offers", flood(Control::FileOffer { id: 1, name: "a".into(), bytes: 1 }, 200)),
        ("heads", flood(Control::AuditHead(vec![0; 200]), 200)),
        ("a kind of no message", vec![vec![200]]),
        ("what sharers say", vec![Control::ConsentPending.to_bytes()]),
        ("granted", vec![Control::Granted(rights).to_bytes()]),
        ("cut off", vec![vec![17, 1]]),
        ("control characters", vec![[&[16], "a\u{1b}[2J".as_bytes()].concat()]),
    ];
    let count = cases.len() + 1;
    for (what, messages) in cases {
        let share = Share::with(&desk, &["--consent", "auto"]);
        let helper = ModifiedHelper::connect(&share.invitation());
        assert!(helper.say(&Control::hello("Mallory", 0)));
        assert!(helper.say(&Control::Ask(WireRights { mode: 0, capabilities: 1 })));
        wait_for("the session", LIMIT, || helper.heard().contains(&Control::Resumed));
        for message in messages {
            if helper.closed().is_some() {
                break;
            }
            helper.say_bytes(message);
        }
        wait_for(&format!("{what}: the end"), LIMIT, || helper.closed().is_some());
        share.program.wait_said("is gone: something failed", LIMIT);
    }
    let share = Share::with(&desk, &["--consent", "auto"]);
    let helper = ModifiedHelper::connect(&share.invitation());
    assert!(helper.say(&Control::hello("Mallory", 0)));
    assert!(helper.say(&Control::Ask(WireRights { mode: 0, capabilities: 1 })));
    wait_for("the session", LIMIT, || helper.heard().contains(&Control::Resumed));
    wait_for("clipboards: the end", LIMIT, || {
        helper.send(CLIPBOARD_BLOB, b"again".to_vec());
        helper.closed().is_some()
    });
    println!("limits: {count} helpers that flood or talk nonsense sent away");
}
