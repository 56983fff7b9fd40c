use super::*;
use crate::audit::{AuditOptions, AuditReader};
use farpane_policy::audit::{
    Action, CROSS_SIGNED_HEAD_BYTES, Entry, Observation, Retention, SIGNED_HEAD_BYTES, Trust,
};
use farpane_policy::{Capabilities, EndReason, Mode, Rights, State};
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SESSION: SessionId = [7; 16];

fn folder() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("audit");
    (parent, path)
}

fn journal(path: &Path, retention: Retention) -> Journal {
    Journal::new(Some(AuditLog::open(path, &AuditOptions { retention }).unwrap()))
}

fn event(fact: Fact) -> AuditEvent {
    AuditEvent { session: farpane_policy::SessionId(SESSION), at_us: 1, who: None, fact }
}

fn consent() -> Vec<AuditEvent> {
    let to = Some(Rights::of(Mode::View));
    let (request, rights) = (farpane_policy::RequestId(1), Rights::of(Mode::View));
    let allowed = Fact::Allowed { request, rights, span_us: None };
    let moved = Fact::Moved { from: State::ConsentPending, to: State::Suspended };
    [allowed, Fact::RightsChanged { from: None, to }, moved].map(event).to_vec()
}

/// What a session tells when it ends.
fn end(reason: EndReason) -> Vec<AuditEvent> {
    let from = Some(Rights::of(Mode::View));
    let ended = Fact::Ended { reason, lasted_us: 1, used: Capabilities::NONE };
    let moved = Fact::Moved { from: State::Suspended, to: State::Ending };
    [Fact::RightsChanged { from, to: None }, ended, moved].map(event).to_vec()
}

/// What it tells when its connection is closed.
fn closed(reason: EndReason) -> Vec<AuditEvent> {
    vec![event(Fact::Moved { from: State::Ending, to: State::Ended(reason) })]
}

/// What the log holds of sessions; it has to be whole.
fn records(path: &Path) -> Vec<Entry> {
    let mut records = Vec::new();
    let observe = |observation| match observation {
        Observation::Record(record) => records.push(record.entry),
        Observation::Finding(finding) => panic!("{finding}"),
        Observation::Note(_) => {}
    };
    let reader = AuditReader::open(path).unwrap();
    reader.verify(Trust::default(), &[], true, observe, |_| {}).unwrap();
    records.retain(|entry| entry.session.is_some());
    records
}

fn codes(path: &Path) -> Vec<&'static str> {
    records(path).iter().map(|entry| entry.action.code()).collect()
}

#[test]
fn what_happens_is_in_the_log_before_append_returns() {
    let (_parent, path) = folder();
    let mut journal = journal(&path, Retention::default());
    journal.append(&consent()).unwrap();
    let expected = ["consent.given", "mode.changed", "session.moved"];
    assert_eq!(codes(&path), expected);
    journal.append(&end(EndReason::SharerEnded)).unwrap();
    journal.append(&closed(EndReason::SharerEnded)).unwrap();
    let expected = ["mode.changed", "session.ended", "session.moved", "session.moved"];
    assert_eq!(codes(&path)[3..], expected);
    let before = records(&path);
    journal.append(&[]).unwrap();
    assert_eq!(records(&path), before);
    assert!(before.iter().all(|entry| entry.time_us.abs_diff(wall_clock_us()) < 600_000_000));
}

#[test]
fn what_a_helper_learns_is_in_its_log() {
    let (_parent, path) = folder();
    let mut journal = journal(&path, Retention::default());
    let parties = Parties::unknown();
    let (reason, used) = (EndReason::HelperEnded, Capabilities::NONE);
    for learned in [
        Learned::Requested { invitation: [1; 16], rights: Rights::of(Mode::View) },
        Learned::Granted { from: None, to: Rights::of(Mode::View) },
        Learned::Ended { reason, lasted_us: 5, used },
    ] {
        journal.learn(SESSION, &parties, &learned).unwrap();
        let last = Entry::of_helper(SESSION, &parties, &learned, 0);
        assert_eq!(records(&path).last().unwrap().action, last.action);
    }
}

#[test]
fn a_full_log_takes_no_consent_and_still_the_end() {
    let (_parent, path) = folder();
    let bounded = Retention { segment_bytes: 2_000, max_segments: 2, ..Retention::default() };
    let mut journal = journal(&path, bounded);
    let error = (0..50).find_map(|_| journal.append(&consent()).err()).unwrap();
    assert!(matches!(error, AuditError::Limit { .. }), "{error}");
    assert!(matches!(journal.append(&consent()), Err(AuditError::Ended { .. })));
    let before = records(&path).len();
    let reason = EndReason::AuditFailed;
    journal.append(&end(reason)).unwrap();
    journal.append(&closed(reason)).unwrap();
    let actions: Vec<_> = records(&path).into_iter().map(|entry| entry.action).collect();
    let ended = Action::Ended { reason, lasted_us: 1, used: Capabilities::NONE };
    let moved = Action::SessionMoved { from: State::Ending, to: State::Ended(reason) };
    assert_eq!(actions[before..], [ended, moved]);
    let parties = Parties::unknown();
    assert!(journal.learn(SESSION, &parties, &Learned::Resumed).is_err());
    let ended = Learned::Ended { reason, lasted_us: 1, used: Capabilities::NONE };
    journal.learn(SESSION, &parties, &ended).unwrap();
    println!("audit: 3 negative cases: journals that are full");
}

#[test]
fn a_log_that_cannot_be_written_fails_the_session_and_its_end() {
    let (_parent, path) = folder();
    let mut log = AuditLog::open(&path, &AuditOptions::default()).unwrap();
    let segment = path.join(crate::audit::names::segment(1));
    let unwritable = OpenOptions::new().read(true).open(&segment).unwrap();
    log.break_segment(unwritable, segment.clone(), fs::metadata(&segment).unwrap().len());
    let mut journal = Journal::new(Some(log));
    assert!(matches!(journal.append(&consent()), Err(AuditError::Io { .. })));
    for last in [end(EndReason::AuditFailed), closed(EndReason::AuditFailed)] {
        assert!(matches!(journal.append(&last), Err(AuditError::Ended { .. })));
    }
    assert_eq!(records(&path), []);
    println!("audit: 3 negative cases: journals that broke");
}

#[test]
fn without_a_log_nothing_fails_and_nothing_is_kept() {
    let mut journal = Journal::default();
    journal.append(&consent()).unwrap();
    journal.append(&end(EndReason::SharerEnded)).unwrap();
    journal.learn(SESSION, &Parties::unknown(), &Learned::Resumed).unwrap();
    assert_eq!(journal.seal(), None);
    let mut peer = PeerLog::default();
    assert_eq!(journal.countersign(&mut peer, &[0; SIGNED_HEAD_BYTES]).unwrap(), None);
    journal.accept(&mut peer, &[0; CROSS_SIGNED_HEAD_BYTES]).unwrap();
}

#[test]
fn both_ends_confirm_what_the_other_has_recorded() {
    let [(_a, ours), (_b, theirs)] = [folder(), folder()];
    let [mut sharer, mut helper] = [&ours, &theirs].map(|path| journal(path, Retention::default()));
    let [mut of_helper, mut of_sharer] = [PeerLog::default(), PeerLog::default()];
    for entries in [consent(), end(EndReason::SharerEnded)] {
        sharer.append(&entries).unwrap();
        let (head, other) = (sharer.seal().unwrap(), helper.seal().unwrap());
        assert!(head.len() <= 512);
        let signed = helper.countersign(&mut of_sharer, &head).unwrap().unwrap();
        let other = sharer.countersign(&mut of_helper, &other).unwrap().unwrap();
        assert!(signed.len() <= 512);
        sharer.accept(&mut of_helper, &signed).unwrap();
        helper.accept(&mut of_sharer, &other).unwrap();
    }
    let last = sharer.log.as_ref().unwrap().head().sequence;
    drop((sharer, helper));
    for heads in [&ours, &theirs].map(|path| [path.join("heads")]) {
        let reader = AuditReader::open(&ours).unwrap();
        let report = reader.verify(Trust::default(), &heads, false, |_| {}, |_| {}).unwrap();
        assert_eq!((report.findings, report.confirmed), (0, last));
    }
}

#[test]
fn a_peer_has_one_log_in_a_session() {
    let folders = [folder(), folder(), folder()];
    let [mut ours, mut theirs, mut strange] =
        [0, 1, 2].map(|at: usize| journal(&folders[at].1, Retention::default()));
    let mut peer = PeerLog::default();
    let [own, first, other] = [&mut ours, &mut theirs, &mut strange].map(|j| j.seal().unwrap());
    let mut of_ours = PeerLog::default();
    let signed = theirs.countersign(&mut of_ours, &own).unwrap().unwrap();
    let foreign = strange.countersign(&mut PeerLog::default(), &own).unwrap().unwrap();
    let early = ours.accept(&mut peer, &signed);
    assert!(matches!(early, Err(AuditError::NoPeer { .. })), "{early:?}");
    // Bytes that are no genuine head pin nothing.
    let mut forged = other.clone();
    forged[100] ^= 1;
    for bad in [&forged[..], &first[1..], &own, &[]] {
        let refused = ours.countersign(&mut peer, bad);
        assert!(matches!(refused, Err(AuditError::Head(_))), "{refused:?}");
    }
    ours.countersign(&mut peer, &first).unwrap();
    let refused = ours.countersign(&mut peer, &other);
    let Err(AuditError::Head(HeadError::OtherLog { .. })) = refused else { panic!("{refused:?}") };
    let refused = ours.accept(&mut peer, &foreign);
    assert!(matches!(refused, Err(AuditError::Head(HeadError::WrongCrossSignature { .. }))));
    ours.accept(&mut peer, &signed).unwrap();
    ours.countersign(&mut PeerLog::default(), &other).unwrap();
    println!("audit: 7 negative cases: peers' logs");
}

#[test]
fn a_peer_may_show_heads_so_often_and_no_more() {
    let [(_a, ours), (_b, theirs)] = [folder(), folder()];
    let [mut ours, mut theirs] = [&ours, &theirs].map(|path| journal(path, Retention::default()));
    let (mut peer, head) = (PeerLog::default(), theirs.seal().unwrap());
    for _ in 0..MAX_OF_SESSION {
        ours.countersign(&mut peer, &head).unwrap();
    }
    let refused = ours.countersign(&mut peer, &head);
    assert!(matches!(refused, Err(AuditError::Limit { .. })), "{refused:?}");
    let refused = ours.accept(&mut peer, &[]);
    assert!(matches!(refused, Err(AuditError::Limit { .. })), "{refused:?}");
    println!("audit: 2 negative cases: heads of one session");
}
