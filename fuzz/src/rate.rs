//! What a helper reports, down to the controllers of the rate. The first byte chooses: reports as
//! they come over the network about datagrams that were sent, or samples with any numbers at all.

use crate::{Seed, packets};
use bytes::Bytes;
use farpane_frame::Size;
use farpane_proto::feedback::Feedback;
use farpane_proto::screen::{BatchInfo, ScreenReceiver, ScreenSender};
use farpane_rate::{Controller, GccController, Report, Sample, ScreamController};

const REPORTS: u8 = 0;
const SAMPLES: u8 = 1;
const SIZE: Size = Size::new(200, 150);
/// What a window is before anything is acknowledged, and at most.
const FIRST_WINDOW_BYTES: u64 = 30_000;
const MAX_WINDOW_BYTES: u64 = 4 << 20;
/// Numbers of a sample.
const NUMBERS: usize = 5;

/// Whether all reports are valid, at least one; what they say is never believed too much.
pub fn accepts(input: &[u8]) -> bool {
    let Some((kind, rest)) = input.split_first() else { return false };
    match *kind {
        REPORTS => reports(rest),
        SAMPLES => samples(rest),
        _ => false,
    }
}

struct Subjects {
    scream: ScreamController,
    gcc: GccController,
    acked_bytes: u64,
}

impl Subjects {
    fn new() -> Self {
        Self { scream: ScreamController::new(), gcc: GccController::new(), acked_bytes: 0 }
    }

    fn handle(&mut self, now_us: u64, report: &Report<'_>) {
        self.acked_bytes = self.acked_bytes.saturating_add(report.acked_bytes);
        self.scream.handle_report(now_us, report);
        self.gcc.handle_report(now_us, report);
        let window = self.scream.window_bytes();
        let most = FIRST_WINDOW_BYTES.saturating_add(self.acked_bytes).min(MAX_WINDOW_BYTES);
        assert!(
            window <= most,
            "a window of {window} bytes after {} acknowledged",
            self.acked_bytes
        );
        for controller in [&self.scream as &dyn Controller, &self.gcc] {
            assert!(controller.window_bytes() > 0, "a window that is closed never opens again");
            assert!(controller.pacing_bytes_per_s() > 0, "neither does a pacer");
            let _ = (controller.queue_delay_us(), controller.min_rtt_us());
            let _ = (controller.rtt_us(), controller.carried_bytes_per_s());
        }
    }
}

fn reports(input: &[u8]) -> bool {
    let (mut sender, mut subjects) = (ScreenSender::new(0, 1, SIZE, 1_200), Subjects::new());
    let (mut now_us, mut any) = (0, false);
    for packet in packets::split(input) {
        let Some((wait_ms, report)) = packet.split_first() else { continue };
        any = true;
        now_us += u64::from(*wait_ms) * 1_000;
        send(&mut sender, now_us);
        let in_flight_bytes = sender.in_flight_bytes();
        let Ok(report) = Feedback::read(report) else { return false };
        let Ok(report) = sender.handle_feedback(now_us, &report) else { return false };
        while sender.poll_event().is_some() {}
        let samples: Vec<Sample> = report
            .samples
            .iter()
            .map(|s| Sample { sent_us: s.sent_us, received_us: s.received_us, bytes: s.bytes })
            .collect();
        let report = Report {
            samples: &samples,
            acked_bytes: report.acked_bytes,
            lost_bytes: report.lost_bytes,
            marked: report.marked,
            rtt_us: report.rtt_us,
            in_flight_bytes,
        };
        subjects.handle(now_us, &report);
    }
    any
}

fn send(sender: &mut ScreenSender, now_us: u64) {
    sender.begin_update();
    sender.push_batch(BatchInfo { data: Bytes::from_static(&[7; 3_000]), ..BatchInfo::default() });
    sender.end_update();
    while sender.poll_datagram(now_us).is_some() {}
}

/// Each packet is a report: five numbers of eight bytes for each sample, of which the first three
/// are the sample's and the others those of the report.
fn samples(input: &[u8]) -> bool {
    let (mut subjects, mut any) = (Subjects::new(), false);
    for packet in packets::split(input) {
        let numbers: Vec<u64> =
            packet.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        let rows = numbers.as_chunks::<NUMBERS>().0;
        let Some([.., now_us, bytes]) = rows.last() else { return false };
        any = true;
        let samples: Vec<Sample> = rows
            .iter()
            .map(|[sent_us, received_us, bytes, ..]| Sample {
                sent_us: *sent_us,
                received_us: *received_us,
                bytes: *bytes as u32,
            })
            .collect();
        let report = Report {
            samples: &samples,
            acked_bytes: *bytes,
            lost_bytes: bytes.rotate_left(17),
            marked: bytes.rotate_left(31),
            rtt_us: Some(now_us.rotate_left(7)),
            in_flight_bytes: bytes.rotate_left(43),
        };
        subjects.handle(*now_us, &report);
    }
    any
}

/// A conversation that goes well, one with losses, and numbers at the ends of their ranges.
pub fn seeds() -> Vec<Seed> {
    let mut bad = vec![REPORTS];
    packets::push(&mut bad, &[30, 0x40, 0xff]);
    let mut numbers = vec![SAMPLES];
    for row in [[0, u64::MAX, 1, u64::MAX, u64::MAX], [u64::MAX, 0, 0, 0, 1 << 63], [7; NUMBERS]] {
        let bytes: Vec<u8> = row.iter().flat_map(|number| number.to_le_bytes()).collect();
        packets::push(&mut numbers, &bytes);
    }
    vec![
        ("reports", conversation(|_| false)),
        ("reports-of-losses", conversation(|sent| sent % 4 == 1)),
        ("numbers", numbers),
        ("bad-report", bad),
        ("bad-numbers", vec![SAMPLES, 0, 3, 1, 2, 3]),
    ]
}

fn conversation(lost: fn(u64) -> bool) -> Vec<u8> {
    let (mut sender, mut receiver) = (ScreenSender::new(0, 1, SIZE, 1_200), ScreenReceiver::new());
    let (mut heard, mut sent) = (vec![REPORTS], 0);
    for now_us in (1..9).map(|update| update * 30_000) {
        sender.begin_update();
        let data = Bytes::from_static(&[7; 3_000]);
        sender.push_batch(BatchInfo { data, ..BatchInfo::default() });
        sender.end_update();
        while let Some(datagram) = sender.poll_datagram(now_us) {
            sent += 1;
            if !lost(sent) {
                receiver.handle_datagram(now_us, &datagram).expect("the sharer's own datagram");
            }
        }
        receiver.handle_timeout(now_us + 25_000).expect("the sharer's own datagrams");
        if let Some(report) = receiver.poll_feedback(now_us + 25_000) {
            sender.handle_feedback(now_us + 26_000, &report).expect("the helper's own report");
            let mut packet = vec![30];
            report.write(&mut packet);
            packets::push(&mut heard, &packet);
        }
    }
    heard
}
