use super::*;
use farpane_policy::audit::{
    Action, DAY_US, Entry, Finding, HeadError, Note, Observation, Outcome, Party, Report,
    Retention, Trust,
};
use farpane_policy::{Capabilities, EndReason, Mode, RequestId, Rights};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tempfile::TempDir;

const NOW_US: u64 = 1_800_000_000_000_000;

fn entry(time_us: u64) -> Entry {
    let rights = Rights::of(Mode::View);
    let action = Action::ConsentGiven { request: RequestId(1), rights, span_us: None };
    let (session, target, device) = (Some([7; 16]), Some(Party::system()), None);
    let (actor, outcome) = (Party::system(), Outcome::Success);
    Entry { time_us, session, actor, target, device, action, outcome }
}

fn ended(time_us: u64) -> Entry {
    let (reason, used) = (EndReason::AuditFailed, Capabilities::NONE);
    let action = Action::Ended { reason, lasted_us: 1, used };
    Entry { action, outcome: Outcome::Failure, ..entry(time_us) }
}

fn folder() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("audit");
    (parent, path)
}

fn open(path: &Path) -> Result<AuditLog, AuditError> {
    AuditLog::open_at(path, &AuditOptions::default(), NOW_US)
}

/// A closed log with `records` of a session.
fn log_of(path: &Path, records: u64) {
    let mut log = open(path).unwrap();
    for n in 0..records {
        log.append(&entry(NOW_US + n)).unwrap();
    }
}

fn verify(path: &Path) -> (Report, Vec<Finding>, Vec<Note>) {
    let (mut findings, mut notes) = (Vec::new(), Vec::new());
    let observe = |observation| match observation {
        Observation::Finding(finding) => findings.push(finding),
        Observation::Note(note) => notes.push(note),
        Observation::Record(_) => {}
    };
    let reader = AuditReader::open(path).unwrap();
    let report = reader.verify(Trust::default(), &[], false, observe, |_| {}).unwrap();
    (report, findings, notes)
}

fn segments(path: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "audit"));
    paths.sort();
    paths
}

#[test]
fn what_was_appended_is_there_whole_and_its_owners_alone() {
    let (_parent, path) = folder();
    log_of(&path, 5);
    log_of(&path, 2);
    let (report, findings, _) = verify(&path);
    assert_eq!(findings, []);
    // Opening it is recorded too, twice.
    assert_eq!((report.records, report.last), (9, 9));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&path).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[test]
fn a_record_is_in_the_file_when_append_returns() {
    let (_parent, path) = folder();
    let mut log = open(&path).unwrap();
    for n in 0..3 {
        let head = log.append(&entry(NOW_US + n)).unwrap();
        let (report, findings, notes) = verify(&path);
        assert_eq!((report.last, findings), (head.sequence, vec![]));
        assert!(notes.contains(&Note::BeingWritten));
    }
}

#[test]
fn a_second_writer_is_refused_and_told_who_the_first_is() {
    let (_parent, path) = folder();
    let log = open(&path).unwrap();
    let error = open(&path).unwrap_err();
    let AuditError::Busy { owner, .. } = &error else { panic!("{error}") };
    assert_eq!(*owner, format!("process {}", std::process::id()));
    assert!(error.to_string().contains("one writer"), "{error}");
    drop(log);
    drop(open(&path).unwrap());
    println!("audit: 1 negative cases: two writers");
}

/// Where the frames of a segment begin, and where the last one ends.
fn bounds(bytes: &[u8]) -> Vec<usize> {
    let mut bounds = vec![0];
    while let Some(header) = bytes.get(*bounds.last().unwrap()..).filter(|rest| rest.len() > 7) {
        let payload = u16::from_be_bytes([header[5], header[6]]);
        bounds.push(bounds.last().unwrap() + 7 + usize::from(payload));
    }
    bounds
}

#[test]
fn a_crash_at_every_byte_of_the_last_record_is_cut_off_and_recorded() {
    let (_parent, path) = folder();
    log_of(&path, 5);
    let segment = segments(&path).remove(0);
    let record = fs::read(&segment).unwrap();
    let bounds = bounds(&record);
    let last = bounds[bounds.len() - 2];
    for torn in 1..record.len() - last {
        fs::write(&segment, &record[..last + torn]).unwrap();
        fs::remove_file(path.join(names::HEADS)).unwrap();
        let before = verify(&path).1;
        assert!(matches!(before[..], [Finding::Torn { .. }]), "{torn}: {before:?}");
        drop(open(&path).unwrap());
        let (report, findings, notes) = verify(&path);
        assert_eq!(findings, [], "{torn} bytes");
        let cut = Note::Cut { sequence: 6, bytes: torn as u64 };
        assert!(notes.contains(&cut), "{torn} bytes: {notes:?}");
        assert_eq!(report.last, 7);
        assert!(!path.join(names::CUT).exists());
    }
    println!("audit: {} negative cases: crashes", record.len() - last - 1);
}

#[test]
fn a_crash_between_a_cut_and_its_record_does_not_hide_the_cut() {
    let (_parent, path) = folder();
    log_of(&path, 3);
    fs::write(path.join(names::CUT), "17").unwrap();
    drop(open(&path).unwrap());
    let (_, findings, notes) = verify(&path);
    assert_eq!(findings, []);
    assert!(notes.contains(&Note::Cut { sequence: 5, bytes: 17 }), "{notes:?}");
}

#[test]
fn crashes_around_a_new_segment_lose_nothing() {
    let (_parent, path) = folder();
    log_of(&path, 3);
    // The file of a segment that never became one, and a segment without records.
    fs::write(path.join(names::UNFINISHED), "half an anchor").unwrap();
    let next_day = AuditLog::open_at(&path, &AuditOptions::default(), NOW_US + 2 * DAY_US);
    next_day.unwrap().append(&entry(NOW_US + 2 * DAY_US)).unwrap();
    assert_eq!(segments(&path).len(), 2);
    let last = segments(&path).remove(1);
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bounds(&bytes)[1]]).unwrap();
    fs::remove_file(path.join(names::HEADS)).unwrap();
    log_of(&path, 1);
    assert_eq!(verify(&path).1, []);
}

#[test]
fn damage_that_no_crash_explains_is_refused() {
    let (_parent, path) = folder();
    log_of(&path, 4);
    let segment = segments(&path).remove(0);
    let whole = fs::read(&segment).unwrap();
    let damaged = |bytes: &[u8], what: &str| {
        fs::write(&segment, bytes).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, AuditError::Damaged { .. }), "{what}: {error}");
    };
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    damaged(&changed, "a record in the middle");
    changed = whole.clone();
    changed[20] ^= 1;
    damaged(&changed, "the anchor");
    damaged(&whole[..whole.len() - 1], "a last record that a stored head confirms");
    damaged(&[], "an empty segment");
    damaged(&[&whole[..], &[0; 5000]].concat(), "more than one unfinished record");
    fs::write(&segment, &whole).unwrap();
    drop(open(&path).unwrap());
    fs::remove_file(path.join(names::KEY)).unwrap();
    assert!(matches!(open(&path).unwrap_err(), AuditError::Damaged { .. }));
    println!("audit: 6 negative cases: damage");
}

#[test]
fn links_and_what_is_no_file_are_never_followed() {
    let (parent, path) = folder();
    let target = parent.path().join("elsewhere");
    fs::write(&target, "kept").unwrap();
    let mut refused = 0;
    for name in [names::KEY, names::LOCK, names::HEADS, &names::segment(1)] {
        for is_link in [true, false] {
            log_of(&path, 1);
            fs::remove_file(path.join(name)).unwrap();
            match is_link {
                true => symlink(&target, path.join(name)).unwrap(),
                false => fs::create_dir(path.join(name)).unwrap(),
            }
            let error = open(&path).unwrap_err();
            assert!(matches!(error, AuditError::NotAFile { .. }), "{name}: {error}");
            assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
            fs::remove_dir_all(&path).unwrap();
            refused += 1;
        }
    }
    let real = parent.path().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, &path).unwrap();
    assert!(matches!(open(&path).unwrap_err(), AuditError::NotAFile { .. }));
    assert!(matches!(AuditReader::open(&path).unwrap_err(), AuditError::NotAFile { .. }));
    println!("audit: {} negative cases: links", refused + 2);
}

#[test]
fn files_that_others_may_use_are_refused() {
    let (_parent, path) = folder();
    log_of(&path, 1);
    let with = |name: &Path, mode: u32| {
        fs::set_permissions(name, fs::Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o640, 0o604, 0o620, 0o777] {
        with(&path.join(names::KEY), mode);
        let error = open(&path).unwrap_err();
        assert!(matches!(error, AuditError::Exposed { .. }), "{mode:o}: {error}");
    }
    with(&path.join(names::KEY), 0o600);
    for mode in [0o770, 0o702, 0o777] {
        with(&path, mode);
        assert!(matches!(open(&path).unwrap_err(), AuditError::Exposed { .. }), "{mode:o}");
    }
    with(&path, 0o700);
    for key in ["", "zz", &"0".repeat(63), &"g".repeat(64)] {
        fs::write(path.join(names::KEY), key).unwrap();
        assert!(matches!(open(&path).unwrap_err(), AuditError::Key { .. }), "{key}");
    }
    println!("audit: 11 negative cases: permissions and keys");
}

#[test]
fn old_segments_are_dropped_whole_and_the_rest_stays_verifiable() {
    let (_parent, path) = folder();
    let options = AuditOptions::default();
    for day in 0..40 {
        let now_us = NOW_US + day * DAY_US;
        let mut log = AuditLog::open_at(&path, &options, now_us).unwrap();
        log.append(&entry(now_us)).unwrap();
        log.append(&entry(now_us + 1)).unwrap();
        let (report, findings, _) = verify(&path);
        assert_eq!(findings, [], "day {day}");
        assert!(report.ended_us - report.begun_us >= DAY_US * day.min(30) - DAY_US.min(day));
        assert!(segments(&path).len() <= 33, "day {day}");
    }
    let (report, _, notes) = verify(&path);
    assert!(report.first > 20 && notes.contains(&Note::Dropped { first_kept: report.first }));
    // One more than was dropped is missing.
    fs::remove_file(&segments(&path)[0]).unwrap();
    let findings = verify(&path).1;
    assert!(matches!(findings[..], [Finding::StartRemoved { .. }]), "{findings:?}");
    println!("audit: 1 negative cases: retention");
}

#[test]
fn segments_are_bounded_in_size_and_number() {
    let (_parent, path) = folder();
    let retention = Retention { segment_bytes: 2_000, max_segments: 3, ..Retention::default() };
    let mut log = AuditLog::open_at(&path, &AuditOptions { retention }, NOW_US).unwrap();
    let error = (0..200).find_map(|n| log.append(&entry(NOW_US + n)).err()).unwrap();
    assert!(matches!(error, AuditError::Limit { .. }), "{error}");
    assert!(matches!(log.append(&entry(NOW_US)), Err(AuditError::Ended { .. })));
    log.append_end(&ended(NOW_US)).unwrap();
    drop(log);
    let sizes = segments(&path).iter().map(|path| fs::metadata(path).unwrap().len()).max();
    assert!(sizes < Some(2_000 + 4_096) && segments(&path).len() == 3);
    assert_eq!(verify(&path).1, []);
    println!("audit: 2 negative cases: bounds");
}

#[test]
fn both_ends_confirm_each_others_heads() {
    let (_parent, ours) = folder();
    let (_parent, theirs) = folder();
    let (mut a, mut b) = (open(&ours).unwrap(), open(&theirs).unwrap());
    a.append(&entry(NOW_US)).unwrap();
    let first = a.seal().unwrap();
    let cross = b.countersign(&first).unwrap();
    a.accept(&cross, b.key()).unwrap();
    a.append(&entry(NOW_US)).unwrap();
    let second = a.seal().unwrap();
    let wrong = HeadError::WrongCrossSignature { sequence: first.sequence, by: a.key() };
    let mut refused = 0;
    let mut refuse = |result: Result<(), AuditError>, expected: HeadError| {
        let Err(AuditError::Head(error)) = result else { panic!("{result:?}") };
        assert_eq!(error, expected);
        refused += 1;
    };
    refuse(a.accept(&cross, a.key()), wrong);
    let other = HeadError::OtherLog { log: a.key().log_id() };
    refuse(b.accept(&cross, b.key()), other);
    refuse(a.countersign(&second).map(|_| ()), other);
    let mut changed = second;
    changed.sequence += 1;
    let forged = HeadError::Forged { sequence: changed.sequence };
    refuse(b.countersign(&changed).map(|_| ()), forged);
    b.countersign(&second).unwrap();
    b.countersign(&second).unwrap();
    let sequence = first.sequence;
    refuse(b.countersign(&first).map(|_| ()), HeadError::Forked { sequence });
    drop((a, b));
    // What one end signed is in its own file, and confirms the other's log from there.
    let reader = AuditReader::open(&ours).unwrap();
    let elsewhere = [theirs.join(names::HEADS)];
    let report = reader.verify(Trust::default(), &elsewhere, false, |_| {}, |_| {}).unwrap();
    assert_eq!((report.findings, report.confirmed), (0, second.sequence));
    println!("audit: {refused} negative cases: peers' heads");
}

#[test]
fn a_clock_that_was_set_back_changes_no_order() {
    let (_parent, path) = folder();
    let mut log = open(&path).unwrap();
    for time_us in [NOW_US, NOW_US - 3_600_000_000, NOW_US - 7_200_000_000, NOW_US + 1] {
        log.append(&entry(time_us)).unwrap();
    }
    let (report, findings, notes) = verify(&path);
    assert_eq!((report.records, findings), (5, vec![]));
    let back = |note: &&Note| matches!(note, Note::ClockSetBack { by_us: 3_600_000_000, .. });
    assert_eq!(notes.iter().filter(back).count(), 2);
}

/// Run it in an optimised build with `--nocapture` for the figures of docs/audit.md.
#[test]
fn the_cost_of_an_append_is_measured() {
    let (_parent, path) = folder();
    let mut log = open(&path).unwrap();
    let mut times_us: Vec<u128> = (0..300)
        .map(|n| {
            let begun = Instant::now();
            log.append(&entry(NOW_US + n)).unwrap();
            begun.elapsed().as_micros()
        })
        .collect();
    times_us.sort_unstable();
    let bytes = fs::metadata(&segments(&path)[0]).unwrap().len() / 301;
    let (p50, p95, most) = (times_us[150], times_us[285], times_us[299]);
    println!("append: p50 {p50} us, p95 {p95} us, at most {most} us, {bytes} bytes a record");
    let begun = Instant::now();
    assert_eq!(verify(&path).1, []);
    println!("verify: {} us a record", begun.elapsed().as_micros() / 301);
}

#[test]
fn a_log_that_can_no_longer_be_written_takes_nothing_more() {
    let (_parent, path) = folder();
    let mut log = open(&path).unwrap();
    // Where there is no segment to write to: a file that is open for reading only.
    let name = segments(&path).remove(0);
    let unwritable = OpenOptions::new().read(true).open(&name).unwrap();
    let bytes = fs::metadata(&name).unwrap().len();
    log.break_segment(unwritable, name, bytes);
    assert!(matches!(log.append(&entry(NOW_US)), Err(AuditError::Io { .. })));
    assert!(matches!(log.append(&entry(NOW_US)), Err(AuditError::Ended { .. })));
    assert!(matches!(log.append_end(&ended(NOW_US)), Err(AuditError::Ended { .. })));
    drop(log);
    assert_eq!(verify(&path).1, []);
    println!("audit: 3 negative cases: logs that ended");
}
