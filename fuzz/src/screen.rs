//! Whole conversations of screen synchronisation, seen from either side. The first byte chooses the
//! side that is tried; the rest are packets, each led by a byte of milliseconds that pass before.

use crate::{Seed, packets};
use bytes::Bytes;
use farpane_frame::{Rect, Size};
use farpane_proto::datagram::Cursor;
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, Repeat, ScreenReceiver, ScreenSender};

const HELPER: u8 = 0;
const SHARER: u8 = 1;
const SIZE: Size = Size::new(200, 150);
/// Events one datagram can bring at most: all that waited for a gap to be given up.
const MAX_EVENTS: usize = 100_000;

/// Whether the side chosen accepts all packets, at least one.
pub fn accepts(input: &[u8]) -> bool {
    let Some((side, rest)) = input.split_first() else { return false };
    match *side {
        HELPER => helper_accepts(rest),
        SHARER => sharer_accepts(rest),
        _ => false,
    }
}

/// A helper takes datagrams in until one is invalid.
fn helper_accepts(input: &[u8]) -> bool {
    let mut receiver = ScreenReceiver::new();
    let mut now_us = 0;
    let mut any = false;
    for (wait_ms, datagram) in timed(input) {
        any = true;
        now_us += wait_ms * 1_000;
        if receiver.poll_timeout().is_some_and(|at| at <= now_us)
            && receiver.handle_timeout(now_us).is_err()
        {
            return false;
        }
        if receiver.handle_datagram(now_us, &Bytes::copy_from_slice(datagram)).is_err() {
            return false;
        }
        let events = std::iter::from_fn(|| receiver.poll_event()).count();
        assert!(events <= MAX_EVENTS, "{events} events at once");
        while let Some(report) = receiver.poll_feedback(now_us) {
            let mut bytes = Vec::new();
            report.write(&mut bytes);
            assert_eq!(Feedback::read(&bytes), Ok(report), "a peer must be able to read it");
        }
    }
    any
}

/// A sharer that always has something to send takes reports in until one is invalid.
fn sharer_accepts(input: &[u8]) -> bool {
    let mut sender = ScreenSender::new(0, 1, SIZE, 1_200);
    let mut now_us = 0;
    let mut any = false;
    for (wait_ms, report) in timed(input) {
        any = true;
        now_us += wait_ms * 1_000;
        send_update(&mut sender, now_us);
        let Ok(report) = Feedback::read(report) else { return false };
        if sender.handle_feedback(now_us, &report).is_err() {
            return false;
        }
        while sender.poll_event().is_some() {}
        sender.handle_timeout(now_us);
    }
    any
}

/// Sends three datagrams: an update of two parts, the cursor.
fn send_update(sender: &mut ScreenSender, now_us: u64) {
    sender.begin_update();
    sender.push_batch(BatchInfo {
        data: Bytes::from_static(&[7; 1_300]),
        writes: vec![(0, Rect::new(0, 0, 64, 64)), (5, Rect::new(70, 70, 9, 9))],
        repeat: manner(now_us),
        lossy: manner(now_us) == Repeat::WhileVideo,
        ..BatchInfo::default()
    });
    sender.end_update();
    sender.set_cursor(Cursor { x: now_us as i32, y: 0, visible: true, shape: 0 });
    while sender.poll_datagram(now_us).is_some() {}
}

/// Some updates begin or continue a chain, and the others follow it; some are access units, which
/// have parity when repeats take long.
fn manner(now_us: u64) -> Repeat {
    match now_us % 120_000 {
        0..30_000 => Repeat::InOrder,
        30_000..60_000 => Repeat::WhileUnchanged,
        _ => Repeat::WhileVideo,
    }
}

fn timed(input: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    packets::split(input).filter_map(|packet| {
        let (wait_ms, rest) = packet.split_first()?;
        Some((u64::from(*wait_ms), rest))
    })
}

/// Between two updates; a report takes somewhat less.
const NEAR_US: u64 = 30_000;
const FAR_US: u64 = 130_000;

/// What each side sends when all goes well and when datagrams are lost.
pub fn seeds() -> Vec<Seed> {
    vec![
        ("helper", conversation(HELPER, NEAR_US, |_| false)),
        ("helper-losing-some", conversation(HELPER, NEAR_US, |sent| sent % 5 == 3)),
        ("helper-far-losing-some", conversation(HELPER, FAR_US, |sent| sent % 5 == 3)),
        ("sharer", conversation(SHARER, NEAR_US, |_| false)),
        ("sharer-losing-some", conversation(SHARER, NEAR_US, |sent| sent % 5 == 3)),
        ("sharer-far-losing-some", conversation(SHARER, FAR_US, |sent| sent % 5 == 3)),
        ("bad-report", b"\x01\x00\x03\x01\x40\x20".to_vec()),
        ("bad-datagram", b"\x00\x00\x03\x01\xff\x00".to_vec()),
    ]
}

/// What `side` hears in a conversation in which the datagrams that `lost` names do not arrive.
/// An update follows the one before after `wait_us`, shortly after the report about that.
fn conversation(side: u8, wait_us: u64, lost: fn(u64) -> bool) -> Vec<u8> {
    let (mut sender, mut receiver) = (ScreenSender::new(0, 1, SIZE, 1_200), ScreenReceiver::new());
    let mut heard = vec![side];
    let mut sent = 0;
    for now_us in (0..16).map(|update| update * wait_us) {
        let (mut datagrams, mut reports) = (Vec::new(), Vec::new());
        send_and_keep(&mut sender, now_us, &mut datagrams);
        for datagram in datagrams {
            sent += 1;
            if !lost(sent) {
                receiver.handle_datagram(now_us, &datagram).expect("the sharer's own datagram");
                if side == HELPER {
                    packets::push(&mut heard, &[&[8][..], &datagram].concat());
                }
            }
        }
        receiver.handle_timeout(now_us + 25_000).expect("the sharer's own datagrams");
        reports.extend(receiver.poll_feedback(now_us + 25_000));
        for report in reports {
            let at_us = now_us + wait_us - 4_000;
            sender.handle_feedback(at_us, &report).expect("the helper's own report");
            if side == SHARER {
                let mut packet = vec![30];
                report.write(&mut packet);
                packets::push(&mut heard, &packet);
            }
        }
    }
    heard
}

fn send_and_keep(sender: &mut ScreenSender, now_us: u64, datagrams: &mut Vec<Bytes>) {
    sender.begin_update();
    sender.push_batch(BatchInfo {
        data: Bytes::from_static(&[7; 1_300]),
        writes: vec![(0, Rect::new(0, 0, 64, 64))],
        repeat: manner(now_us),
        lossy: manner(now_us) == Repeat::WhileVideo,
        ..BatchInfo::default()
    });
    sender.end_update();
    datagrams.extend(std::iter::from_fn(|| sender.poll_datagram(now_us)));
}
