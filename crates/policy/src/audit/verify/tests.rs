use super::*;
use crate::audit::frame::frame;
use crate::audit::{Action, Chain, Entry, HEADER_BYTES, Hash, Outcome, Party, Signer};
use crate::{Capabilities, EndReason, Mode, RequestId, Rights};

/// A log in memory: segments of frames, and heads.
#[derive(Clone)]
struct Log {
    segments: Vec<(u64, Vec<Vec<u8>>)>,
    heads: Vec<Vec<u8>>,
}

const OURS: [u8; 32] = [1; 32];
const THEIRS: [u8; 32] = [2; 32];
const STRANGER: [u8; 32] = [3; 32];

fn signer(seed: [u8; 32]) -> Signer {
    Signer::from_seed(&seed).unwrap()
}

fn entry(n: u64) -> Entry {
    let action = match n % 3 {
        0 => Action::ConsentAsked { request: RequestId(1), rights: Rights::of(Mode::View) },
        1 => Action::ModeChanged { from: None, to: Some(Rights::of(Mode::View)) },
        _ => {
            Action::Ended { reason: EndReason::SharerEnded, lasted_us: n, used: Capabilities::NONE }
        }
    };
    let (actor, session) = (Party::system(), Some([7; 16]));
    let (target, device) = (None, None);
    let time_us = 1_000_000 * n;
    Entry { time_us, session, actor, target, device, action, outcome: Outcome::Success }
}

/// Three segments of four records, whose heads 4, 8 and 12 the peer has signed.
fn log() -> Log {
    Log::write(OURS, 12, entry)
}

impl Log {
    fn write(seed: [u8; 32], records: u64, entry: impl Fn(u64) -> Entry) -> Self {
        let mut chain = Chain::begin(signer(seed));
        let mut log = Self { segments: Vec::new(), heads: Vec::new() };
        for n in 1..=records {
            if n % 4 == 1 {
                log.segments.push((n, vec![chain.anchor(1_000_000 * n)]));
            }
            let pending = chain.prepare(&entry(n));
            log.segments.last_mut().unwrap().1.push(pending.bytes().to_vec());
            let head = chain.advance(pending);
            if n % 4 == 0 {
                log.heads.push(head.cross_sign(&signer(THEIRS)).to_frame());
            }
        }
        log
    }

    /// The frame of record `n`.
    fn record(&mut self, n: u64) -> &mut Vec<u8> {
        let (segment, frame) = place(n);
        &mut self.segments[segment].1[frame]
    }

    fn remove(&mut self, n: u64) -> Vec<u8> {
        let (segment, frame) = place(n);
        self.segments[segment].1.remove(frame)
    }

    fn insert(&mut self, before: u64, frame: Vec<u8>) {
        let (segment, at) = place(before);
        self.segments[segment].1.insert(at, frame);
    }

    fn swap(&mut self, a: u64, b: u64) {
        let (of_a, of_b) = (self.record(a).clone(), self.record(b).clone());
        (*self.record(a), *self.record(b)) = (of_b, of_a);
    }

    fn verify(&self) -> (Report, Vec<Finding>, Vec<Note>) {
        self.verify_trusting(Trust::default(), 4096)
    }

    fn verify_trusting(&self, trust: Trust, chunk: usize) -> (Report, Vec<Finding>, Vec<Note>) {
        let mut verifier = Verifier::new(trust);
        verifier.begin_heads();
        verifier.handle_bytes(&self.heads.concat());
        verifier.end();
        for (number, frames) in &self.segments {
            verifier.begin_segment(*number);
            frames.concat().chunks(chunk).for_each(|bytes| verifier.handle_bytes(bytes));
            verifier.end();
        }
        let mut told: Vec<_> = std::iter::from_fn(|| verifier.poll_observation()).collect();
        let (report, rest) = verifier.finish();
        told.extend(rest);
        let (mut findings, mut notes) = (Vec::new(), Vec::new());
        for observation in told {
            match observation {
                Observation::Finding(finding) => findings.push(finding),
                Observation::Note(note) => notes.push(note),
                Observation::Record(_) => {}
            }
        }
        assert_eq!(report.findings, findings.len() as u64);
        (report, findings, notes)
    }

    fn findings(&self) -> Vec<Finding> {
        self.verify().1
    }
}

/// Record `n`: in which segment, at which place behind the anchor.
fn place(n: u64) -> (usize, usize) {
    ((n as usize - 1) / 4, (n as usize - 1) % 4 + 1)
}

/// A record with this number behind that hash, signed by `seed`.
fn forged(seed: [u8; 32], n: u64, previous: Hash) -> Vec<u8> {
    let chain = Chain::resume(signer(seed), n - 1, previous, 0);
    let mut other = entry(n);
    other.action = Action::Resumed;
    chain.prepare(&other).bytes().to_vec()
}

/// The same for the log's id with somebody else's signature.
fn forged_for_ours(n: u64) -> Vec<u8> {
    let mut frame = forged(OURS, n, [9; 32]);
    let end = frame.len();
    frame[end - 64..].copy_from_slice(&signer(STRANGER).sign("x", b"y"));
    frame
}

#[test]
fn a_log_is_whole_however_it_is_cut_into_portions() {
    let log = log();
    for chunk in [1, 7, 64, 100_000] {
        let (report, findings, notes) = log.verify_trusting(Trust::default(), chunk);
        assert_eq!((findings, notes), (vec![], vec![]));
        assert_eq!((report.records, report.first, report.last), (12, 1, 12));
        assert_eq!((report.heads, report.confirmed, report.segments), (3, 12, 3));
        assert_eq!((report.begun_us, report.ended_us), (1_000_000, 12_000_000));
        assert_eq!(report.key, Some(signer(OURS).key()));
    }
    let (key, peers) = (Some(signer(OURS).key()), vec![signer(THEIRS).key()]);
    let trust = Trust { key, peers, is_written: false };
    assert_eq!(log.verify_trusting(trust, 4096).1, []);
}

#[test]
fn every_changed_byte_of_a_record_is_found_and_the_record_named() {
    let log = log();
    let mut cases = 0;
    for n in [1, 4, 6, 12] {
        for at in 0..log.clone().record(n).len() {
            let mut log = log.clone();
            log.record(n)[at] ^= 1 << (at % 8);
            let findings = log.findings();
            let named = findings.iter().any(|finding| match finding {
                Finding::Changed { sequence } | Finding::Forged { sequence } => *sequence == n,
                Finding::Removed { first, last } => (*first, *last) == (n, n),
                // The last record's frame: the head still says that there was one.
                Finding::Truncated { last, confirmed } => (*last, *confirmed) == (n - 1, n),
                _ => false,
            });
            assert!(named, "record {n}, byte {at}: {findings:?}");
            cases += 1;
        }
    }
    println!("audit: {cases} negative cases: changed bytes");
}

#[test]
fn a_changed_record_is_named_and_nothing_else() {
    let mut cases = 0;
    for n in 1..=12 {
        let mut log = log();
        let frame = log.record(n);
        let last_of_entry = frame.len() - 100;
        frame[last_of_entry] ^= 1;
        assert_eq!(log.findings(), [Finding::Changed { sequence: n }]);
        cases += 1;
    }
    println!("audit: {cases} negative cases: changed records");
}

#[test]
fn a_removed_record_is_named() {
    let mut cases = 0;
    for n in 1..=11 {
        let mut log = log();
        log.remove(n);
        assert_eq!(log.findings(), [Finding::Removed { first: n, last: n }], "{n}");
        cases += 1;
    }
    for first in 2..=8 {
        for last in first + 1..=9 {
            let mut log = log();
            (first..=last).rev().for_each(|n| drop(log.remove(n)));
            assert_eq!(log.findings(), [Finding::Removed { first, last }]);
            cases += 1;
        }
    }
    let mut without_a_segment = log();
    without_a_segment.segments.remove(1);
    assert_eq!(without_a_segment.findings(), [Finding::Removed { first: 5, last: 8 }]);
    println!("audit: {} negative cases: removed records", cases + 1);
}

#[test]
fn reordered_and_repeated_records_are_named() {
    let mut cases = 0;
    for a in 1..12_u64 {
        for b in a + 1..=12 {
            let mut log = log();
            log.swap(a, b);
            let findings = log.findings();
            let moved = |finding: &Finding| matches!(finding, Finding::Reordered { .. });
            assert!(findings.iter().all(moved), "{a}, {b}: {findings:?}");
            assert!(findings.iter().any(|finding| finding.sequence() == Some(a)));
            // What lay between them and the first one stand behind the second.
            assert_eq!(findings.len() as u64, b - a, "{a}, {b}: {findings:?}");
            cases += 1;
        }
    }
    for n in 1..=11 {
        let mut log = log();
        let again = log.record(n).clone();
        log.insert(n + 1, again);
        assert_eq!(log.findings(), [Finding::Repeated { sequence: n }]);
        cases += 1;
    }
    println!("audit: {cases} negative cases: reordered and repeated records");
}

#[test]
fn a_forged_record_is_named_whether_it_stands_for_another_or_beside_it() {
    let mut cases = 0;
    for n in 1..=12 {
        let mut log = log();
        *log.record(n) = forged_for_ours(n);
        assert_eq!(log.findings(), [Finding::Forged { sequence: n }]);
        let mut log = self::log();
        log.insert(n, forged_for_ours(n));
        assert_eq!(log.findings(), [Finding::Forged { sequence: n }]);
        let mut log = self::log();
        *log.record(n) = forged(STRANGER, n, [0; 32]);
        let other = signer(STRANGER).key().log_id();
        assert_eq!(log.findings(), [Finding::OtherLog { log: other }]);
        cases += 3;
    }
    println!("audit: {cases} negative cases: forged records");
}

#[test]
fn a_log_that_was_cut_is_found_by_the_heads() {
    let mut cases = 0;
    for last in 1..12_u64 {
        let mut log = log();
        (last + 1..=12).rev().for_each(|n| drop(log.remove(n)));
        log.segments.retain(|(_, frames)| frames.len() > 1);
        let findings = log.findings();
        assert_eq!(findings, [Finding::Truncated { last, confirmed: 12 }], "{last}");
        // Without any head there is nothing that could tell.
        log.heads.clear();
        assert_eq!(log.findings(), []);
        cases += 1;
    }
    println!("audit: {cases} negative cases: truncated logs");
}

#[test]
fn a_log_that_was_written_anew_by_its_own_key_is_forked() {
    let mut cases = 0;
    for from in 1..=12 {
        let changed = |n: u64| Entry { session: None, ..entry(n) };
        let other = Log::write(OURS, 12, |n| if n < from { entry(n) } else { changed(n) });
        let mut log = log();
        log.segments = other.segments.clone();
        let forks: Vec<_> =
            [4, 8, 12].into_iter().filter(|head| *head >= from).collect::<Vec<u64>>();
        let id = signer(OURS).key().log_id();
        let expected: Vec<_> =
            forks.iter().map(|n| Finding::Forked { log: id, sequence: *n }).collect();
        assert_eq!(log.findings(), expected);
        // Two heads give it away without any record.
        log.heads.extend(other.heads);
        assert!(log.findings().len() >= 2 * forks.len());
        cases += 2;
    }
    for n in 2..=12 {
        // One record of another history.
        let mut log = log();
        *log.record(n) = forged(OURS, n, [9; 32]);
        let findings = log.findings();
        assert!(findings.iter().all(|f| matches!(f, Finding::Forked { .. })), "{findings:?}");
        assert!(!findings.is_empty());
        cases += 1;
    }
    println!("audit: {cases} negative cases: forked logs");
}

#[test]
fn wrong_heads_and_cross_signatures_are_named() {
    let mut cases = 0;
    for at in 0..log().heads[1].len() {
        let mut log = log();
        log.heads[1][at] ^= 1 << (at % 8);
        let findings = log.findings();
        let named = findings.iter().any(|finding| {
            matches!(
                finding,
                Finding::WrongHead { .. }
                    | Finding::WrongCrossSignature { .. }
                    | Finding::Unreadable { segment: None, .. }
            )
        });
        assert!(named, "byte {at}: {findings:?}");
        cases += 1;
    }
    let sequence = 12;
    let mut log = log();
    let head = Chain::resume(signer(OURS), 12, [0; 32], 5).head();
    log.heads[2] = head.cross_sign(&signer(OURS)).to_frame();
    let by = signer(OURS).key();
    assert_eq!(log.findings(), [Finding::WrongCrossSignature { sequence, by }]);
    let peers = vec![signer(STRANGER).key()];
    let trust = Trust { peers, ..Trust::default() };
    let by = signer(THEIRS).key();
    let wrong = |sequence| Finding::WrongCrossSignature { sequence, by };
    let (_, findings, _) = self::log().verify_trusting(trust, 4096);
    assert_eq!(findings, [wrong(4), wrong(8), wrong(12)]);
    println!("audit: {} negative cases: cross-signatures", cases + 2);
}

#[test]
fn a_log_of_another_key_and_parts_of_one_are_named() {
    let stranger = Log::write(STRANGER, 12, entry);
    let trust = Trust { key: Some(signer(OURS).key()), ..Trust::default() };
    let (_, findings, _) = stranger.verify_trusting(trust, 4096);
    assert_eq!(findings, [Finding::OtherKey { key: signer(STRANGER).key() }]);
    let mut mixed = log();
    mixed.segments[1] = stranger.segments[1].clone();
    let other = Finding::OtherLog { log: signer(STRANGER).key().log_id() };
    assert_eq!(mixed.findings(), [other, Finding::Removed { first: 5, last: 8 }]);
    let mut renamed = log();
    renamed.segments.swap(1, 2);
    let findings = renamed.findings();
    let moved = |finding: &Finding| matches!(finding, Finding::Reordered { .. });
    assert!(findings.iter().all(moved) && findings.len() == 4, "{findings:?}");
    println!("audit: 3 negative cases: other logs");
}

#[test]
fn every_changed_byte_of_an_anchor_is_found() {
    let mut cases = 0;
    for segment in 0..3 {
        for at in 0..log().segments[segment].1[0].len() {
            let mut log = log();
            log.segments[segment].1[0][at] ^= 1 << (at % 8);
            let segment = log.segments[segment].0;
            let findings = log.findings();
            let named = findings.iter().any(|finding| match finding {
                Finding::WrongAnchor { segment: number } => *number == segment,
                Finding::Unreadable { segment: number, .. } => *number == Some(segment),
                _ => false,
            });
            assert!(named, "segment {segment}, byte {at}: {findings:?}");
            cases += 1;
        }
    }
    println!("audit: {cases} negative cases: anchors in logs");
}

#[test]
fn records_that_were_dropped_by_rule_are_a_note_and_others_a_finding() {
    let dropping = |n: u64| match n {
        10 => Entry { action: Action::LogDropped { first_kept: 5 }, ..entry(n) },
        n => entry(n),
    };
    let mut log = Log::write(OURS, 12, dropping);
    log.segments.remove(0);
    let (report, findings, notes) = log.verify();
    assert_eq!((findings, notes), (vec![], vec![Note::Dropped { first_kept: 5 }]));
    assert_eq!((report.first, report.last, report.records), (5, 12, 8));
    log.segments.remove(0);
    assert_eq!(log.findings(), [Finding::StartRemoved { first: 9, expected: 5 }]);
    let mut log = self::log();
    log.segments.remove(0);
    assert_eq!(log.findings(), [Finding::StartRemoved { first: 5, expected: 1 }]);
    println!("audit: 2 negative cases: removed beginnings");
}

#[test]
fn an_unfinished_end_is_torn_unless_the_log_is_being_written() {
    let whole = log().record(12).clone();
    for bytes in 1..whole.len() {
        let mut log = log();
        log.heads.truncate(2);
        log.record(12).truncate(bytes);
        let offset = log.segments[2].1[..4].iter().map(|frame| frame.len() as u64).sum();
        let bytes = bytes as u64;
        assert_eq!(log.findings(), [Finding::Torn { segment: Some(9), offset, bytes }]);
        let trust = Trust { is_written: true, ..Trust::default() };
        let (_, findings, notes) = log.verify_trusting(trust, 4096);
        assert_eq!(findings, []);
        assert!(notes.contains(&Note::BeingWritten));
        // In another segment it is no crash.
        log.segments.push((12, vec![Chain::begin(signer(OURS)).anchor(0)]));
        let unreadable = Finding::Unreadable { segment: Some(9), offset, bytes };
        assert!(log.findings().contains(&unreadable));
    }
    println!("audit: {} negative cases: unfinished ends", 2 * (whole.len() - 1));
}

#[test]
fn a_clock_that_was_set_back_is_a_note() {
    let jumping = |n: u64| match n {
        7 => Entry { time_us: 1_500_000, ..entry(n) },
        n => entry(n),
    };
    let (_, findings, notes) = Log::write(OURS, 12, jumping).verify();
    let back = Note::ClockSetBack { sequence: 7, by_us: 4_500_000 };
    assert_eq!((findings, notes), (vec![], vec![back]));
}

#[test]
fn what_no_peer_has_confirmed_is_a_note() {
    let mut log = log();
    log.heads.truncate(2);
    let (report, findings, notes) = log.verify();
    assert_eq!((report.confirmed, findings), (8, vec![]));
    assert_eq!(notes, [Note::Unconfirmed { first: 9, last: 12 }]);
    log.heads.clear();
    assert_eq!(log.verify().2, [Note::Unconfirmed { first: 1, last: 12 }]);
}

#[test]
fn an_end_that_was_cut_off_after_a_crash_is_a_note() {
    let cut = |n: u64| match n {
        7 => Entry { action: Action::LogCut { bytes: 17 }, ..entry(n) },
        n => entry(n),
    };
    let (_, findings, notes) = Log::write(OURS, 12, cut).verify();
    assert_eq!((findings, notes), (vec![], vec![Note::Cut { sequence: 7, bytes: 17 }]));
}

#[test]
fn clocks_that_stand_still_are_no_note() {
    let still = |n: u64| Entry { time_us: 5, ..entry(n) };
    let (report, findings, notes) = Log::write(OURS, 12, still).verify();
    assert_eq!((findings, notes), (vec![], vec![]));
    assert_eq!((report.begun_us, report.ended_us), (5, 5));
}

#[test]
fn a_record_whose_length_was_changed_takes_no_other_with_it() {
    let mut log = log();
    let next = log.record(7).len() as u16;
    let offset = log.segments[1].1[..2].concat().len() as u64;
    let frame = log.record(6);
    let bytes = frame.len() as u64;
    let length = bytes as u16 - HEADER_BYTES as u16 + next;
    frame[HEADER_BYTES - 2..HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
    let unreadable = Finding::Unreadable { segment: Some(5), offset, bytes };
    assert_eq!(log.findings(), [unreadable, Finding::Removed { first: 6, last: 6 }]);
    println!("audit: 1 negative case: lengths");
}

#[test]
fn another_record_with_the_number_of_the_last_one_is_a_fork() {
    let log = log();
    let other = forged(OURS, 6, [9; 32]);
    let mut forked = log.clone();
    forked.insert(7, other.clone());
    let id = signer(OURS).key().log_id();
    assert_eq!(forked.findings(), [Finding::Forked { log: id, sequence: 6 }]);
    // Behind a damaged one nobody can tell.
    let mut damaged = log;
    let last_of_entry = damaged.record(7).len() - 100;
    damaged.record(7)[last_of_entry] ^= 1;
    damaged.insert(8, other);
    let changed = Finding::Changed { sequence: 7 };
    assert_eq!(damaged.findings(), [changed, Finding::Repeated { sequence: 6 }]);
    println!("audit: 2 negative cases: two of one number");
}

#[test]
fn separate_gaps_are_told_apart_and_what_moved_out_of_one_leaves_two() {
    let removed = |first, last| Finding::Removed { first, last };
    let mut log = log();
    [6, 2].into_iter().for_each(|n| drop(log.remove(n)));
    assert_eq!(log.findings(), [removed(2, 2), removed(6, 6)]);
    let mut log = self::log();
    let moved = log.record(5).clone();
    (3..=7).rev().for_each(|n| drop(log.remove(n)));
    log.segments[2].1.push(moved);
    let reordered = Finding::Reordered { sequence: 5, after: 12 };
    assert_eq!(log.findings(), [reordered, removed(3, 4), removed(6, 7)]);
    println!("audit: 2 negative cases: gaps");
}

#[test]
fn a_record_from_before_the_first_one_that_is_kept_is_out_of_place() {
    let dropping = |n: u64| match n {
        10 => Entry { action: Action::LogDropped { first_kept: 5 }, ..entry(n) },
        n => entry(n),
    };
    let mut log = Log::write(OURS, 12, dropping);
    let early = log.record(3).clone();
    log.insert(7, early);
    log.segments.remove(0);
    assert_eq!(log.findings(), [Finding::Reordered { sequence: 3, after: 6 }]);
    println!("audit: 1 negative case: a record that was dropped");
}

#[test]
fn an_anchor_that_does_not_fit_what_is_before_it_is_named() {
    let wrong = |segment| [Finding::WrongAnchor { segment }];
    let mut log = log();
    log.segments.truncate(1);
    log.heads.clear();
    log.segments[0].1[0] = Chain::resume(signer(OURS), 0, [9; 32], 0).anchor(0);
    let findings = log.findings();
    assert_eq!(findings[..1], wrong(1), "the first record has a hash before it");
    let genesis = signer(OURS).key().genesis();
    let none = Anchor::sign(&signer(OURS), 0, genesis, 0);
    log.segments[0] = (0, vec![frame(FrameKind::Anchor, &none.to_bytes())]);
    assert_eq!(log.findings()[..1], wrong(0), "records are numbered from 1");
    // Two histories of one key that meet between two segments.
    let other = Log::write(OURS, 12, |n| Entry { session: None, ..entry(n) });
    let mut log = self::log();
    log.heads.clear();
    log.segments[1..].clone_from_slice(&other.segments[1..]);
    let id = signer(OURS).key().log_id();
    let forked = |sequence| Finding::Forked { log: id, sequence };
    assert_eq!(log.findings(), [forked(4)]);
    let last_of_entry = log.record(5).len() - 100;
    log.record(5)[last_of_entry] ^= 1;
    assert_eq!(log.findings(), [forked(4), Finding::Changed { sequence: 5 }]);
    // They meet within a segment, behind one that is missing.
    let mut log = self::log();
    log.heads.clear();
    log.segments[2].1[1..].clone_from_slice(&other.segments[2].1[1..]);
    log.segments.remove(1);
    assert_eq!(log.findings(), [forked(8), Finding::Removed { first: 5, last: 8 }]);
    println!("audit: 5 negative cases: anchors that do not fit");
}

#[test]
fn an_anchor_that_cannot_be_used_is_named_and_nothing_else() {
    for segment in 0..3 {
        let mut log = log();
        log.segments[segment].1[0][HEADER_BYTES + 1] ^= 1;
        let number = log.segments[segment].0;
        let (report, findings, _) = log.verify();
        assert_eq!(findings, [Finding::WrongAnchor { segment: number }]);
        assert_eq!((report.first, report.last, report.records), (1, 12, 12));
    }
    println!("audit: 3 negative cases: anchors alone");
}

#[test]
fn a_segment_in_the_wrong_place_does_not_disturb_the_next() {
    let mut log = Log::write(OURS, 16, entry);
    log.segments.swap(1, 2);
    let reordered = |sequence| Finding::Reordered { sequence, after: sequence - 1 };
    let first = Finding::Reordered { sequence: 5, after: 12 };
    assert_eq!(log.findings(), [first, reordered(6), reordered(7), reordered(8)]);
    println!("audit: 1 negative case: segments");
}

#[test]
fn the_logs_own_heads_show_a_cut_and_confirm_nothing() {
    let mut log = log();
    let payload = log.record(12)[HEADER_BYTES..].to_vec();
    let head = Record::from_bytes(&payload).unwrap().head(signer(OURS).key());
    log.heads = vec![head.to_frame()];
    let (report, findings, notes) = log.verify();
    assert_eq!((report.heads, report.confirmed, findings), (1, 0, vec![]));
    assert_eq!(notes, [Note::Unconfirmed { first: 1, last: 12 }]);
    log.remove(12);
    assert_eq!(log.findings(), [Finding::Truncated { last: 11, confirmed: 12 }]);
    // A peer's head that this log has signed too is neither wrong nor of this log.
    let peers = vec![signer(THEIRS).key()];
    let theirs = Chain::begin(signer(THEIRS)).head().cross_sign(&signer(OURS));
    log.heads = vec![theirs.to_frame()];
    let trust = Trust { peers, ..Trust::default() };
    let (report, findings, _) = log.verify_trusting(trust, 4096);
    assert_eq!((report.heads, findings), (0, vec![]));
    println!("audit: 1 negative case: own heads");
}

#[test]
fn an_end_that_a_crash_cannot_leave_is_no_unfinished_one() {
    let longest = MAX_FRAME_BYTES as u64 - 1;
    for (bytes, is_torn) in [(1, true), (longest, true), (longest + 1, false)] {
        let mut log = log();
        let offset = log.segments[2].1.concat().len() as u64;
        log.segments[2].1.push(vec![0; bytes as usize]);
        let segment = Some(9);
        let expected = match is_torn {
            true => Finding::Torn { segment, offset, bytes },
            false => Finding::Unreadable { segment, offset, bytes },
        };
        assert_eq!(log.findings(), [expected]);
        let mut log = self::log();
        let offset = log.heads.concat().len() as u64;
        log.heads.push(vec![0; bytes as usize]);
        let segment = None;
        let expected = match is_torn {
            true => Finding::Torn { segment, offset, bytes },
            false => Finding::Unreadable { segment, offset, bytes },
        };
        assert_eq!(log.findings(), [expected]);
    }
    println!("audit: 6 negative cases: ends");
}

#[test]
fn records_are_given_to_whoever_wants_them_and_a_writer_may_come_late() {
    let mut log = log();
    log.record(12).pop();
    log.heads.truncate(2);
    for wanted in [false, true] {
        let mut verifier = Verifier::new(Trust::default());
        if wanted {
            verifier = verifier.with_records();
        }
        for (number, frames) in &log.segments {
            verifier.begin_segment(*number);
            verifier.handle_bytes(&frames.concat());
            verifier.end();
        }
        verifier.expect_unfinished_end();
        let mut told: Vec<_> = std::iter::from_fn(|| verifier.poll_observation()).collect();
        assert_eq!(told.len(), if wanted { 11 } else { 0 }, "each record as it is met");
        let (report, rest) = verifier.finish();
        assert_eq!(report.findings, 0);
        told.extend(rest);
        let given = told.iter().filter_map(|observation| match observation {
            Observation::Record(record) => Some(record.sequence),
            _ => None,
        });
        let expected: Vec<u64> = if wanted { (1..=11).collect() } else { Vec::new() };
        assert_eq!(given.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_signed_record_that_this_program_cannot_read_is_named_as_such() {
    for n in 1..=12 {
        let mut log = log();
        log.heads.clear();
        let payload = log.record(n).split_off(HEADER_BYTES);
        let unknown = Outline::from_bytes(&payload).unwrap().with_entry(&signer(OURS), b"\x02");
        *log.record(n) = frame(FrameKind::Record, &unknown);
        let findings = log.findings();
        let unknown =
            |f: &Finding| matches!(f, Finding::Unknown { sequence, .. } if *sequence == n);
        assert!(findings.iter().any(unknown), "{findings:?}");
    }
    println!("audit: 12 negative cases: unreadable records");
}

#[test]
fn nothing_at_all_is_no_log() {
    let none = Log { segments: Vec::new(), heads: Vec::new() };
    assert_eq!(none.findings(), [Finding::Empty]);
    let empty = Log { segments: vec![(1, vec![])], heads: Vec::new() };
    assert_eq!(empty.findings(), [Finding::WrongAnchor { segment: 1 }, Finding::Empty]);
    println!("audit: 2 negative cases: no log");
}

#[test]
fn no_bytes_make_it_panic_or_pass() {
    let log = Log::write(OURS, 4, entry);
    let (whole, heads) = (log.segments[0].1.concat(), log.heads.concat());
    let mut state = 1_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize
    };
    let mut cases = 0;
    for _ in 0..2_000 {
        let mut bytes = whole.clone();
        match random() % 3 {
            0 => (0..1 + random() % 20).for_each(|_| {
                let at = random() % bytes.len();
                bytes[at] = random() as u8;
            }),
            1 => {
                let from = random() % bytes.len();
                let to = from + random() % (bytes.len() - from) + 1;
                bytes.drain(from..to.min(whole.len()));
            }
            _ => {
                let at = random() % bytes.len();
                let again = bytes[..random() % bytes.len()].to_vec();
                bytes.splice(at..at, again);
            }
        }
        if bytes == whole {
            continue;
        }
        let mut verifier = Verifier::new(Trust::default());
        verifier.begin_heads();
        verifier.handle_bytes(&heads);
        verifier.end();
        verifier.begin_segment(1);
        verifier.handle_bytes(&bytes);
        verifier.end();
        assert!(verifier.finish().0.findings > 0);
        cases += 1;
    }
    println!("audit: {cases} negative cases: random damage");
}
