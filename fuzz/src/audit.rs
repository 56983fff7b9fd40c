//! Audit logs. The first byte chooses: 0, the rest is a log, two bytes of the length of its heads,
//! the heads, then for each segment eight bytes of its number, four of its length and the segment;
//! 1, the rest is what a record's hash is of, to which this module adds the hash that no fuzzer
//! would guess.

use crate::Seed;
use farpane_policy::audit::{
    Action, Chain, Entry, Feature, Mode, Observation, Outcome, Party, Record, Signer, Text, Trust,
    Verifier,
};

const LOG: u8 = 0;
const RECORD: u8 = 1;
const CONTEXT: &str = "farpane audit 1 record";

/// Whether the input is a whole log or a record; if so, every record must come back from the
/// bytes it is written as. However a log is cut into portions, the same is found.
pub fn accepts(input: &[u8]) -> bool {
    match input.split_first() {
        Some((&LOG, log)) => {
            let found = verify(log, usize::MAX);
            assert_eq!(found, verify(log, 13), "what is found depends on portions");
            found == Some(0)
        }
        Some((&RECORD, covered)) => {
            let hash =
                *blake3::Hasher::new_derive_key(CONTEXT).update(covered).finalize().as_bytes();
            is_record(&[covered, &hash, &[0; 64]].concat())
        }
        _ => false,
    }
}

fn is_record(payload: &[u8]) -> bool {
    let Ok(record) = Record::from_bytes(payload) else { return false };
    assert_eq!(record.to_bytes(), payload, "a record has two forms");
    true
}

/// How many findings a log has; `None` when the bytes are not cut as one.
fn verify(log: &[u8], portion: usize) -> Option<u64> {
    let mut verifier = Verifier::new(Trust::default()).with_records();
    let (length, rest) = log.split_first_chunk()?;
    let (heads, mut rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    verifier.begin_heads();
    read(&mut verifier, heads, portion);
    while let Some((number, more)) = rest.split_first_chunk() {
        let (length, more) = more.split_first_chunk()?;
        let (segment, more) = more.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        verifier.begin_segment(u64::from_be_bytes(*number));
        read(&mut verifier, segment, portion);
        rest = more;
    }
    let (report, told) = verifier.finish();
    for observation in told {
        // Both kinds have texts for people.
        match observation {
            Observation::Finding(finding) => drop(finding.to_string()),
            Observation::Note(note) => drop(note.to_string()),
            Observation::Record(record) => assert!(is_record(&record.to_bytes())),
        }
    }
    rest.is_empty().then_some(report.findings)
}

fn read(verifier: &mut Verifier, bytes: &[u8], portion: usize) {
    bytes.chunks(portion.min(bytes.len().max(1))).for_each(|part| verifier.handle_bytes(part));
    verifier.end();
}

/// Logs of one and of three segments, and records of several kinds.
pub fn seeds() -> Vec<Seed> {
    let one = log(4, 100);
    let three = log(12, 4);
    let mut changed = one.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let cut = [&one[..one.len() - 400], &[0; 4][..]].concat();
    let requested = Action::SessionRequested { mode: Mode::Control };
    let file = Feature::FileOut { name: Text::escaped("notes.txt"), bytes: 3 };
    vec![
        ("log", one),
        ("log-of-segments", three),
        ("bad-log-changed", changed),
        ("bad-log-cut", cut),
        ("record", record(requested)),
        ("record-file", record(Action::FeatureUsed(file))),
        ("record-ended", record(Action::Ended { reason: Text::escaped("sharer-ended") })),
        ("bad-record-no-entry", [&[RECORD][..], &[0; 57]].concat()),
    ]
}

fn entry(n: u64, action: Action) -> Entry {
    let (actor, outcome) = (Party::system(), Outcome::Success);
    let (session, target, device) = (Some([7; 16]), Some(Party::system()), None);
    Entry { time_us: 1_000_000 * n, session, actor, target, device, action, outcome }
}

fn record(action: Action) -> Vec<u8> {
    let chain = Chain::begin(signer(1));
    let frame = chain.prepare(&entry(1, action)).bytes().to_vec();
    // Without the frame's header and the record's own hash and signature.
    [&[RECORD][..], &frame[7..frame.len() - 96]].concat()
}

fn log(records: u64, of_segment: u64) -> Vec<u8> {
    let mut chain = Chain::begin(signer(1));
    let (mut heads, mut segments) = (Vec::new(), Vec::new());
    for n in 1..=records {
        if n % of_segment == 1 {
            segments.push((n, chain.anchor(n)));
        }
        let pending = chain.prepare(&entry(n, Action::ConsentAsked { mode: Mode::View }));
        segments.last_mut().expect("one was begun").1.extend(pending.bytes());
        let head = chain.advance(pending);
        heads.extend(head.cross_sign(&signer(2)).to_frame());
    }
    let mut log = vec![LOG];
    log.extend((heads.len() as u16).to_be_bytes());
    log.extend(heads);
    for (number, segment) in segments {
        log.extend(number.to_be_bytes());
        log.extend((segment.len() as u32).to_be_bytes());
        log.extend(segment);
    }
    log
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32]).expect("every seed makes a key")
}
