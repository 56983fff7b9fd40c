//! Audit logs on real disks, tampered with in every way, and what the program says of them.

use farpane::audit::{AuditError, AuditLog, AuditOptions};
use farpane::policy::audit::{Action, Entry, Feature, Outcome, Party, Retention, Role, Text};
use farpane::policy::{Capabilities, EndReason, Mode, RequestId, Rights};
use farpane_tests::{Exit, Program, SmallDisk, beside_others};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);
/// 31 January 2026, 08:00 UTC.
const NOW_US: u64 = 1_769_846_400_000_000;
const SECOND_US: u64 = 1_000_000;
/// What precedes a frame's payload: its magic, its kind, its length.
const HEADER_BYTES: usize = 7;

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn party(role: Role, name: &str) -> Party {
    Party { role, tenant: text("contoso"), subject: text("oid-1"), name: text(name) }
}

fn ended(reason: EndReason) -> Action {
    Action::Ended { reason, lasted_us: SECOND_US, used: Capabilities::NONE }
}

fn entry(n: u64) -> Entry {
    let rights = Rights::of(Mode::View);
    let action = match n % 4 {
        0 => Action::SessionRequested { invitation: [1; 16], rights },
        1 => Action::ConsentGiven { request: RequestId(1), rights, span_us: None },
        2 => Action::FeatureUsed(Feature::FileIn { name: text("notes.txt"), bytes: 3 }),
        _ => ended(EndReason::HelperEnded),
    };
    Entry {
        time_us: NOW_US + n * SECOND_US,
        session: Some([7; 16]),
        actor: party(Role::Helper, "Ada"),
        target: Some(party(Role::Sharer, "Grace")),
        device: Some(party(Role::Device, "PC-17")),
        action,
        outcome: Outcome::Success,
    }
}

/// Logs of both sides in one folder: ours with 12 records and more segments than one, whose last
/// head theirs has confirmed.
struct Logs {
    folder: TempDir,
    key: String,
    peer_key: String,
}

impl Logs {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let retention = Retention { segment_bytes: 1_500, ..Retention::default() };
        let options = AuditOptions { retention };
        let open = |name| AuditLog::open_at(&folder.path().join(name), &options, NOW_US).unwrap();
        let (mut ours, mut theirs) = (open("ours"), open("theirs"));
        for n in 1..12 {
            ours.append(&entry(n)).unwrap();
        }
        let head = ours.seal().unwrap();
        let cross = theirs.countersign(&head).unwrap();
        ours.accept(&cross, theirs.key()).unwrap();
        let (key, peer_key) = (ours.key().to_string(), theirs.key().to_string());
        drop((ours, theirs));
        Self { folder, key, peer_key }
    }

    fn ours(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }

    fn verify(&self, more: &[&str]) -> Exit {
        let folder = self.ours();
        let args = [&["audit", "verify", folder.to_str().unwrap()], more].concat();
        Program::run(&args, None, LIMIT)
    }

    /// The codes of what the program finds; it must be found as a finding, never as a crash.
    fn codes(&self, more: &[&str]) -> Vec<String> {
        let exit = self.verify(&[more, &["--json"]].concat());
        let report: Value =
            serde_json::from_str(&exit.said).unwrap_or_else(|e| panic!("{e}: {exit:?}"));
        let findings = report["findings"].as_array().unwrap();
        let expected = if findings.is_empty() { 0 } else { 1 };
        assert_eq!(exit.status.code(), Some(expected), "{exit:?}");
        findings.iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect()
    }

    fn segments(&self) -> Vec<PathBuf> {
        segments(&self.ours())
    }

    /// The frames of a segment; the first is its anchor.
    fn change(&self, segment: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let path = &self.segments()[segment];
        let mut frames = frames(&fs::read(path).unwrap());
        change(&mut frames);
        fs::write(path, frames.concat()).unwrap();
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "audit"));
    paths.sort();
    paths
}

fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while bytes.len() >= HEADER_BYTES {
        let length = u16::from_be_bytes([bytes[5], bytes[6]]);
        let (frame, rest) = bytes.split_at(HEADER_BYTES + usize::from(length));
        frames.push(frame.to_vec());
        bytes = rest;
    }
    frames
}

#[test]
fn a_whole_log_is_said_to_be_whole_and_confirmed() {
    let _turn = beside_others();
    let logs = Logs::new();
    assert!(logs.segments().len() > 2);
    let exit = logs.verify(&["--key", &logs.key, "--peer-key", &logs.peer_key]);
    assert_eq!(exit.status.code(), Some(0), "{exit:?}");
    for said in ["The log is whole", "12, numbers 1 to 12", "up to record 12", &logs.key] {
        assert!(exit.said.contains(said), "{said}: {exit:?}");
    }
    let heads = logs.theirs().join("heads");
    assert_eq!(logs.codes(&["--heads", heads.to_str().unwrap()]), [""; 0]);
}

#[test]
fn every_kind_of_tampering_is_found_and_named() {
    let _turn = beside_others();
    type Tampering = (&'static str, &'static [&'static str], fn(&Logs));
    let tamperings: [Tampering; 12] = [
        ("changed", &["changed"], |logs| {
            logs.change(1, |frames| {
                let at = frames[1].len() - 110;
                frames[1][at] ^= 1;
            });
        }),
        ("removed", &["removed"], |logs| logs.change(1, |frames| drop(frames.remove(2)))),
        ("reordered", &["reordered"], |logs| logs.change(1, |frames| frames.swap(1, 2))),
        ("repeated", &["repeated"], |logs| {
            logs.change(1, |frames| frames.insert(2, frames[1].clone()));
        }),
        ("forged", &["forged"], |logs| {
            logs.change(1, |frames| {
                let at = frames[1].len() - 1;
                frames[1][at] ^= 1;
            });
        }),
        ("a segment removed", &["removed"], |logs| fs::remove_file(&logs.segments()[1]).unwrap()),
        ("the first segment removed", &["start-removed"], |logs| {
            fs::remove_file(&logs.segments()[0]).unwrap();
        }),
        ("truncated", &["truncated"], |logs| {
            fs::remove_file(logs.segments().last().unwrap()).unwrap();
        }),
        ("the anchor changed", &["wrong-anchor"], |logs| {
            logs.change(1, |frames| frames[0][60] ^= 1);
        }),
        ("torn", &["torn", "truncated"], |logs| {
            let last = logs.segments().pop().unwrap();
            let bytes = fs::read(&last).unwrap();
            fs::write(&last, &bytes[..bytes.len() - 5]).unwrap();
        }),
        ("a wrong cross-signature", &["wrong-cross-signature"], |logs| {
            let heads = logs.ours().join("heads");
            let mut frames = frames(&fs::read(&heads).unwrap());
            let crossed = frames.iter_mut().find(|frame| frame[4] == b'X').unwrap();
            *crossed.last_mut().unwrap() ^= 1;
            fs::write(&heads, frames.concat()).unwrap();
        }),
        ("all removed", &["truncated", "empty"], |logs| {
            logs.segments().iter().skip(1).for_each(|path| fs::remove_file(path).unwrap());
            logs.change(0, |frames| frames.truncate(1));
        }),
    ];
    for (what, expected, tamper) in tamperings {
        let logs = Logs::new();
        tamper(&logs);
        assert_eq!(logs.codes(&[]), expected, "{what}");
        let exit = logs.verify(&[]);
        assert!(exit.said.contains("FINDING") && exit.said.contains("NOT whole"), "{exit:?}");
    }
    println!("audit: {} negative cases: tampered files", 2 * tamperings.len());
}

#[test]
fn a_log_that_was_cut_and_goes_on_is_found_by_what_the_peer_kept() {
    let _turn = beside_others();
    let logs = Logs::new();
    // Who has the key cuts the log, removes all heads here, and goes on.
    fs::remove_file(logs.segments().last().unwrap()).unwrap();
    fs::remove_file(logs.ours().join("heads")).unwrap();
    assert_eq!(logs.codes(&["--key", &logs.key]), [""; 0]);
    let heads = logs.theirs().join("heads");
    let kept = ["--heads", heads.to_str().unwrap()];
    assert_eq!(logs.codes(&kept), ["truncated"]);
    let mut log =
        AuditLog::open_at(&logs.ours(), &AuditOptions::default(), NOW_US + SECOND_US).unwrap();
    for n in 20..40 {
        log.append(&entry(n)).unwrap();
    }
    drop(log);
    assert_eq!(logs.codes(&kept), ["forked"]);
    println!("audit: 2 negative cases: cut logs");
}

#[test]
fn a_log_of_another_key_and_peers_with_others_are_found() {
    let _turn = beside_others();
    let logs = Logs::new();
    assert_eq!(logs.codes(&["--key", &logs.peer_key]), ["other-key"]);
    let another = "ab".repeat(32);
    assert_eq!(logs.codes(&["--peer-key", &another]), ["wrong-cross-signature"]);
    let (ours, theirs) = (logs.segments(), segments(&logs.theirs()));
    fs::copy(&theirs[0], &ours[1]).unwrap();
    assert_eq!(logs.codes(&[]), ["other-log", "removed"]);
    println!("audit: 3 negative cases: other keys");
}

#[test]
fn wrong_usage_and_what_is_no_log_exit_with_2() {
    let _turn = beside_others();
    let logs = Logs::new();
    let ours = logs.ours();
    let ours = ours.to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    let link = logs.folder.path().join("link");
    std::os::unix::fs::symlink(ours, &link).unwrap();
    let cases: [&[&str]; 12] = [
        &["audit"],
        &["audit", "verify"],
        &["audit", "verify", "/nowhere"],
        &["audit", "verify", empty],
        &["audit", "verify", link.to_str().unwrap()],
        &["audit", "verify", ours, "--key", "abc"],
        &["audit", "verify", ours, "--peer-key", &"x".repeat(64)],
        &["audit", "verify", ours, "--heads", "/nowhere"],
        &["audit", "export", ours],
        &["audit", "export", ours, "--ocsf", "--since", "yesterday"],
        &["audit", "export", "/nowhere", "--ocsf"],
        &["audit", "import", ours],
    ];
    for args in cases {
        let exit = Program::run(args, None, LIMIT);
        assert_eq!(exit.status.code(), Some(2), "{args:?}: {exit:?}");
        assert!(!exit.said.contains("panicked"), "{exit:?}");
    }
    for command in ["verify", "export"] {
        let exit = Program::run(&["audit", command, "--help"], None, LIMIT);
        assert!(exit.status.success() && exit.said.contains("Examples:"), "{exit:?}");
        assert!(exit.said.contains("Exit status"), "{exit:?}");
    }
    println!("audit: {} negative cases: usage", cases.len());
}

#[test]
fn an_export_is_one_event_a_line_of_what_is_whole() {
    let _turn = beside_others();
    let logs = Logs::new();
    let folder = logs.ours();
    let args = ["audit", "export", folder.to_str().unwrap(), "--ocsf"];
    let exit = Program::run(&args, None, LIMIT);
    assert!(exit.status.success(), "{exit:?}");
    let events: Vec<Value> =
        exit.said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 12);
    for (n, event) in (1..).zip(&events) {
        assert_eq!(event["metadata"]["sequence"], n);
        assert_eq!(event["metadata"]["version"], "1.8.0");
    }
    assert_eq!(events[1]["user"]["name"], "Ada");
    // Record n + 1 is n seconds after the first, which says that the log was opened.
    let since = [&args[..], &["--since", "2026-01-31T08:00:09Z"]].concat();
    assert_eq!(Program::run(&since, None, LIMIT).said.lines().count(), 3);
    logs.change(1, |frames| frames[1][100] ^= 1);
    let exit = Program::run(&args, None, LIMIT);
    assert_eq!(exit.status.code(), Some(1), "{exit:?}");
    let events = exit.said.lines().filter(|line| line.starts_with('{')).count();
    assert_eq!(events, 11);
    assert!(exit.said.contains("was changed"), "{exit:?}");
    println!("audit: 1 negative cases: exports");
}

#[test]
fn a_full_disk_ends_the_log_with_a_reserve_for_the_end_of_the_session() {
    let _turn = beside_others();
    let disk = SmallDisk::new();
    if !disk.is_mounted() {
        eprintln!("not root: no file system could be mounted");
        return;
    }
    let folder = disk.file("audit");
    // Not even a log can be begun in 4 KiB.
    let full = AuditLog::open(&folder, &AuditOptions::default()).unwrap_err();
    assert!(matches!(full, AuditError::Full { .. }), "{full}");
    assert!(full.to_string().contains("make room"), "{full}");
    // Room for some records.
    fs::write(disk.file("filling"), vec![1; 20 << 10]).unwrap();
    let mut log = AuditLog::open(&folder, &AuditOptions::default()).unwrap();
    let first = (0..1_000).find_map(|n| log.append(&entry(n)).err()).unwrap();
    assert!(matches!(first, AuditError::Full { .. }), "{first}");
    assert!(matches!(log.append(&entry(1)).unwrap_err(), AuditError::Ended { .. }));
    let action = ended(EndReason::AuditFailed);
    let end = Entry { action, outcome: Outcome::Failure, ..entry(2_000) };
    let head = log.append_end(&end).unwrap();
    // The reserve has an end, too.
    let last = (0..1_000).find_map(|_| log.append_end(&end).err()).unwrap();
    assert!(matches!(last, AuditError::Full { .. }), "{last}");
    drop(log);
    let args = ["audit", "verify", folder.to_str().unwrap(), "--json"];
    let exit = Program::run(&args, None, LIMIT);
    let report: Value = serde_json::from_str(&exit.said).unwrap();
    assert_eq!(report["findings_count"], 0, "{exit:?}");
    assert!(report["last"].as_u64().unwrap() >= head.sequence);
    // With room it goes on.
    fs::remove_file(disk.file("filling")).unwrap();
    let mut log = AuditLog::open(&folder, &AuditOptions::default()).unwrap();
    log.append(&entry(3)).unwrap();
    drop(log);
    assert!(Program::run(&args, None, LIMIT).status.success());
    println!("audit: 4 negative cases: full disks");
}

#[test]
fn a_second_program_cannot_write_and_a_reader_does_not_mind_the_first() {
    let _turn = beside_others();
    let logs = Logs::new();
    // A writer in another process: flock(1) of util-linux holds the same lock.
    let lock = logs.ours().join("lock");
    let mut other =
        Command::new("flock").arg("--no-fork").arg(&lock).args(["sleep", "60"]).spawn().unwrap();
    farpane_tests::wait_for("the other writer", LIMIT, || {
        matches!(
            AuditLog::open_at(&logs.ours(), &AuditOptions::default(), NOW_US),
            Err(AuditError::Busy { .. })
        )
    });
    let exit = logs.verify(&[]);
    assert!(exit.status.success() && exit.said.contains("is being written"), "{exit:?}");
    other.kill().unwrap();
    other.wait().unwrap();
    println!("audit: 1 negative cases: writers");
}
