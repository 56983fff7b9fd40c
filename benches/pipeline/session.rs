//! The recorded desktop through a real session: a sharer and a helper over QUIC on loopback.

use crate::TRACE;
use farpane::capture::{CaptureSource, ReplayOptions, ReplaySource};
use farpane::net::Identity;
use farpane::{Helper, HelperOptions, ShareRecord, Sharer, SharerEvent, SharerOptions, ViewRecord};
use farpane_benches::percentile;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How often the indicator is acknowledged.
const INDICATOR: Duration = Duration::from_millis(200);
/// Longer than the recording, and than its last update takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A stage: between which two moments of an update it lies.
type Stage = (&'static str, fn(&ShareRecord, &ViewRecord) -> [u64; 2]);

const STAGES: [Stage; 6] = [
    ("compare and find moves", |s, _| [s.capture_us, s.compared_us]),
    ("encode", |s, _| [s.compared_us, s.encoded_us]),
    ("hand to the network", |s, _| [s.encoded_us, s.sent_us]),
    ("loopback, last datagram", |s, v| [s.sent_us, v.received_us]),
    ("decode and compose", |_, v| [v.received_us, v.composed_us]),
    ("notice to composed picture", |s, v| [s.notice_us, v.composed_us]),
];

/// Plays the recording in real time and prints how long each stage of each update took.
pub(crate) fn table() {
    let (sent, seen) = play();
    let pairs: Vec<_> = seen.iter().filter_map(|v| Some((sent.get(&v.update)?, v))).collect();
    println!("\nrecorded desktop in real time, sharer and helper over QUIC on loopback:");
    let bytes: u64 = sent.values().map(|s| s.bytes).sum();
    println!("{} updates, {} shown, {bytes} bytes", sent.len(), pairs.len());
    println!("{:<44} {:>12} {:>12} {:>12}", "stage", "p50 us", "p95 us", "max us");
    for (name, stage) in STAGES {
        let time = |(s, v): &(&ShareRecord, &ViewRecord)| {
            let [from, to] = stage(s, v);
            Duration::from_micros(to.saturating_sub(from))
        };
        let times: Vec<_> = pairs.iter().map(time).collect();
        let [p50, p95, max] = [50, 95, 100].map(|p| percentile(&times, p).as_micros());
        println!("{name:<44} {p50:>12} {p95:>12} {max:>12}");
    }
}

/// What both sides recorded, the sharer's by update.
fn play() -> (BTreeMap<u64, ShareRecord>, Vec<ViewRecord>) {
    let sharer = Sharer::start(SharerOptions {
        listen: "127.0.0.1:0".parse().expect("an address"),
        ..SharerOptions::new(|| {
            let source = ReplaySource::open(TRACE, ReplayOptions::default())?;
            Ok(Box::new(source) as Box<dyn CaptureSource>)
        })
    })
    .expect("the sharer listens");
    let invitation = sharer.invite(vec![sharer.local_address().to_string()], LIMIT);
    let invitation = invitation.expect("an invitation");
    sharer.consent_in_advance(&invitation, LIMIT);
    let (ring, changes) = channel();
    let options = HelperOptions {
        on_change: Arc::new(move || {
            let _ = ring.send(());
        }),
        ..HelperOptions::default()
    };
    let identity = Identity::generate().expect("a key");
    let helper = Helper::connect(&invitation, &identity, options).expect("the sharer answers");
    let (mut sent, mut seen) = (BTreeMap::new(), Vec::new());
    let mut collect = || {
        let records = std::iter::from_fn(|| sharer.try_record());
        sent.extend(records.map(|record| (record.update, record)));
        seen.extend(std::iter::from_fn(|| helper.try_record()));
        drop(helper.take_picture());
    };
    until_ended(&sharer, &changes, &mut collect);
    (sent, seen)
}

/// Keeps the session alive until the recording has been played and nothing arrives any more.
fn until_ended(sharer: &Sharer, changes: &Receiver<()>, collect: &mut impl FnMut()) {
    let begun = Instant::now();
    loop {
        match sharer.next_event(INDICATOR) {
            Some(SharerEvent::SourceEnded) => break,
            Some(SharerEvent::Failed { reason }) => panic!("the session failed: {reason}"),
            Some(SharerEvent::Left { reason, .. }) => panic!("the helper left: {reason:?}"),
            _ => {}
        }
        sharer.acknowledge_indicator();
        collect();
        assert!(begun.elapsed() < LIMIT, "the recording does not end");
    }
    changes.try_iter().for_each(drop);
    while changes.recv_timeout(INDICATOR).is_ok() {
        sharer.acknowledge_indicator();
    }
    collect();
}
