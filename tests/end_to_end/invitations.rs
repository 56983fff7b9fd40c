//! Invitations that lead nowhere say why.

use farpane::frame::Size;
use farpane_tests::{Desk, Exit, Program, Share, View, beside_others};
use rustix::process::Signal;
use std::path::Path;
use std::time::Duration;

const SIZE: Size = Size::new(320, 240);
const LIMIT: Duration = Duration::from_secs(20);

fn view(invitation: &Path) -> Exit {
    let path = invitation.to_str().unwrap();
    Program::run(&["view", "--headless", "--invite", path], None, LIMIT)
}

#[test]
fn a_changed_invitation_is_refused_wherever_it_was_changed() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::start(&desk);
    let text = std::fs::read_to_string(share.invitation()).unwrap();
    let changed = share.file("changed.invite");
    let body = "farpane-invitation:".len();
    // In the version, the id, the secret, the key, the expiry, the address and the check.
    for at in [0, 10, 40, 100, 130, 145, 160, 190].map(|at| body + at) {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(&changed, bytes).unwrap();
        let exit = view(&changed);
        assert!(exit.is_error(), "byte {at}: {exit:?}");
        let clear = ["changed or damaged", "copy the whole invitation", "update this program"];
        assert!(clear.iter().any(|text| exit.said.contains(text)), "byte {at}: {exit:?}");
    }
    assert!(!share.program.said().contains("SEES"), "{}", share.program.said());
}

#[test]
fn what_is_no_invitation_is_named() {
    let _turn = beside_others();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.invite");
    let missing = view(&file);
    assert!(missing.is_error() && missing.said.contains("test.invite"), "{missing:?}");
    for (content, says) in [
        (String::new(), "not an invitation"),
        ("farpane-invitation:".to_owned(), "not an invitation"),
        ("hello".to_owned(), "not an invitation"),
        ("x".repeat(1 << 20), "too long"),
    ] {
        std::fs::write(&file, &content).unwrap();
        let exit = view(&file);
        assert!(exit.is_error() && exit.said.contains(says), "{exit:?}");
    }
}

#[test]
fn a_second_helper_is_turned_away_and_does_not_disturb_the_first() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::start(&desk);
    let mut first = View::headless(&share, &[]);
    share.program.wait_said("SEES THIS SCREEN", LIMIT);
    let second = view(&share.invitation());
    assert!(second.is_error() && second.said.contains("used already"), "{second:?}");
    assert!(first.program.is_running());
    let said = share.program.said();
    assert!(said.matches("SEES").count() == 1 && !said.contains("is gone"), "{said}");
}

#[test]
fn a_sharer_that_is_not_there_is_an_error_that_names_the_address() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    let share = Share::start(&desk);
    let kept = tempfile::NamedTempFile::new().unwrap();
    std::fs::copy(share.invitation(), kept.path()).unwrap();
    share.program.signal(Signal::INT);
    assert!(share.program.wait_exit(LIMIT).status.success());
    let exit = view(kept.path());
    assert!(exit.is_error(), "{exit:?}");
    assert!(exit.said.contains("sharer") && exit.said.contains("127.0.0.1:"), "{exit:?}");
}

#[test]
fn what_this_version_cannot_do_is_refused_with_what_to_do_instead() {
    let _turn = beside_others();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.invite");
    let share = ["share", "--invite", file.to_str().unwrap(), "--source", "pattern:still,64x64"];
    let cases: [(&[&str], &str); 3] = [
        (&["--allow", "control"], "--allow view"),
        (&["--relay", "turns:192.0.2.1"], "?pin="),
        (&["--listen", "192.0.2.1:1"], "192.0.2.1:1"),
    ];
    for (more, says) in cases {
        let exit = Program::run(&[&share[..], more].concat(), None, LIMIT);
        assert!(exit.is_error() && exit.said.contains(says), "{more:?}: {exit:?}");
        assert!(!file.exists(), "{more:?}");
    }
}

#[test]
fn a_source_that_is_none_is_refused_before_there_is_an_invitation() {
    let _turn = beside_others();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.invite");
    for source in ["", "x12", "x11:", "replay:", "pattern:nothing", "xcap:1"] {
        let share = ["share", "--invite", file.to_str().unwrap(), "--source", source];
        let exit = Program::run(&share, None, LIMIT);
        assert!(exit.is_error() && exit.said.contains(source), "{source}: {exit:?}");
        assert!(!file.exists(), "{source}");
    }
}
