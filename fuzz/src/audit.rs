//! Audit logs. The first byte chooses: 0, the rest is a log, two bytes of the length of its heads,
//! the heads, then for each segment eight bytes of its number, four of its length and the segment;
//! 1, the rest is what a record's hash is of, to which this module adds the hash that no fuzzer
//! would guess.

use crate::Seed;
use farpane_policy::audit::{
    Action, Chain, Entry, Feature, Learned, Observation, Parties, Party, Record, Role, Signer,
    Text, Trust, Verifier,
};
use farpane_policy::{
    AuditEvent, Capabilities, Capability, EndReason, Fact, Mode, Rights, SessionId, Source, State,
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
    let [requested, changed_rights, limited, ended, moved] = facts();
    let misfit = {
        let mut bytes = record(&told(1, requested));
        // The capabilities of the rights, before the outcome: more than there are.
        let at = bytes.len() - (2 + "success".len()) - 2;
        bytes[at..at + 2].fill(0xff);
        bytes
    };
    vec![
        ("log", one),
        ("log-of-segments", three),
        ("bad-log-changed", changed),
        ("bad-log-cut", cut),
        ("record", record(&told(1, requested))),
        ("record-rights", record(&told(1, changed_rights))),
        ("record-limited", record(&told(1, limited))),
        ("record-ended", record(&told(1, ended))),
        ("record-moved", record(&told(1, moved))),
        ("record-helper", record(&learned())),
        ("record-file", record(&file())),
        ("bad-record-rights", misfit),
        ("bad-record-no-entry", [&[RECORD][..], &[0; 57]].concat()),
    ]
}

fn facts() -> [Fact; 5] {
    let rights = Rights::with(Mode::Control, Capabilities::TRANSFERS);
    let (reason, used) = (EndReason::SharerEnded, Capabilities::of(&[Capability::View]));
    [
        Fact::Requested { invitation: [3; 16], rights },
        Fact::RightsChanged { from: None, to: Some(rights) },
        Fact::Limited { source: Source::Lease, to: Capabilities::NONE },
        Fact::Ended { reason, lasted_us: 61_000_000, used },
        Fact::Moved { from: State::Ending, to: State::Ended(reason) },
    ]
}

/// The entry of what a session tells at the second `n`.
fn told(n: u64, fact: Fact) -> Entry {
    let event = AuditEvent { session: SessionId([7; 16]), at_us: n, who: None, fact };
    Entry::of_session(&event, 1_000_000 * n)
}

/// An entry of a helper's own log, with names.
fn learned() -> Entry {
    let sharer = Party::claimed(Role::Sharer, "Zo\u{eb}\n");
    let helper = Party::claimed(Role::Helper, "Ada");
    let device = Some(Party::claimed(Role::Device, "laptop"));
    let rights = Rights::of(Mode::Elevated);
    let parties = Parties { helper, sharer, device };
    Entry::of_helper([7; 16], &parties, &Learned::Refused { rights }, 1_000_000)
}

fn file() -> Entry {
    let file = Feature::FileOut { name: Text::escaped("notes.txt"), bytes: 3 };
    Entry { action: Action::FeatureUsed(file), ..learned() }
}

fn record(entry: &Entry) -> Vec<u8> {
    let chain = Chain::begin(signer(1));
    let frame = chain.prepare(entry).bytes().to_vec();
    // Without the frame's header and the record's own hash and signature.
    [&[RECORD][..], &frame[7..frame.len() - 96]].concat()
}

fn log(records: u64, of_segment: u64) -> Vec<u8> {
    let mut chain = Chain::begin(signer(1));
    let (mut heads, mut segments) = (Vec::new(), Vec::new());
    for (n, fact) in (1..=records).zip(facts().into_iter().cycle()) {
        if n % of_segment == 1 {
            segments.push((n, chain.anchor(n)));
        }
        let pending = chain.prepare(&told(n, fact));
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
