use super::*;
use crate::audit::{
    Action, Chain, Feature, MAX_FRAME_BYTES, MAX_TEXT_BYTES, Outcome, Party, Role, Signer,
};
use crate::{Capabilities, Capability, EndReason, Posture, RequestId, Rights, Source, State};

fn text(text: &str) -> Text {
    Text::new(text).unwrap()
}

fn party(role: Role, name: &str) -> Party {
    Party { role, tenant: text("contoso"), subject: text("oid-1"), name: text(name) }
}

fn entry(action: Action) -> Entry {
    Entry {
        time_us: 1_700_000_000_123_456,
        session: Some([7; 16]),
        actor: party(Role::Helper, "Ada"),
        target: Some(party(Role::Sharer, "王小明")),
        device: Some(party(Role::Device, "PC-17")),
        action,
        outcome: Outcome::Success,
    }
}

/// One of each, with each mode, state, source, capability and reason somewhere.
fn actions() -> Vec<Action> {
    let reason = || text("revoked by the administrator");
    let (request, used) = (RequestId(3), Capabilities::of(&[Capability::View]));
    let name = || text("notes.txt");
    let mut actions = vec![
        Action::SessionAuthorised { reason: reason() },
        Action::ConsentDenied { request },
        Action::ConsentTimedOut { request },
        Action::ConsentWithdrawn { request },
        Action::ConsentInAdvance { invitation: [1; 16] },
        Action::ConsentUnattended { grant: [9; 16] },
        Action::ModeChanged { from: None, to: None },
        Action::RightsLowered,
        Action::ElevationBegun,
        Action::ElevationEnded,
        Action::FeatureUsed(Feature::ClipboardIn { bytes: 1 }),
        Action::FeatureUsed(Feature::ClipboardOut { bytes: u64::MAX }),
        Action::FeatureUsed(Feature::FileIn { name: name(), bytes: 3 }),
        Action::FeatureUsed(Feature::FileOut { name: name(), bytes: 4 }),
        Action::SessionHeld,
        Action::SessionReleased,
        Action::Suspended,
        Action::Resumed,
        Action::IndicatorShown,
        Action::PromptOpened,
        Action::PromptClosed,
        Action::Revoked { reason: reason() },
        Action::SettingsRefused { setting: text("chat-blocked") },
        Action::LogOpened,
        Action::LogCut { bytes: 17 },
        Action::LogDropped { first_kept: 1_000 },
    ];
    for mode in Mode::ALL {
        let rights = Rights::with(mode, Capabilities::ALL);
        let (from, to) = (Some(Rights::of(Mode::View)), Some(rights));
        actions.push(Action::SessionRequested { invitation: [1; 16], rights });
        actions.push(Action::ConsentAsked { request, rights });
        actions.push(Action::ConsentGiven { request, rights, span_us: None });
        actions.push(Action::ConsentGiven { request, rights, span_us: Some(u64::MAX) });
        actions.push(Action::ModeChanged { from, to });
        actions.push(Action::RightsAsked { rights });
        actions.push(Action::RightsRefused { rights });
        actions.push(Action::SessionMoved { from: State::Suspended, to: State::active(mode) });
    }
    for posture in [Posture::Compliant, Posture::NotCompliant, Posture::Unknown] {
        actions.push(Action::ComplianceSeen { posture });
    }
    for source in Source::ALL {
        actions.push(Action::SourceLimited { source, allowed: used });
    }
    for capability in Capability::ALL {
        actions.push(Action::FeatureUsed(Feature::Used { capability }));
    }
    for reason in EndReason::ALL {
        actions.push(Action::SessionMoved { from: State::Ending, to: State::Ended(reason) });
        actions.push(Action::Ended { reason, lasted_us: 1_000_000, used });
    }
    actions
}

/// A record with these bytes for an entry, and a hash that fits.
fn with_entry(entry: &[u8]) -> Vec<u8> {
    let mut bytes = [&[0; 32][..], &[FORMAT_VERSION], &[1; 16], &1_u64.to_be_bytes()].concat();
    bytes.extend(entry);
    bytes.extend(derive(RECORD, &bytes));
    bytes.extend([0; 64]);
    bytes
}

fn bytes_of(entry: &Entry) -> Vec<u8> {
    let mut writer = Writer::default();
    entry.write(&mut writer);
    writer.0
}

#[test]
fn every_entry_comes_back_from_its_bytes() {
    for action in actions() {
        let mut one = entry(action);
        for outcome in Outcome::ALL.iter().copied() {
            one.outcome = outcome;
            let bytes = with_entry(&bytes_of(&one));
            let record = Record::from_bytes(&bytes).unwrap();
            assert_eq!(record.entry, one);
            assert_eq!(record.to_bytes(), bytes);
        }
        (one.session, one.target, one.device) = (None, None, None);
        assert_eq!(Record::from_bytes(&with_entry(&bytes_of(&one))).unwrap().entry, one);
    }
}

/// The list is what other programs rely on: codes are added and never change.
#[test]
fn codes_are_the_documented_ones() {
    let mut codes: Vec<_> = actions().iter().map(Action::code).collect();
    codes.sort_unstable();
    codes.dedup();
    let documented = [
        "compliance.seen",
        "consent.asked",
        "consent.denied",
        "consent.given",
        "consent.in-advance",
        "consent.timed-out",
        "consent.unattended",
        "consent.withdrawn",
        "elevation.begun",
        "elevation.ended",
        "feature.clipboard-in",
        "feature.clipboard-out",
        "feature.file-in",
        "feature.file-out",
        "feature.used",
        "indicator.shown",
        "log.cut",
        "log.dropped",
        "log.opened",
        "mode.changed",
        "prompt.closed",
        "prompt.opened",
        "rights.asked",
        "rights.lowered",
        "rights.refused",
        "session.authorised",
        "session.ended",
        "session.held",
        "session.moved",
        "session.released",
        "session.requested",
        "session.resumed",
        "session.revoked",
        "session.suspended",
        "settings.refused",
        "source.limited",
    ];
    assert_eq!(codes, documented);
    let mut all = [Action::CODES, Feature::CODES].concat();
    all.sort_unstable();
    assert_eq!(all, documented);
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/audit.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    for code in documented {
        assert!(docs.contains(&format!("`{code}`")), "docs/audit.md does not have {code}");
    }
}

#[test]
fn the_largest_record_fits_a_frame() {
    let longest = || text(&"x".repeat(MAX_TEXT_BYTES));
    let everybody = || Party { tenant: longest(), subject: longest(), ..party(Role::Helper, "") };
    let mut largest = entry(Action::FeatureUsed(Feature::FileOut { name: longest(), bytes: 1 }));
    for party in [&mut largest.actor, largest.target.as_mut().unwrap()] {
        *party = Party { name: longest(), ..everybody() };
    }
    largest.device = largest.target.clone();
    let chain = Chain::begin(Signer::from_seed(&[1; 32]).unwrap());
    let bytes = chain.prepare(&largest).bytes().len();
    assert!(bytes <= MAX_FRAME_BYTES && bytes > 2_500, "{bytes} bytes");
}

#[test]
fn records_that_are_none_are_refused() {
    let [from, to] = [Mode::View, Mode::Control].map(|mode| Some(Rights::of(mode)));
    let good = bytes_of(&entry(Action::ModeChanged { from, to }));
    let mut refused = 0;
    let mut refuse = |bytes: &[u8], what: &str| {
        assert!(Record::from_bytes(bytes).is_err(), "{what}");
        refused += 1;
    };
    for at in 0..good.len() {
        refuse(&with_entry(&good[..at]), "an entry that ends too early");
    }
    refuse(&with_entry(&[&good[..], &[0]].concat()), "an entry with something behind it");
    for (good_code, bad_code) in [
        (&b"helper"[..], &b"hacker"[..]),
        (b"sharer", b"SHARER"),
        (b"mode.changed", b"mode.guessed"),
        (b"control", b"contro\0"),
        // The same mode with a set that no such mode has, and with one that nobody knows.
        (b"view\x00", b"view\x03"),
        (b"view\x00", b"view\xff"),
        (b"success", b"succes\xff"),
        (b"contoso", b"conto\x1b["),
        (b"PC-17", b"PC\n17"),
    ] {
        let at = good.windows(good_code.len()).position(|bytes| bytes == good_code).unwrap();
        let mut changed = good.clone();
        changed[at..at + bad_code.len()].copy_from_slice(bad_code);
        refuse(&with_entry(&changed), &String::from_utf8_lossy(bad_code));
    }
    for flag in 2..=9 {
        let mut changed = good.clone();
        changed[8] = flag;
        refuse(&with_entry(&changed), "neither there nor absent");
    }
    let mut newer = with_entry(&good);
    newer[32] = FORMAT_VERSION + 1;
    refuse(&newer, "a version without its hash");
    let covered = newer.len() - TRAILER_BYTES;
    let hash = derive(RECORD, &newer[..covered]);
    newer[covered..covered + 32].copy_from_slice(&hash);
    let version = RecordError::Version { version: FORMAT_VERSION + 1 };
    assert_eq!(Record::from_bytes(&newer), Err(version));
    let whole = with_entry(&good);
    for at in 0..whole.len() - 64 {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(Record::from_bytes(&changed), Err(RecordError::Hash), "byte {at}");
        refused += 1;
    }
    println!("audit: {refused} negative cases: records");
}
