//! An administrator's password: into the prompt, and nowhere else.

use farpane::frame::Size;
use farpane_tests::{Desk, Share, View, beside_others, count_in_memory, wait_for};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

const SIZE: Size = Size::new(640, 480);
const LIMIT: Duration = Duration::from_secs(20);

/// A program that keeps what it is given, as a prompt would.
fn prompt(folder: &Path) -> (String, std::path::PathBuf) {
    let (program, kept) = (folder.join("prompt"), folder.join("kept"));
    let script = format!("#!/bin/sh\ncat > '{0}.new'\nmv '{0}.new' '{0}'\n", kept.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    (program.to_str().unwrap().to_owned(), kept)
}

/// Whether any file below holds the bytes.
fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => holds(&entry.path(), needle),
        _ => {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle)
        }
    })
}

#[test]
fn a_password_is_found_nowhere_afterwards() {
    let _turn = beside_others();
    // Made at run time, so that no program holds it from its beginning.
    let canary = format!("kanarie-{}-{}", std::process::id(), "vogel");
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (program, kept) = prompt(elsewhere.path());
    let log = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ours, theirs) = (log("sharer"), log("helper"));
    let more = ["--consent", "ask", "--allow", "elevated", "--on-credentials", &program];
    let more: Vec<&str> = more.into_iter().chain(["--audit", &ours]).collect();
    let mut share = Share::with(&desk, &more);
    let mut view = View::headless(&share, &["--chat", "--ask", "elevated", "--audit", &theirs]);
    share.program.wait_said("ALSO AS ITS ADMINISTRATOR. Allow? [y/N]", LIMIT);
    share.program.answer("y");
    view.program.wait_said("the session goes on", LIMIT);
    share.program.answer("/prompt");
    view.program.wait_said("? the sharer's machine asks for an administrator's name", LIMIT);
    view.program.answer("root");
    view.program.wait_said("? password", LIMIT);
    view.program.answer(&canary);
    share.program.wait_said("answers the prompt", LIMIT);
    wait_for("the prompt to be answered", LIMIT, || kept.exists());
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), format!("root\n{canary}\n"));
    share.program.answer("/prompt-done");
    view.program.wait_said("the prompt is closed", LIMIT);
    share.program.answer("/view");
    share.program.wait_said("sign the administrator out", LIMIT);
    view.program.wait_said("you may SEE THIS SCREEN", LIMIT);
    let needle = canary.as_bytes();
    // The helper's process ends with its session; its memory is looked at just before.
    assert_eq!(count_in_memory(view.program.pid(), needle), 0, "in the helper's memory");
    assert!(count_in_memory(view.program.pid(), b"administrator") > 0, "it is looked at");
    share.program.answer("/end");
    let exit = view.program.wait_exit(LIMIT);
    assert!(!exit.said.contains(&canary), "{exit:?}");
    share.program.wait_said("is gone", LIMIT);
    assert_eq!(count_in_memory(share.program.pid(), needle), 0, "in the sharer's memory");
    assert!(!share.program.said().contains(&canary));
    assert!(!holds(folder.path(), needle), "in the audit logs");
    assert!(holds(folder.path(), b"elevation.begun"), "the audit log is looked at");
    assert!(!holds(share.invitation().parent().unwrap(), needle), "in the statistics");
}

#[test]
fn credentials_are_taken_only_while_a_prompt_asks_and_only_from_who_may() {
    let _turn = beside_others();
    let desk = Desk::start(SIZE);
    desk.draw(1);
    let share = Share::with(&desk, &["--consent", "ask", "--allow", "control"]);
    let view = View::headless(&share, &["--chat", "--ask", "elevated"]);
    let exit = view.program.wait_exit(LIMIT);
    assert!(exit.said.contains("no permission"), "{exit:?}");
    drop(share);
    let mut share = Share::with(&desk, &["--consent", "ask", "--allow", "elevated"]);
    let mut view = View::headless(&share, &["--chat", "--ask", "control"]);
    share.program.wait_said("SEE AND CONTROL THIS MACHINE. Allow? [y/N]", LIMIT);
    share.program.answer("y");
    view.program.wait_said("the session goes on", LIMIT);
    share.program.answer("/prompt");
    view.program.answer("hello");
    share.program.wait_said(": hello", LIMIT);
    assert!(!view.program.said().contains("administrator's name"), "{}", view.program.said());
}
